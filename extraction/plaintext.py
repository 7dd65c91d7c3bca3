"""Texts that somebody else extracted already: the rules on words clean them line by line."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from extraction import escaped, shortcodes
from extraction.boilerplate import Line, Verdict, by_words, is_headline, is_question
from extraction.learned import Learned, fingerprint
from extraction.records import Removed, RemovedKind
from extraction.rules import NO_CHANGES, SiteRules
from extraction.text import fold, tidy, word_count

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
    lines, inside = _lines(text, rules)
    verdicts = _verdicts(lines, fold(title or ""), rules, learned)
    removed = tuple(
        Removed(kind=kind, rule=rule, text=gone, position=place)
        for place, (line, verdict) in enumerate(zip(lines, verdicts, strict=True))
        for kind, rule, gone in (*inside.get(place, ()), *_taken(line, verdict, rules))
    )
    plain = escaped.unescaped if _ESCAPED not in rules.rules_off else str
    kept = ["" if verdict is not None else plain(line) for line, verdict in zip(lines, verdicts, strict=True)]
    return Cleaned(_joined(kept, verdicts), removed)


_ESCAPED, _SHORTCODE = "markup.escaped", "markup.shortcode"
_Taken = tuple[RemovedKind, str, str]


def _lines(text: str, rules: SiteRules) -> tuple[list[str], dict[int, list[_Taken]]]:
    """The text's lines, and by line the shortcodes that were taken out of its words."""
    lines = [tidy(line) for line in _unwrapped(text).splitlines()]
    taken: dict[int, list[_Taken]] = {}
    for place, line in enumerate(lines if _SHORTCODE not in rules.rules_off else ()):
        own, found = shortcodes.parted(line)
        if own and found:
            lines[place] = own
            taken[place] = [(RemovedKind.ESCAPED_MARKUP, _SHORTCODE, code) for code in found]
    return lines, taken


#: A text is markup as a whole where so many elements hold this share of its words: then they are the article.
_WRAPPED_ELEMENTS: Final = 3
_WRAPPED_SHARE: Final = 0.5


def _unwrapped(text: str) -> str:
    """The text with each of its escaped elements on one line, or without tags where it is markup as a whole."""
    joined = escaped.on_one_line(text)
    found = [element for line in joined.splitlines() for element in escaped.elements(line)]
    inside = sum(word_count(element) for element in found)
    if len(found) >= _WRAPPED_ELEMENTS and inside >= _WRAPPED_SHARE * word_count(tidy(joined)):
        return escaped.broken_at_tags(joined)
    return joined


def _taken(line: str, verdict: Verdict | None, rules: SiteRules) -> Iterator[_Taken]:
    """What is taken out of a line: all of it, or the elements that stand in it as text."""
    if verdict is not None:
        yield verdict.kind, verdict.rule, line
    elif _ESCAPED not in rules.rules_off:
        yield from ((RemovedKind.ESCAPED_MARKUP, _ESCAPED, element) for element in escaped.parted(line)[1])


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

    A group of lines goes with the heading if each of them may be an entry; the first other one ends the list. A
    question right before it is no entry, but what an interviewer asks.
    """
    heading: Verdict | None = None
    entries: list[int] = []
    for group in _groups(lines):
        last = found[group[-1]]
        open_lines = [place for place in group if found[place] is None]
        if heading is not None and open_lines and all(_is_entry(lines[place]) for place in open_lines):
            entries += open_lines
            for place in open_lines:
                found[place] = Verdict(heading.kind, heading.rule)
        elif open_lines:
            while entries and is_question(lines[entries[-1]]) and not _MARKER.match(lines[entries[-1]]):
                found[entries.pop()] = None
            heading = None
        if last is not None and last.heads_list:
            heading, entries = last, []


#: What marks a line as a list's entry: a bullet, a number, or a link in Markdown and nothing else.
_MARKER: Final = re.compile(r"(?:[-*•·‣▪►»→]|\d{1,2}[.)])\s+\S|\[[^\]]+\]\([^)]+\)$")


def _is_entry(line: str) -> bool:
    short = len(line.split()) <= _ENTRY_WORDS and len(line) <= 200
    return short and (is_headline(line) or _MARKER.match(line) is not None)
