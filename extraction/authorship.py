"""Lines that say who wrote the article and when: over it, beside its headline, and after its last paragraph."""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import islice, pairwise
from typing import Final

from extraction.blocks import Frame
from extraction.boilerplate import Verdict
from extraction.calls import has_quotes, speaks_of_author
from extraction.features import HEADINGS, Candidate, frame_style
from extraction.marks import mark
from extraction.records import RemovedKind
from extraction.rules import SiteRules
from extraction.stamps import has_time, is_stamp
from extraction.text import ends_sentence, fold

#: Longest line of names, dates and sections over an article, words; longer ones may be a lead without a full stop.
_HEAD_WORDS: Final = 8


def judge_head(candidates: Sequence[Candidate], rules: SiteRules) -> None:
    """Short lines around the headline that are no sentence: section, names, roles, dates, whatever they say."""
    if "byline.head" in rules.rules_off:
        return
    h1 = next((place for place, c in enumerate(candidates) if c.raw.tag == "h1"), None)
    if h1 is None:
        return
    prose = [place for place, c in enumerate(candidates) if c.prose and not _is_dated(c)]
    first = next((place for place in prose if place > h1), h1)
    start = next((place + 1 for place in reversed(prose) if place < h1), 0)
    second = next((place for place in prose if place > first), first)
    # Line breaks part the paragraphs of some bodies: then the element that holds each is the body.
    broken = candidates[second].raw.frame.blocks > 1
    home = candidates[second].raw.frame if broken else candidates[second].raw.frame.parent
    box = candidates[h1].raw.frame.parent
    around = [place for place in range(start, second) if place != h1 and candidates[place].verdict is None]
    dated = [place for place in around if _is_dated(candidates[place])]
    for place in dated:
        candidates[place].verdict = Verdict(RemovedKind.TIMESTAMP, "byline.head")
    for place in sorted(set(around) - set(dated)):
        candidate = candidates[place]
        frame, beside = candidate.raw.frame, _is_beside_stamp(candidates, place)
        if place > h1 and (frame if broken else frame.parent) is home and frame is not box and not beside:
            continue  # amid the paragraphs already
        if place != first and _is_head_line(candidate, above=place < h1, listed=beside):
            kind = RemovedKind.TAG if place < h1 else RemovedKind.BYLINE
            stamp = is_stamp(candidate.raw.text, candidate.line.folded)
            candidate.verdict = Verdict(RemovedKind.TIMESTAMP if stamp else kind, "byline.head")


#: Longest line of names and dates in one, words.
_DATED_WORDS: Final = 16


def _is_dated(candidate: Candidate) -> bool:
    """Whether a line names a day and a time of day and is no sentence."""
    text = candidate.raw.text
    return (
        candidate.line.words <= _DATED_WORDS
        and has_time(text)
        and (text.endswith("m.") or not text.endswith((".", "。")))
    )


def _is_beside_stamp(candidates: Sequence[Candidate], place: int) -> bool:
    """Whether the line before or after one of no sentence says when it was published: in its style, or in its box.

    Lines of mere signs between them ("·") count for nothing.
    """
    own = candidates[place]
    if own.prose:
        return False
    before = next((c for c in reversed(candidates[:place]) if c.line.folded), None)
    after = next((c for c in candidates[place + 1 :] if c.line.folded), None)
    return any(
        other.verdict is not None
        and other.verdict.certain
        and other.verdict.kind is RemovedKind.TIMESTAMP
        and (frame_style(other.raw.frame) == frame_style(own.raw.frame) or _share_box(other.raw.frame, own.raw.frame))
        for other in (before, after)
        if other is not None
    )


def _share_box(one: Frame, other: Frame) -> bool:
    """Whether two lines stand in an element that holds little else, and no running text."""
    around = {id(frame) for frame in islice(one.path(), _BOX_DEPTH)}
    box = next((frame for frame in islice(other.path(), _BOX_DEPTH) if id(frame) in around), None)
    return box is not None and not box.prose and box.blocks <= _HEAD_BLOCKS


#: Elements up to the box that two lines share, and texts in it, at most.
_BOX_DEPTH: Final = 3
_HEAD_BLOCKS: Final = 4


def _is_head_line(candidate: Candidate, *, above: bool, listed: bool) -> bool:
    raw = candidate.raw
    if raw.tag in ("tr", "pre") or "blockquote" in raw.frame.tags:
        return False
    if not listed and (raw.tag == "li" or candidate.own & mark("lead")):
        return False
    if raw.tag in HEADINGS and not (listed and raw.tag in _SMALL_HEADINGS):
        return above and candidate.line.words <= _HEAD_WORDS
    return candidate.line.words <= _HEAD_WORDS and not ends_sentence(raw.text)


#: Headings that templates take for what is small rather than for what heads something.
_SMALL_HEADINGS: Final = ("h5", "h6")


#: Longest line on who wrote the article, and how soon the name comes in it, words.
_BIO_WORDS, _NAME_PLACE = 40, 7


def judge_bios(candidates: Sequence[Candidate], authors: Sequence[str], rules: SiteRules) -> None:
    """Lines after the article that speak of its author by name: who is meant, the metadata or the byline says."""
    if "byline.bio" in rules.rules_off:
        return
    sure = _usable({fold(name) for name in authors})
    names = set(sure)
    for candidate in candidates:
        verdict = candidate.verdict
        if verdict is None or not verdict.certain:
            continue
        if verdict.kind is RemovedKind.BYLINE or (verdict.kind, verdict.rule) == (RemovedKind.TIMESTAMP, "byline.head"):
            named = _usable(_names_in(candidate.raw.text))
            names |= named
            # A short line by the headline may name whom the article is about; one with a date names who wrote it.
            sure |= named if verdict.rule != "byline.head" or verdict.kind is RemovedKind.TIMESTAMP else set()
    prose = [place for place, c in enumerate(candidates) if c.prose and c.engine]
    last = prose[-_LAST_LINES] if len(prose) > 2 * _LAST_LINES else len(candidates)
    for place in range(prose[len(prose) // 2] if prose else 0, len(candidates)):
        candidate = candidates[place]
        if candidate.verdict is not None and candidate.verdict.certain:
            continue
        if _speaks_of(candidate, names) or (place >= last and _opens_with(candidate, sure)):
            candidate.verdict = Verdict(RemovedKind.BYLINE, "byline.bio")


def _names_in(text: str) -> set[str]:
    words = [word for word in _WORD.findall(text) if not word[0].islower()][:_NAME_PLACE]
    return {fold(" ".join(pair)) for pair in pairwise(words)} | {word for word in words if not word.isascii()}


def _usable(names: AbstractSet[str]) -> set[str]:
    return {name for name in names if " " in name or _UNSPACED_NAME.fullmatch(name)}


#: Lines of running text at an article's end, of which one that opens with its author's name is about its author.
_LAST_LINES: Final = 2


def _speaks_of(candidate: Candidate, names: AbstractSet[str]) -> bool:
    """Whether a line says what one of `names` does, or where to reach them."""
    return _has_name(candidate, names, _NAME_PLACE) and (
        "@" in candidate.raw.text or speaks_of_author(candidate.line.folded)
    )


def _opens_with(candidate: Candidate, names: AbstractSet[str]) -> bool:
    """Whether a line begins with one of `names` and quotes nobody."""
    return _has_name(candidate, names, _OPENING_WORDS) and not has_quotes(candidate.raw.text)


def _has_name(candidate: Candidate, names: AbstractSet[str], within: int) -> bool:
    line = candidate.line
    if line.words > _BIO_WORDS or line.heading:
        return False
    start = " ".join(line.folded.split()[:within])
    return any(name in start for name in names)


#: Words that a name at the very start of a line stands in, its article or title with it.
_OPENING_WORDS: Final = 4
_WORD: Final = re.compile(r"[^\W\d_]+")
#: A name in a script that does not part words.
_UNSPACED_NAME: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{3,8}")
