"""The article's body among a page's blocks: what belongs to it, in order, and what was taken out and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Final

from lxml.html import HtmlElement

from extraction import escaped, shortcodes
from extraction.area import find_area, inside
from extraction.blockmodel import probability
from extraction.blocks import Frame, RawBlock, is_prose, segment
from extraction.boilerplate import Line, Verdict
from extraction.engine import opinion
from extraction.features import FEATURES, HEADINGS, Candidate, Surroundings
from extraction.keeping import is_text, kept_of
from extraction.learned import Learned, recurring
from extraction.liveposts import posts
from extraction.marks import mark
from extraction.page import ParsedPage
from extraction.records import Block, BlockKind, Metadata, Removed, RemovedKind
from extraction.rules import SiteRules
from extraction.text import fold
from extraction.verdicts import judge

#: Removed blocks kept for explaining, and characters of each.
MAX_REMOVED: Final = 500
MAX_REMOVED_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Body:
    """The blocks of the article and those taken out of it."""

    blocks: tuple[Block, ...]
    removed: tuple[Removed, ...]
    area: HtmlElement | None = None  # the element of the page that holds the article


#: Blocks before the area that may still be the article's: its lead stands under the headline, often outside.
_LEAD_ZONE: Final = 25


def read_body(page: ParsedPage, metadata: Metadata, rules: SiteRules, learned: Learned | None = None) -> Body:
    """The body of the page's article; no blocks where there is none."""
    body = _read(page, metadata, rules, navigation=False)
    if not body.blocks:
        body = _read(page, metadata, rules, navigation=True)
    return _without_recurring(body, learned) if "site.repeated" not in rules.rules_off else body


def _without_recurring(body: Body, learned: Learned | None) -> Body:
    """The body without the lines that were learned to recur on the site."""
    gone = recurring(body.blocks, learned)
    if not gone:
        return body
    taken = [
        Removed(kind=RemovedKind.SITE_REPEATED, rule="site.repeated", text=block.text, position=block.position)
        for block in body.blocks
        if block.position in gone
    ]
    removed = sorted((*body.removed, *taken), key=lambda r: r.position)
    return Body(tuple(block for block in body.blocks if block.position not in gone), tuple(removed), body.area)


def _read(page: ParsedPage, metadata: Metadata, rules: SiteRules, *, navigation: bool) -> Body:
    around, area = candidates(page, metadata, rules, navigation=navigation)
    _score(around, area, metadata, rules)
    kept = kept_of(around) or [c for c in around if navigation and is_text(c)]
    blocks = _live_blocks(kept, metadata) if metadata.article_type == "LiveBlogPosting" else _blocks(kept)
    return Body(tuple(blocks), tuple(_removed(around, kept)), area.element)


def _score(around: Sequence[Candidate], area: Frame, metadata: Metadata, rules: SiteRules) -> None:
    """Ask the block model for each candidate on which no rule decided; where it is off, the engine decides."""
    if "model.block" in rules.rules_off:
        for candidate in around:
            candidate.score = float(candidate.engine)
        return
    surroundings = Surroundings(around, area, metadata)
    for place, candidate in enumerate(around):
        if candidate.verdict is None or not candidate.verdict.certain:
            row = surroundings.row(place)
            candidate.style_share, candidate.prose_before, candidate.from_h1 = row[_STYLE], row[_BEFORE], row[_FROM_H1]
            candidate.score = probability(row)


_STYLE, _BEFORE, _FROM_H1 = map(FEATURES.index, ("style_prose", "prose_before", "from_h1"))


def _removed(around: Sequence[Candidate], kept: Sequence[Candidate]) -> Iterable[Removed]:
    """What was taken out, with kind and rule, at most MAX_REMOVED blocks."""
    positions = {c.raw.position for c in kept}
    gone = (one for c in around for one in _taken(c, kept=c.raw.position in positions))
    for kind, rule, text, position in islice(gone, MAX_REMOVED):
        yield Removed(kind=kind, rule=rule, text=text[:MAX_REMOVED_CHARS], position=position)


def _taken(candidate: Candidate, *, kept: bool) -> Iterable[tuple[RemovedKind, str, str, int]]:
    """What was taken out of a block: all of it, or what stands in it and is none of its words."""
    raw = candidate.raw
    if kept:
        for rule, inset in raw.insets:
            yield RemovedKind.ESCAPED_MARKUP if rule == _SHORTCODE else RemovedKind.NOTE, rule, inset, raw.position
        for element in escaped.parted(raw.text)[1]:
            yield RemovedKind.ESCAPED_MARKUP, "markup.escaped", element, raw.position
    else:
        verdict = candidate.verdict or Verdict(_kind_of(candidate), "model.block")
        yield verdict.kind, verdict.rule, raw.text, raw.position


#: Kinds in the order in which names around a block are believed, for a block that the model alone removed.
_KIND_OF_MARK: Final = (
    ("caption", RemovedKind.CAPTION), ("credit", RemovedKind.CREDIT), ("newsletter", RemovedKind.NEWSLETTER),
    ("comments", RemovedKind.COMMENTS),
    ("share", RemovedKind.SHARE), ("cookie", RemovedKind.COOKIE), ("related", RemovedKind.RELATED), ("timestamp",
    RemovedKind.TIMESTAMP),
    ("byline", RemovedKind.BYLINE), ("tag", RemovedKind.TAG), ("paywall", RemovedKind.PAYWALL), ("advertising",
    RemovedKind.AD_LABEL),
    ("teaser", RemovedKind.RELATED), ("media", RemovedKind.CAPTION), ("navigation", RemovedKind.NAVIGATION),
)  # fmt: skip


def _kind_of(candidate: Candidate) -> RemovedKind:
    for marks in (candidate.own, candidate.above):
        for name, kind in _KIND_OF_MARK:
            if marks & mark(name):
                return kind
    if candidate.raw.frame.noise:
        return RemovedKind.NAVIGATION
    return RemovedKind.RELATED if candidate.raw.link_share > 0.6 else RemovedKind.OTHER


def candidates(
    page: ParsedPage, metadata: Metadata, rules: SiteRules, *, navigation: bool = False
) -> tuple[list[Candidate], Frame]:
    """The blocks that can be the article's, with what engine and rules say of them, and the area they stand in."""
    root = page.tree.find("body")
    raw = segment(root if root is not None else page.tree, navigation=navigation, off=rules.rules_off)
    if not raw:
        return [], Frame(None, "body", None, 0)
    area = find_area(raw)
    engine = _Opinion(opinion(area.element) if area.element is not None else None)
    around = [_candidate(block, area, engine, rules) for block in _zone(raw, area)]
    judge(around, area, metadata, rules)
    return around, area


_SHORTCODE: Final = "markup.shortcode"


def _candidate(raw: RawBlock, area: Frame, engine: "_Opinion", rules: SiteRules) -> Candidate:
    if shortcodes.has_shortcode(raw.text) and raw.tag != "pre" and _SHORTCODE not in rules.rules_off:
        own, taken = shortcodes.parted(raw.text)
        if own and taken:
            raw.text, raw.insets = own, (*raw.insets, *((_SHORTCODE, text) for text in taken))
    line = Line.of(raw.text, raw.link_share, heading=raw.tag in HEADINGS)
    engine_keeps = engine.keeps(fold(raw.whole) if raw.insets else line.folded)
    return Candidate(raw, line, area, engine=engine_keeps)


def _zone(raw: Sequence[RawBlock], area: Frame) -> list[RawBlock]:
    """The area's blocks, and those before it from the last headline on."""
    held = [block for block in raw if inside(block.frame, area)]
    start = held[0].position
    h1 = max((block.position for block in raw[:start] if block.tag == "h1"), default=start - _LEAD_ZONE)
    return [*raw[max(0, min(h1, start), start - 3 * _LEAD_ZONE) : start], *held]


class _Opinion:
    """What the engine keeps, asked block by block."""

    def __init__(self, texts: list[str] | None) -> None:
        self._texts = frozenset(texts or ())
        self._all = "\n".join(texts or ())
        self.given = texts is not None

    def keeps(self, folded: str) -> bool:
        return folded in self._texts or (len(folded) > 40 and folded in self._all)


_KINDS: Final = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"), BlockKind.SUBHEAD),
    "blockquote": BlockKind.QUOTE,
    "li": BlockKind.LIST_ITEM,
    "dd": BlockKind.LIST_ITEM,
    "tr": BlockKind.TABLE,
    "pre": BlockKind.CODE,
}


def _blocks(kept: Sequence[Candidate]) -> Iterable[Block]:
    """The kept blocks as records; the rows of one table are one block, a line each."""
    for table, group in groupby(kept, key=_table_of):
        if table is None:
            yield from map(_block, group)
        else:
            rows = list(group)
            text = "\n".join(row.raw.text for row in rows)
            yield Block(kind=BlockKind.TABLE, text=text, position=rows[0].raw.position)


def _live_blocks(kept: Sequence[Candidate], metadata: Metadata) -> Iterable[Block]:
    """The kept blocks of a live blog: all blocks of one post are one, with the post's time."""
    found = posts([c.raw.frame for c in kept], metadata.in_language)
    for _, group in groupby(zip(kept, found, strict=True), key=lambda pair: id(pair[1][0]) if pair[1] else 0):
        pairs = list(group)
        inside, post = [candidate for candidate, _ in pairs], pairs[0][1]
        if post is None:
            yield from _blocks(inside)
        else:
            text = "\n".join(escaped.unescaped(candidate.raw.text) for candidate in inside)
            yield Block(kind=BlockKind.LIVE_POST, text=text, position=inside[0].raw.position, time=post[1])


def _table_of(candidate: Candidate) -> int | None:
    """What tells the rows of one table from those of another, None for what is no row of data.

    A row with one cell and sentences in it is layout.
    """
    if candidate.raw.tag != "tr" or _is_layout(candidate.raw):
        return None
    frame: Frame | None = candidate.raw.frame
    while frame is not None and frame.tag != "table":
        frame = frame.parent
    return id(frame)


def _is_layout(raw: RawBlock) -> bool:
    return " | " not in raw.text and is_prose(raw)


def _block(candidate: Candidate) -> Block:
    raw = candidate.raw
    kind = BlockKind.PARAGRAPH if _is_layout(raw) and raw.tag == "tr" else _KINDS.get(raw.tag, BlockKind.PARAGRAPH)
    if kind is BlockKind.PARAGRAPH and "blockquote" in raw.frame.tags:
        kind = BlockKind.QUOTE
    elif kind is BlockKind.PARAGRAPH and "li" in raw.frame.tags:
        kind = BlockKind.LIST_ITEM
    level = int(raw.tag[1]) if raw.tag in HEADINGS else 1 if kind is BlockKind.LIST_ITEM else 0
    return Block(kind=kind, text=escaped.unescaped(raw.text), position=raw.position, level=level)
