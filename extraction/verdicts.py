"""What the rules say of the blocks around an article: each by itself, in its list, by a picture, by its twins."""

import re
from collections.abc import Sequence
from typing import Final

from extraction.authorship import judge_bios, judge_head
from extraction.blocks import Frame, RawBlock, is_prose
from extraction.boilerplate import Line, Verdict, by_words, is_headline, is_question
from extraction.features import HEADINGS, Candidate, frame_style
from extraction.marks import mark
from extraction.records import Metadata, RemovedKind
from extraction.rules import SiteRules
from extraction.signup import SIGN_UP
from extraction.text import ends_sentence, fold, word_count


def judge(candidates: Sequence[Candidate], area: Frame, metadata: Metadata, rules: SiteRules) -> None:
    """Give each candidate the verdict of the rules that are not switched off, None where none of them speaks."""
    title = fold(metadata.headline or "")
    for candidate in candidates:
        candidate.verdict = _judge(candidate, title, rules)
    _judge_lists(candidates)
    _keep_markup(candidates)
    judge_head(candidates, rules)
    _judge_pictures(candidates, area, rules)
    _judge_copies(candidates, rules)
    judge_bios(candidates, metadata.authors, rules)


def _judge(candidate: Candidate, title: str, rules: SiteRules) -> Verdict | None:
    raw, off = candidate.raw, rules.rules_off
    if raw.tag == "pre":
        off = off | {"markup.shortcode"}  # shown, not left over
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
        if not ends_sentence(raw.text):  # links, and no word between them
            return Verdict(RemovedKind.RELATED, "related.link_list")
    if _is_pointer(candidate) and "related.pointer_box" not in off:
        return Verdict(RemovedKind.RELATED, "related.pointer_box")
    return None


_POINTER_WORDS: Final = 25


#: "» Also read: …": a label of a few words before what is linked.
_LABELLED: Final = re.compile(r"[^\w]*[^\W\d]+(?:[ '’][^\W\d]+){0,3}\s?[:：|»→]\s*\S")


def _is_pointer(candidate: Candidate) -> bool:
    """A box with a word or two and a headline that is a link: "Don't miss" and where to go."""
    raw = candidate.raw
    if raw.links != 1 or raw.link_share <= 0.5 or candidate.line.words > _POINTER_WORDS or ends_sentence(raw.text):
        return False
    boxed = raw.tag not in ("p", "li", "tr", "td", "dd", "blockquote", *HEADINGS)
    return boxed or (raw.tag == "p" and _LABELLED.match(raw.text) is not None)


def _judge_lists(candidates: Sequence[Candidate]) -> None:
    """The links under a heading such as "Newer articles" go with it; after a link, lines without one do not.

    Questions without a link, right before the article goes on, are an interviewer's and no entries.
    """
    heading: Verdict | None = None
    questions: list[Candidate] = []
    linked = False
    for candidate in candidates:
        if candidate.verdict is not None and candidate.verdict.heads_list:
            heading, questions, linked = candidate.verdict, [], False
        elif heading is not None:
            if candidate.verdict is not None and candidate.verdict.certain:
                linked = linked or candidate.raw.link_share > 0.6
                continue
            if _is_entry(candidate.raw) and (candidate.raw.links or not linked):
                linked = linked or candidate.raw.link_share > 0.6
                candidate.verdict = Verdict(heading.kind, heading.rule)
                asks = candidate.raw.tag != "li" and not candidate.raw.links and is_question(candidate.raw.text)
                questions = [*questions, candidate] if asks else []
            else:
                heading = None
                for question in questions if is_prose(candidate.raw) else ():
                    question.verdict = None


#: A picture's box: characters and blocks of text in it, at most.
_BOX_CHARS: Final = 300
_BOX_BLOCKS: Final = 4
#: More boxes with sentences than these are a list of things with a picture each, which may be what the article is.
_CAPTIONS: Final = 3


def _judge_pictures(candidates: Sequence[Candidate], area: Frame, rules: SiteRules) -> None:
    """Text that shares an element with a picture and with little else is about the picture."""
    if "caption.box" in rules.rules_off:
        return
    open_ = _undecided(candidates)
    found = [c for c in open_ if _is_in_picture_box(c.raw, c.own, area)]
    certain = sum(c.prose for c in found) <= _CAPTIONS and sum(_is_card(c.raw) for c in found) <= _CARDS
    boxed = set(map(id, found))
    prose = {_style(c.raw.frame) for c in open_ if c.prose and id(c) not in boxed}
    credited = {id(c.raw.frame.parent) for c in candidates if c.verdict and c.verdict.kind is RemovedKind.CREDIT}
    for candidate in found:
        plain = _style(candidate.raw.frame) in prose and not candidate.own & mark("caption")
        if candidate.prose and plain and id(candidate.raw.frame.parent) not in credited:
            continue  # marked up as the article's paragraphs are: one of them, after a picture
        candidate.verdict = Verdict(RemovedKind.CAPTION, "caption.box", certain=certain)
    _judge_styles(candidates, open_, rules)
    _judge_credited(open_, rules)
    under = [c for c in open_ if c.raw.images and _may_be_set_off(c) and _is_set_off(c.raw)]
    if under and not _is_style_of_page(candidates, under):
        for candidate in under:
            candidate.verdict = Verdict(RemovedKind.CAPTION, "caption.set_off")


def _judge_styles(candidates: Sequence[Candidate], open_: Sequence[Candidate], rules: SiteRules) -> None:
    """Lines right under pictures, in a style of their own, amid an article that is all in another.

    A style is a caption's if nothing but what follows a picture has it; the article's first paragraphs are spared,
    since a template may set them in a style of their own, and so are instructions with a picture for each step.
    """
    pictured = [c for c in open_ if c.raw.images and _may_be_set_off(c)]
    if not pictured or "caption.style" in rules.rules_off:
        return
    prose: dict[object, int] = {}
    first: dict[object, int] = {}
    for candidate in open_:
        if candidate.prose and candidate.engine and not candidate.raw.images:
            style = frame_style(candidate.raw.frame)
            prose[style] = prose.get(style, 0) + len(candidate.raw.text)
            first.setdefault(style, candidate.raw.position)
    main = max(prose, key=lambda style: prose[style], default=None)
    if main is None or prose[main] < _MAIN_STYLE * sum(prose.values()):
        return
    elsewhere = {frame_style(c.raw.frame) for c in candidates if not c.raw.images}
    amid = [c for c in pictured if c.raw.position > first[main]]
    found = [c for c in amid if frame_style(c.raw.frame) not in elsewhere]
    for candidate in _undecided(found) if len(found) <= _CAPTIONS else ():
        candidate.verdict = Verdict(RemovedKind.CAPTION, "caption.style")


def _undecided(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [c for c in candidates if c.verdict is None or not c.verdict.certain]


#: Where a caption goes over to its credit.
_LAST_PART: Final = re.compile(r"(?<=[.!?।。…”»])\s+|\s[–—/|·]\s|\s?[(（\[](?=[^()（）\[\]]*[)）\]]\.?$)")


def _judge_credited(open_: Sequence[Candidate], rules: SiteRules) -> None:
    """Lines right under pictures that end by saying whose the picture is."""
    for candidate in _undecided(open_) if "caption.credited" not in rules.rules_off else ():
        if candidate.raw.images and _may_be_set_off(candidate):
            *before, last = _LAST_PART.split(candidate.raw.text)
            verdict = by_words(Line.of(last.strip("()（）[]. ")), rules.rules_off) if before else None
            if verdict is not None and verdict.kind is RemovedKind.CREDIT:
                candidate.verdict = Verdict(RemovedKind.CAPTION, "caption.credited")


#: Share of the prose that is in one style where another style tells something.
_MAIN_STYLE: Final = 0.8
#: Longest line under a picture, words.
_CAPTION_WORDS: Final = 45
#: Share of the prose from where on a page is centred or slanted as a whole.
_STYLE_OF_PAGE: Final = 0.3


def _may_be_set_off(candidate: Candidate) -> bool:
    return candidate.line.words <= _CAPTION_WORDS and candidate.raw.tag not in ("li", "tr", "blockquote", *HEADINGS)


def _is_style_of_page(candidates: Sequence[Candidate], under: Sequence[Candidate]) -> bool:
    """Whether other paragraphs are set off as those under pictures are."""
    pictures = set(map(id, under))
    prose = [c for c in candidates if c.prose and c.engine and id(c) not in pictures]
    return sum(len(c.raw.text) for c in prose if _is_set_off(c.raw)) > _STYLE_OF_PAGE * sum(
        len(c.raw.text) for c in prose
    )


_CENTRED: Final = re.compile(r"text-align\s*:\s*center")


def _is_set_off(raw: RawBlock) -> bool:
    """Whether a line is centred, or all of it slanted or small, as the words under a picture are."""
    for frame in (raw.frame, raw.frame.parent):
        if frame is None or frame.element is None or frame.blocks > _BOX_BLOCKS:
            break
        if (
            frame.tag == "center"
            or frame.element.get("align") == "center"
            or _CENTRED.search(frame.element.get("style", ""))
        ):
            return True
    element = raw.frame.element
    if element is None or raw.frame.blocks > _BOX_BLOCKS:
        return False
    slanted = sum(len("".join(map(str, part.itertext("*")))) for part in element.iter(*_SMALL))
    return slanted >= 0.9 * len(raw.text)


_SMALL: Final = ("em", "i", "small", "cite")


#: Blocks of boxes with a picture and three texts or more, at most: more of them are products, and no captions.
_CARDS: Final = 9


def _is_card(raw: RawBlock) -> bool:
    """Whether the box of a block with a picture has more to say than a caption and a credit."""
    box = next((frame for frame in raw.frame.path() if frame.images), raw.frame)
    return box.blocks > 2


def _style(frame: Frame) -> tuple[object, object]:
    """What elements of one kind have in common, and those around them."""
    return frame_style(frame), frame_style(frame.parent) if frame.parent else None


def _is_in_picture_box(raw: RawBlock, own: int, area: Frame) -> bool:
    if raw.tag in ("li", "blockquote", *HEADINGS):
        return False
    if raw.images and own & (mark("caption") | mark("credit")):
        return True  # called a caption, and a picture is what it follows
    box: Frame | None = raw.frame
    while box is not None and box is not area and box.chars <= _BOX_CHARS and box.blocks <= _BOX_BLOCKS:
        if box.images and box.tag not in ("p", "li", "a"):
            return True
        box = box.parent
    return False


#: A block with this share of the page's words may be a copy of others, if they are this many and hold so much of it.
_COPY_SHARE, _COPIED_BLOCKS, _COPIED_SHARE = 0.2, 3, 0.8
_COPIED_WORDS: Final = 8


def _judge_copies(candidates: Sequence[Candidate], rules: SiteRules) -> None:
    """What a page says again in other markup: a paragraph as a pull quote, or the whole article for printing."""
    if "text.repeated" in rules.rules_off:
        return
    first: dict[str, Candidate] = {}
    for candidate in candidates:
        if _is_open_paragraph(candidate):
            twin = first.setdefault(candidate.line.folded, candidate)
            if frame_style(twin.raw.frame) != frame_style(candidate.raw.frame):
                worse = twin if candidate.engine and not twin.engine else candidate
                worse.verdict = Verdict(RemovedKind.OTHER, "text.repeated")
    large = _COPY_SHARE * sum(c.line.words for c in candidates)
    for copy in [c for c in candidates if c.line.words >= max(large, _COPIED_BLOCKS * _COPIED_WORDS)]:
        before = (c for c in candidates if c.raw.position < copy.raw.position and c.line.words >= _COPIED_WORDS)
        found = [len(part) for part in dict.fromkeys(c.line.folded for c in before) if part in copy.line.folded]
        if len(found) >= _COPIED_BLOCKS and sum(found) >= _COPIED_SHARE * len(copy.line.folded):
            copy.verdict = Verdict(RemovedKind.OTHER, "text.repeated")


def _is_open_paragraph(candidate: Candidate) -> bool:
    """Whether a block is prose that no page says twice on purpose, as it does with headings and their list."""
    plain = candidate.raw.tag not in ("li", "tr", *HEADINGS) and candidate.line.words >= _COPIED_WORDS
    return plain and candidate.prose and (candidate.verdict is None or not candidate.verdict.certain)


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
    if raw.tag in HEADINGS or word_count(raw.text) > 25:
        return False
    return is_headline(raw.text) and (raw.tag == "li" or not is_prose(raw))
