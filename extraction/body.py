"""The article's body among a page's blocks: what belongs to it, in order, and what was taken out and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lxml.etree import _Element

from extraction.blocks import Frame, RawBlock, is_prose, mark, segment
from extraction.boilerplate import Line, Verdict, by_words
from extraction.engine import opinion
from extraction.page import ParsedPage
from extraction.records import Block, BlockKind, Metadata, Removed, RemovedKind
from extraction.rules import SiteRules
from extraction.text import fold

#: Elements that hold no part of an article, unless most of the page's prose is in them.
_NOISE_TAGS: Final = frozenset(("nav", "footer", "aside", "form", "dialog", "address"))
_NOISE_MARKS: Final = ("comments", "related", "newsletter", "cookie", "navigation", "share", "advertising")
#: A container with more than this share of the page's prose is a wrapper, whatever it is called.
_WRAPPER_SHARE: Final = 0.4
#: The article's area is the innermost element that holds this share of the prose.
_AREA_SHARE: Final = 0.8
#: Removed blocks kept for explaining, and characters of each.
MAX_REMOVED: Final = 500
MAX_REMOVED_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Body:
    """The blocks of the article and those taken out of it."""

    blocks: tuple[Block, ...]
    removed: tuple[Removed, ...]


class Candidate:
    """A block with all that speaks for and against it."""

    __slots__ = ("engine", "folded", "in_area", "line", "raw", "verdict")

    def __init__(self, raw: RawBlock, area: Frame, engine: "_Opinion") -> None:
        self.raw = raw
        self.line = Line.of(raw.text, raw.link_share, heading=raw.tag in _HEADINGS)
        self.folded = self.line.folded
        self.in_area = _inside(raw.frame, area)
        self.engine = engine.keeps(self.folded)
        self.verdict: Verdict | None = None


_HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


def read_body(page: ParsedPage, metadata: Metadata, rules: SiteRules) -> Body:
    """The body of the page's article; no blocks where there is none."""
    root = page.tree.find("body")
    raw = segment(root if root is not None else page.tree)
    if not raw:
        return Body((), ())
    area = find_area(raw)
    engine = _Opinion(opinion(area.element) if area.element is not None else None)
    candidates = [Candidate(block, area, engine) for block in raw]
    title = fold(metadata.headline or "")
    for candidate in candidates:
        candidate.verdict = _judge(candidate, title, rules)
    _judge_lists(candidates)
    kept = [c for c in candidates if c.verdict is None and c.in_area and (c.engine or is_prose(c.raw))]
    if not kept:
        return Body((), ())
    first, last = kept[0].raw.position, kept[-1].raw.position
    kept_positions = {c.raw.position for c in kept}
    removed = [
        Removed(
            kind=c.verdict.kind if c.verdict else RemovedKind.OTHER,
            rule=c.verdict.rule if c.verdict else "page.furniture",
            text=c.raw.text[:MAX_REMOVED_CHARS],
            position=c.raw.position,
        )
        for c in candidates
        if c.raw.position not in kept_positions and (c.engine or first <= c.raw.position <= last or c.in_area)
    ]
    return Body(tuple(_blocks(kept)), tuple(removed[:MAX_REMOVED]))


def find_area(blocks: Sequence[RawBlock]) -> Frame:
    """The innermost frame around most of the page's running text; marks what is noise on the way."""
    root = blocks[0].frame
    while root.parent is not None:
        root = root.parent
    children: dict[int, list[Frame]] = {}
    seen: set[int] = set()
    noise_marks = sum(mark(name) for name in _NOISE_MARKS)
    for frame in _frames(blocks, seen):
        if frame.parent is not None:
            children.setdefault(id(frame.parent), []).append(frame)
            named = frame.tag in _NOISE_TAGS or frame.own & noise_marks
            frame.noise = frame.parent.noise or bool(named and frame.prose < _WRAPPER_SHARE * root.prose)
    for block in blocks:
        if not block.frame.noise and is_prose(block):
            frame_: Frame | None = block.frame
            while frame_ is not None:
                frame_.clean += len(block.text)
                frame_ = frame_.parent
    area = root
    while inner := next((f for f in children.get(id(area), ()) if f.clean >= _AREA_SHARE * root.clean > 0), None):
        area = inner
    return area


def _frames(blocks: Sequence[RawBlock], seen: set[int]) -> Iterable[Frame]:
    """All frames around the blocks, outer ones first."""
    for block in blocks:
        path = []
        frame: Frame | None = block.frame
        while frame is not None and id(frame) not in seen:
            seen.add(id(frame))
            path.append(frame)
            frame = frame.parent
        yield from reversed(path)


def _inside(frame: Frame | None, area: Frame) -> bool:
    while frame is not None:
        if frame is area:
            return True
        frame = frame.parent
    return False


class _Opinion:
    """What the engine keeps, asked block by block."""

    def __init__(self, texts: list[str] | None) -> None:
        self._texts = frozenset(texts or ())
        self._all = "\n".join(texts or ())
        self.given = texts is not None

    def keeps(self, folded: str) -> bool:
        return folded in self._texts or (len(folded) > 40 and folded in self._all)


def _judge(candidate: Candidate, title: str, rules: SiteRules) -> Verdict | None:
    raw, off = candidate.raw, rules.rules_off
    if verdict := by_words(candidate.line, off):
        return verdict
    if title and candidate.folded == title and "title.repeated" not in off:
        return Verdict(RemovedKind.REPEATED_TITLE, "title.repeated")
    if raw.frame.noise and "navigation.element" not in off:
        return Verdict(RemovedKind.NAVIGATION, "navigation.element")
    if "figcaption" in raw.frame.tags and "caption.figure" not in off:
        return Verdict(RemovedKind.CAPTION, "caption.figure")
    if raw.link_share > 0.9 and raw.tag != "p" and "related.link_list" not in off:
        return Verdict(RemovedKind.RELATED, "related.link_list")
    return None


def _judge_lists(candidates: Sequence[Candidate]) -> None:
    """The links under a heading such as "Newer articles" go with it."""
    heading: Verdict | None = None
    for candidate in candidates:
        if candidate.verdict is not None and candidate.verdict.heads_list:
            heading = candidate.verdict
        elif heading is not None:
            raw = candidate.raw
            if (
                candidate.verdict is None
                and (raw.tag == "li" or raw.link_share > 0.6)
                and not (is_prose(raw) and raw.link_share < 0.3)
            ):
                candidate.verdict = Verdict(heading.kind, heading.rule)
            elif candidate.verdict is None:
                heading = None


_KINDS: Final = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"), BlockKind.SUBHEAD),
    "blockquote": BlockKind.QUOTE,
    "li": BlockKind.LIST_ITEM,
    "dd": BlockKind.LIST_ITEM,
    "tr": BlockKind.TABLE,
    "pre": BlockKind.CODE,
}


def _blocks(kept: Sequence[Candidate]) -> Iterable[Block]:
    for candidate in kept:
        raw = candidate.raw
        kind = _KINDS.get(raw.tag, BlockKind.PARAGRAPH)
        if kind is BlockKind.PARAGRAPH and "blockquote" in raw.frame.tags:
            kind = BlockKind.QUOTE
        elif kind is BlockKind.PARAGRAPH and "li" in raw.frame.tags:
            kind = BlockKind.LIST_ITEM
        level = int(raw.tag[1]) if raw.tag in _HEADINGS else 1 if kind is BlockKind.LIST_ITEM else 0
        yield Block(kind=kind, text=raw.text, position=raw.position, level=level)
