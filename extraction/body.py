"""The article's body among a page's blocks: what belongs to it, in order, and what was taken out and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, islice
from typing import Final

from lxml.html import HtmlElement

from extraction import escaped
from extraction.area import find_area, inside
from extraction.blockmodel import probability
from extraction.blocks import SIGN_UP, Frame, RawBlock, is_prose, mark, segment
from extraction.boilerplate import Line, Verdict, by_words, is_headline, is_question
from extraction.engine import opinion
from extraction.features import FEATURES, Candidate, Surroundings, frame_style
from extraction.learned import Learned, recurring
from extraction.liveposts import posts
from extraction.page import ParsedPage
from extraction.records import Block, BlockKind, Metadata, Removed, RemovedKind
from extraction.rules import SiteRules
from extraction.text import ends_sentence, fold, word_count

#: Removed blocks kept for explaining, and characters of each.
MAX_REMOVED: Final = 500
MAX_REMOVED_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Body:
    """The blocks of the article and those taken out of it."""

    blocks: tuple[Block, ...]
    removed: tuple[Removed, ...]
    area: HtmlElement | None = None  # the element of the page that holds the article


_HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


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
    kept = _kept(around) or [c for c in around if navigation and _is_text(c)]
    blocks = _live_blocks(kept, metadata) if metadata.article_type == "LiveBlogPosting" else _blocks(kept)
    return Body(tuple(blocks), tuple(_removed(around, kept)), area.element)


def _score(around: Sequence[Candidate], area: Frame, metadata: Metadata, rules: SiteRules) -> None:
    """Ask the block model for each candidate on which no rule decided; where it is off, the engine decides."""
    if "model.block" in rules.rules_off:
        for candidate in around:
            candidate.score = float(candidate.engine)
        return
    surroundings = Surroundings(around, area, metadata.headline or "", metadata.description or "", metadata.authors)
    for place, candidate in enumerate(around):
        if candidate.verdict is None or not candidate.verdict.certain:
            row = surroundings.row(place)
            candidate.style_share, candidate.prose_before, candidate.from_h1 = row[_STYLE], row[_BEFORE], row[_FROM_H1]
            candidate.score = probability(row)


_STYLE, _BEFORE, _FROM_H1 = map(FEATURES.index, ("style_prose", "prose_before", "from_h1"))
#: The block model's probability from where on a block belongs to the body.
_THRESHOLD: Final = 0.5


def _belongs(candidate: Candidate) -> bool:
    """Whether a block is the article's: the model's word, and the cases in which it may not take anything away."""
    if candidate.verdict is not None and candidate.verdict.certain:
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
            and (_is_entry_of_body(candidate) or _is_quote(candidate) or _is_lead(candidate))
        )
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
        and (candidate.engine or (candidate.style_share >= _MAIN_STYLE and candidate.score >= _SURELY_NOT))
        and raw.link_share < 0.3
        and ends_sentence(raw.text)
        and not candidate.own & _captions()
    )


#: Characters from where on a block is no furniture, whatever the model says: it never saw the like.
_LONG: Final = 10_000


def _is_long(candidate: Candidate) -> bool:
    raw, size = candidate.raw, len(candidate.raw.text)
    in_words = candidate.line.words * 50 > size  # and no megabyte of base64
    return size >= _LONG and in_words and raw.link_share < 0.3 and not candidate.own & _furniture()


def _is_entry_of_body(candidate: Candidate) -> bool:
    """An entry of a list that stands amid the prose, which the engine keeps."""
    return candidate.raw.tag == "li" and candidate.engine and _EDGE < candidate.prose_before < 1.0 - _EDGE


def _is_quote(candidate: Candidate) -> bool:
    return "blockquote" in candidate.raw.frame.tags and candidate.engine and candidate.prose


def _is_lead(candidate: Candidate) -> bool:
    """A whole sentence between headline and first paragraph, in a `<p>` or in what the template calls a lead."""
    if not (0 < candidate.from_h1 < 8 and candidate.prose_before < _EDGE):
        return False
    named = candidate.own & mark("lead") and candidate.line.words > 5
    return bool(named) or (candidate.raw.tag == "p" and candidate.line.words >= 6 and ends_sentence(candidate.raw.text))


def _is_table_row(candidate: Candidate) -> bool:
    """A row of data that the engine keeps. Tables are blocks of the article, though not of its running text."""
    raw = candidate.raw
    return raw.tag == "tr" and candidate.engine and " | " in raw.text and raw.link_share < 0.5


def _kept(around: Sequence[Candidate]) -> list[Candidate]:
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
        if belongs[place] and candidate.raw.tag == "li":
            lists.add(candidate.raw.frame.parent)
    found = [
        c for c, yes in zip(around, belongs, strict=True) if yes or (c.raw.frame.parent in lists and _is_plain_entry(c))
    ]
    return _without_headed_tail(found)


#: Words of a block that is text although it has no sentence: a transcript, a poem, a page without punctuation.
_TEXT_WORDS: Final = 60


def _is_text(candidate: Candidate) -> bool:
    """Whether a block is an article's where nothing else on the page is: long, no links, and no rule against it."""
    raw = candidate.raw
    return (
        candidate.verdict is None
        and candidate.line.words >= _TEXT_WORDS
        and raw.link_share < 0.3
        and not (candidate.own | candidate.above) & _furniture()
    )


def _home(raw: RawBlock) -> Frame | None:
    """The container in which a block stands, be it a paragraph of its own or one of a quote or a list."""
    home = raw.frame.parent
    while home is not None and home.tag in ("blockquote", "ul", "ol"):
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
    return raw.tag == "li" and candidate.verdict is None and raw.link_share < 0.3 and not candidate.own & _furniture()


_INSERTS: Final = frozenset(("li", "h2", "h3", "h4"))


def _is_insert(candidate: Candidate, before: Frame | None, after: Frame | None) -> bool:
    """An entry, a quote or a subhead without links that stands beside the blocks before and after it."""
    raw, list_ = candidate.raw, candidate.raw.frame.parent
    return (
        (raw.tag in _INSERTS or "blockquote" in raw.frame.tags)
        and candidate.verdict is None
        and raw.link_share < 0.3
        and not candidate.own & _furniture()
        and list_ is not None
        and (before in (list_, list_.parent) or after in (list_, list_.parent) or _is_twin(candidate, before))
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


def _removed(around: Sequence[Candidate], kept: Sequence[Candidate]) -> Iterable[Removed]:
    """What was taken out, with kind and rule, at most MAX_REMOVED blocks."""
    positions = {c.raw.position for c in kept}
    gone = (one for c in around for one in _taken(c, kept=c.raw.position in positions))
    for kind, rule, text, position in islice(gone, MAX_REMOVED):
        yield Removed(kind=kind, rule=rule, text=text[:MAX_REMOVED_CHARS], position=position)


def _taken(candidate: Candidate, *, kept: bool) -> Iterable[tuple[RemovedKind, str, str, int]]:
    """What was taken out of a block: all of it, or elements that stand in it as text."""
    raw = candidate.raw
    if kept:
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
    raw = segment(root if root is not None else page.tree, navigation=navigation)
    if not raw:
        return [], Frame(None, "body", None, 0)
    area = find_area(raw)
    engine = _Opinion(opinion(area.element) if area.element is not None else None)
    around = [_candidate(block, area, engine) for block in _zone(raw, area)]
    title = fold(metadata.headline or "")
    for candidate in around:
        candidate.verdict = _judge(candidate, title, rules)
    _judge_lists(around)
    _keep_markup(around)
    return around, area


def _candidate(raw: RawBlock, area: Frame, engine: "_Opinion") -> Candidate:
    line = Line.of(raw.text, raw.link_share, heading=raw.tag in _HEADINGS)
    return Candidate(raw, line, area, engine=engine.keeps(line.folded))


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


def _judge(candidate: Candidate, title: str, rules: SiteRules) -> Verdict | None:
    raw, off = candidate.raw, rules.rules_off
    if verdict := by_words(candidate.line, off):
        return verdict
    if title and candidate.line.folded == title and "title.repeated" not in off:
        return Verdict(RemovedKind.REPEATED_TITLE, "title.repeated")
    if "figcaption" in raw.frame.tags and "caption.figure" not in off:
        return Verdict(RemovedKind.CAPTION, "caption.figure")
    if SIGN_UP in raw.frame.tags and "newsletter.form" not in off:
        return Verdict(RemovedKind.NEWSLETTER, "newsletter.form")
    if raw.frame.noise and "navigation.element" not in off:
        return Verdict(RemovedKind.NAVIGATION, "navigation.element", certain=False)
    if raw.link_share > 0.9 and "related.link_list" not in off:
        if raw.tag != "p":
            return Verdict(RemovedKind.RELATED, "related.link_list", certain=False)
        if raw.links > 1 and not ends_sentence(raw.text):  # links side by side, and no word between them
            return Verdict(RemovedKind.RELATED, "related.link_list")
    return None


def _judge_lists(candidates: Sequence[Candidate]) -> None:
    """The links under a heading such as "Newer articles" go with it.

    Questions without a link, right before the article goes on, are an interviewer's and no entries.
    """
    heading: Verdict | None = None
    questions: list[Candidate] = []
    for candidate in candidates:
        if candidate.verdict is not None and candidate.verdict.heads_list:
            heading, questions = candidate.verdict, []
        elif heading is not None:
            if candidate.verdict is not None and candidate.verdict.certain:
                continue
            if _is_entry(candidate.raw):
                candidate.verdict = Verdict(heading.kind, heading.rule)
                asks = candidate.raw.tag != "li" and not candidate.raw.links and is_question(candidate.raw.text)
                questions = [*questions, candidate] if asks else []
            else:
                heading = None
                for question in questions if is_prose(candidate.raw) else ():
                    question.verdict = None


def _keep_markup(candidates: Sequence[Candidate]) -> None:
    """Where most of the text is escaped markup, that is the article, and no caption."""
    found = [c for c in candidates if c.verdict is not None and c.verdict.rule == "markup.escaped"]
    if len(found) > 2 and 2 * sum(c.line.words for c in found) > sum(c.line.words for c in candidates):
        for candidate in found:
            candidate.verdict = None


def _is_entry(raw: RawBlock) -> bool:
    """A list's entry or a headline that stands alone: no running text that goes on with the article."""
    if raw.link_share > 0.6:
        return True
    if raw.tag in _HEADINGS or word_count(raw.text) > 25:
        return False
    return is_headline(raw.text) and (raw.tag == "li" or not is_prose(raw))


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
    level = int(raw.tag[1]) if raw.tag in _HEADINGS else 1 if kind is BlockKind.LIST_ITEM else 0
    return Block(kind=kind, text=escaped.unescaped(raw.text), position=raw.position, level=level)
