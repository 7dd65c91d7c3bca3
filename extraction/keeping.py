"""Which blocks are the article's: the model's word, and the cases in which it may not take anything away."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from extraction.blocks import Frame, RawBlock
from extraction.boilerplate import Verdict
from extraction.features import Candidate, frame_style
from extraction.marks import mark
from extraction.records import RemovedKind
from extraction.text import ends_sentence

#: The block model's probability from where on a block belongs to the body.
_THRESHOLD: Final = 0.55


def _belongs(candidate: Candidate) -> bool:
    """Whether a block is the article's: the model's word, and the cases in which it may not take anything away."""
    if (candidate.verdict is not None and candidate.verdict.certain) or _is_data(candidate):
        return False
    if candidate.score >= _THRESHOLD or candidate.verdict is not None:
        return candidate.score >= _THRESHOLD
    return _is_safe(candidate) if candidate.in_area else candidate.score >= _LIKELY and _is_lead(candidate)


def _is_safe(candidate: Candidate) -> bool:
    """Whether a block is plainly a piece of an article, in which nothing speaks against it but the model.

    So no paragraph, entry, quote or lead is lost to a wrong guess. Cross-validated on the benchmark, all of them
    together change F1 by A -.002, B +.000, D -.001; on the planted pages they are what keeps every line.
    """
    return (
        _is_plain_paragraph(candidate)
        or _is_long(candidate)
        or (
            candidate.raw.link_share < 0.3
            and not candidate.own & _furniture()
            and (_is_entry_of_body(candidate) or _is_quote(candidate))
        )
        or _is_lead(candidate)
        or _is_table_row(candidate)
    )


#: A paragraph in the style of this share of the page's prose is kept without the engine's word, unless the model is
#: sure against it. Cross-validated: F1 A +.0001, B +.0008, D -.0009, and bodies in several containers stay whole.
_MAIN_STYLE: Final = 0.6
_SURELY_NOT: Final = 0.1
#: A lead often stands outside of the area; there it needs some of the model's belief.
_LIKELY: Final = 0.25


def _is_plain_paragraph(candidate: Candidate) -> bool:
    """A whole sentence or more in a `<p>` of its own."""
    raw = candidate.raw
    return (
        raw.tag == "p"
        and candidate.prose
        and (
            candidate.engine
            or (candidate.style_share >= _MAIN_STYLE and candidate.score >= _SURELY_NOT and not _is_covered(candidate))
        )
        and raw.link_share < 0.3
        and ends_sentence(raw.text)
        and not candidate.own & _captions()
    )


def _is_covered(candidate: Candidate) -> bool:
    """Whether a block stands in what is no part of the article, or in a window over the page."""
    return candidate.raw.frame.noise or bool((candidate.own | candidate.above) & mark("hidden"))


#: Characters from where on a block is no furniture, whatever the model says: it never saw the like.
_LONG: Final = 10_000


def _is_long(candidate: Candidate) -> bool:
    raw = candidate.raw
    return len(raw.text) >= _LONG and raw.link_share < 0.3 and not candidate.own & _furniture()


def _is_data(candidate: Candidate) -> bool:
    """Whether a long block is not in words: a megabyte of base64, which no model has seen."""
    size = len(candidate.raw.text)
    return size >= _LONG and candidate.line.words * 50 <= size


def _is_entry_of_body(candidate: Candidate) -> bool:
    """An entry of a list that stands amid the prose, which the engine keeps."""
    return candidate.raw.tag == "li" and candidate.engine and _EDGE < candidate.prose_before < 1.0 - _EDGE


def _is_quote(candidate: Candidate) -> bool:
    return "blockquote" in candidate.raw.frame.tags and candidate.engine and candidate.prose


#: Shortest lead that the template names so, and shortest of any other paragraph under the headline, words.
_NAMED_LEAD: Final = 4
_LEAD_WORDS: Final = 6


def _is_lead(candidate: Candidate) -> bool:
    """A whole sentence between headline and first paragraph, in a `<p>` or in what the template calls a lead."""
    if not (0 < candidate.from_h1 < 8 and candidate.prose_before < _EDGE and candidate.raw.link_share < 0.3):
        return False
    teaser = mark("teaser")  # of the article itself, if it stands under its headline
    if candidate.raw.own & _furniture() & ~teaser:
        return False
    named = candidate.own & (mark("lead") | teaser) and candidate.line.words >= _NAMED_LEAD
    return bool(named) or (
        candidate.raw.tag == "p" and candidate.line.words >= _LEAD_WORDS and ends_sentence(candidate.raw.text)
    )


def _is_table_row(candidate: Candidate) -> bool:
    """A row of data that the engine keeps. Tables are blocks of the article, though not of its running text."""
    raw = candidate.raw
    return raw.tag == "tr" and candidate.engine and " | " in raw.text and raw.link_share < 0.5


def kept_of(around: Sequence[Candidate]) -> list[Candidate]:
    """The blocks that belong, the plain lists and quotes between two of them, and the rest of every list begun."""
    belongs = [_belongs(c) for c in around]
    following = iter([*(c for c, yes in zip(around, belongs, strict=True) if yes), None])
    before, after = None, next(following)
    lists = set()
    for place, candidate in enumerate(around):
        if belongs[place]:
            before, after = candidate, next(following)
        elif before and after:
            belongs[place] = _is_insert(candidate, _home(before.raw), _home(after.raw))
        if belongs[place] and (entries := _list_of(candidate.raw)):
            lists.add(entries)
    found = [
        c for c, yes in zip(around, belongs, strict=True) if yes or (_list_of(c.raw) in lists and _is_plain_entry(c))
    ]
    return _without_headed_tail(found)


#: Words of a block that is text although it has no sentence: a transcript, a poem, a page without punctuation.
_TEXT_WORDS: Final = 60


def is_text(candidate: Candidate) -> bool:
    """Whether a block is an article's where nothing else on the page is: long, no links, and no rule against it."""
    raw = candidate.raw
    return (
        candidate.verdict is None
        and candidate.line.words >= _TEXT_WORDS
        and raw.link_share < 0.3
        and not (candidate.own | candidate.above) & _furniture()
    )


def _home(raw: RawBlock) -> Frame | None:
    """The container in which a block stands, be it a paragraph of its own or one of a quote or a list.

    Elements around nothing else are not counted: a page builder puts each paragraph and each list into some.
    """
    group = raw.frame
    while group.parent is not None and group.parent.tag in ("blockquote", "ul", "ol", "li"):
        group = group.parent
    home = group.parent
    while home is not None and home.parent is not None and home.blocks == group.blocks:
        home = home.parent
    return home


def _without_headed_tail(kept: list[Candidate]) -> list[Candidate]:
    """The blocks without a last heading under which no sentence stands: it heads what was taken out.

    Several such headings are an article that is told in headings.
    """
    headings = []
    for place in range(len(kept) - 1, -1, -1):
        if kept[place].line.heading:
            headings.append(place)
        elif not _is_headline(kept[place]):
            break
    if len(headings) != 1:
        return kept
    for candidate in kept[headings[0] :]:
        candidate.verdict = Verdict(RemovedKind.RELATED, "related.tail")
    return kept[: headings[0]]


def _is_headline(candidate: Candidate) -> bool:
    """Whether a block reads as a headline: short, no sentence, in no list, quote or table."""
    raw = candidate.raw
    plain = raw.tag not in ("li", "tr", "pre", "dd") and "blockquote" not in raw.frame.tags
    return plain and candidate.line.words <= 15 and not ends_sentence(raw.text)


def _is_plain_entry(candidate: Candidate) -> bool:
    raw = candidate.raw
    return candidate.verdict is None and raw.link_share < 0.3 and not candidate.own & _furniture()


def _list_of(raw: RawBlock) -> Frame | None:
    """The list of which a block is an entry, be its text in a paragraph or not."""
    entry = raw.frame.parent if raw.tag == "p" else raw.frame
    return entry.parent if entry is not None and entry.tag == "li" else None


_INSERTS: Final = frozenset(("li", "h2", "h3", "h4"))


def _is_insert(candidate: Candidate, before: Frame | None, after: Frame | None) -> bool:
    """An entry, a quote or a subhead without links that stands beside the blocks before and after it."""
    raw, list_ = candidate.raw, candidate.raw.frame.parent
    return (
        (raw.tag in _INSERTS or _list_of(raw) is not None or "blockquote" in raw.frame.tags)
        and candidate.verdict is None
        and raw.link_share < 0.3
        and not candidate.own & _furniture()
        and list_ is not None
        and (
            before in (list_, list_.parent)
            or after in (list_, list_.parent)
            or _home(raw) in (before, after)
            or _is_twin(candidate, before)
        )
    )


def _is_twin(candidate: Candidate, before: Frame | None) -> bool:
    """Whether a list that the model half believes in is all that stands in one of the containers of a split body."""
    if before is None or candidate.score < _LIKELY or candidate.raw.frame.parent is None:
        return False
    homes = (candidate.raw.frame.parent, candidate.raw.frame.parent.parent)
    return any(home is not None and frame_style(home) == frame_style(before) for home in homes)


#: Share of the page's prose before and after which the article's edges begin, where furniture stands.
_EDGE: Final = 0.05


@cache
def _furniture() -> int:
    names = "share tag related teaser navigation byline timestamp newsletter comments media advertising cookie"
    names += " caption credit"
    return sum(map(mark, names.split()))


@cache
def _captions() -> int:
    return mark("caption") | mark("credit")
