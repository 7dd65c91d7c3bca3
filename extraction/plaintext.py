"""Texts that somebody else extracted already: the rules on words clean them line by line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from extraction.boilerplate import Line, Verdict, by_words, unescaped
from extraction.learned import Learned, fingerprint
from extraction.records import Removed, RemovedKind
from extraction.rules import NO_CHANGES, SiteRules
from extraction.text import ends_sentence, fold, tidy

#: Longest text taken, characters; a longer one is no article.
MAX_CHARS: Final = 5_000_000
#: Words of a line that may be a headline in a list.
_ENTRY_WORDS: Final = 25


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text and the lines that were taken out; a line's `position` is its number in the text given, from 0."""

    text: str
    removed: tuple[Removed, ...]


class TextTooLongError(ValueError):
    """Raised for a text of more than MAX_CHARS characters."""


def clean_text(
    text: str, *, title: str | None = None, rules: SiteRules = NO_CHANGES, learned: Learned | None = None
) -> Cleaned:
    """Take boilerplate lines out of an extracted text.

    Lines are judged whole and stay as they were otherwise, but for white space, invisible marks and tags that stand in
    the text as text. Cleaning a cleaned text changes nothing.

    Args:
        text: the text, paragraphs on lines of their own or parted by blank lines.
        title: its headline, if known; a line that repeats it is taken out.
        rules: what is switched off.
        learned: lines known to recur on the text's site.

    Raises:
        TextTooLongError: over MAX_CHARS characters.
    """
    if len(text) > MAX_CHARS:
        raise TextTooLongError(f"text of {len(text)} characters, more than {MAX_CHARS}")
    lines = [tidy(line) for line in text.splitlines()]
    verdicts = _verdicts(lines, fold(title or ""), rules, learned)
    removed = tuple(
        Removed(kind=verdict.kind, rule=verdict.rule, text=line, position=place)
        for place, (line, verdict) in enumerate(zip(lines, verdicts, strict=True))
        if verdict is not None
    )
    kept = ["" if verdict is not None else unescaped(line) for line, verdict in zip(lines, verdicts, strict=True)]
    return Cleaned(_joined(kept, verdicts), removed)


def _joined(lines: Sequence[str], verdicts: Sequence[Verdict | None]) -> str:
    """The lines with at most one blank one between two, none at the ends, and none left by a removed line."""
    out: list[str] = []
    for line, verdict in zip(lines, verdicts, strict=True):
        if line or (verdict is None and out and out[-1]):
            out.append(line)
    return "\n".join(out).strip("\n")


def _verdicts(lines: Sequence[str], title: str, rules: SiteRules, learned: Learned | None) -> list[Verdict | None]:
    found = [_verdict(line, title, rules, learned) if line else None for line in lines]
    for group in _groups(lines):
        _judge_group(group, lines, found)
    _judge_after_headings(lines, found)
    return found


def _verdict(line: str, title: str, rules: SiteRules, learned: Learned | None) -> Verdict | None:
    judged = Line.of(line)
    if title and judged.folded == title and "title.repeated" not in rules.rules_off:
        return Verdict(RemovedKind.REPEATED_TITLE, "title.repeated")
    if learned and "site.repeated" not in rules.rules_off and fingerprint(line) in learned.fingerprints:
        return Verdict(RemovedKind.SITE_REPEATED, "site.repeated")
    return by_words(judged, rules.rules_off)


def _groups(lines: Sequence[str]) -> Iterator[range]:
    """The runs of lines between blank ones."""
    start = 0
    for place in range(len(lines) + 1):
        if place == len(lines) or not lines[place]:
            if place > start:
                yield range(start, place)
            start = place + 1


def _judge_group(group: range, lines: Sequence[str], found: list[Verdict | None]) -> None:
    """The entries of a list that follow its heading without a blank line."""
    heading: Verdict | None = None
    for place in group:
        verdict = found[place]
        if verdict is not None and verdict.heads_list:
            heading = verdict
        elif heading is not None and verdict is None:
            if _is_entry(lines[place]):
                found[place] = Verdict(heading.kind, heading.rule)
            else:
                heading = None


def _judge_after_headings(lines: Sequence[str], found: list[Verdict | None]) -> None:
    """The entries of a list that blank lines part from its heading and from each other.

    A group of lines goes with the heading if each of them may be an entry; the first other one ends the list.
    """
    heading: Verdict | None = None
    for group in _groups(lines):
        last = found[group[-1]]
        open_lines = [place for place in group if found[place] is None]
        if (
            heading is not None
            and open_lines
            and all(_is_entry(lines[place]) for place in group if found[place] is None)
        ):
            for place in open_lines:
                found[place] = Verdict(heading.kind, heading.rule)
        elif open_lines:
            heading = None
        if last is not None and last.heads_list:
            heading = last


def _is_entry(line: str) -> bool:
    return len(line.split()) <= _ENTRY_WORDS and len(line) <= 200 and not ends_sentence(line)
