"""What the rules say of the blocks around an article: each by itself, in its list, by the headline, by a picture."""

from collections.abc import Sequence
from typing import Final

from extraction.blocks import SIGN_UP, Frame, RawBlock, is_prose
from extraction.boilerplate import Verdict, by_words, is_headline, is_question
from extraction.features import Candidate, frame_style
from extraction.marks import mark
from extraction.records import RemovedKind
from extraction.rules import SiteRules
from extraction.stamps import is_stamp
from extraction.text import ends_sentence, fold, word_count

HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


def judge(candidates: Sequence[Candidate], area: Frame, headline: str, rules: SiteRules) -> None:
    """Give each candidate the verdict of the rules that are not switched off, None where none of them speaks."""
    title = fold(headline)
    for candidate in candidates:
        candidate.verdict = _judge(candidate, title, rules)
    _judge_lists(candidates)
    _keep_markup(candidates)
    _judge_head(candidates, rules)
    _judge_pictures(candidates, area, rules)


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
        if not ends_sentence(raw.text):  # links, and no word between them
            return Verdict(RemovedKind.RELATED, "related.link_list")
    if _is_pointer(candidate) and "related.pointer_box" not in off:
        return Verdict(RemovedKind.RELATED, "related.pointer_box")
    return None


_POINTER_WORDS: Final = 25


def _is_pointer(candidate: Candidate) -> bool:
    """A box with a word or two and a headline that is a link: "Don't miss" and where to go."""
    raw = candidate.raw
    boxed = raw.tag not in ("p", "li", "tr", "td", "dd", "blockquote", *HEADINGS)
    return (
        boxed
        and raw.links == 1
        and raw.link_share > 0.5
        and candidate.line.words <= _POINTER_WORDS
        and not ends_sentence(raw.text)
    )


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


#: Longest line of names, dates and sections over an article, words; longer ones may be a lead without a full stop.
_HEAD_WORDS: Final = 8


def _judge_head(candidates: Sequence[Candidate], rules: SiteRules) -> None:
    """Short lines around the headline that are no sentence: section, names, roles, dates, whatever they say."""
    if "byline.head" in rules.rules_off:
        return
    h1 = next((place for place, c in enumerate(candidates) if c.raw.tag == "h1"), None)
    if h1 is None:
        return
    prose = [place for place, c in enumerate(candidates) if c.prose]
    first = next((place for place in prose if place > h1), h1)
    start = next((place + 1 for place in reversed(prose) if place < h1), 0)
    second = next((place for place in prose if place > first), first)
    home = candidates[second].raw.frame.parent
    for place, candidate in enumerate(candidates[start:second], start):
        if place > h1 and candidate.raw.frame.parent is home:
            continue  # amid the paragraphs already
        if candidate.verdict is None and place not in (h1, first) and _is_head_line(candidate, above=place < h1):
            kind = RemovedKind.TAG if place < h1 else RemovedKind.BYLINE
            stamp = is_stamp(candidate.raw.text, candidate.line.folded)
            candidate.verdict = Verdict(RemovedKind.TIMESTAMP if stamp else kind, "byline.head")


def _is_head_line(candidate: Candidate, *, above: bool) -> bool:
    raw = candidate.raw
    if raw.tag in ("li", "tr", "pre") or "blockquote" in raw.frame.tags or candidate.own & mark("lead"):
        return False
    if raw.tag in HEADINGS:
        return above and candidate.line.words <= _HEAD_WORDS
    return candidate.line.words <= _HEAD_WORDS and not ends_sentence(raw.text)


#: A picture's box: characters and blocks of text in it, at most.
_BOX_CHARS: Final = 300
_BOX_BLOCKS: Final = 4
#: More boxes with sentences than these are a list of things with a picture each, which may be what the article is.
_CAPTIONS: Final = 3


def _judge_pictures(candidates: Sequence[Candidate], area: Frame, rules: SiteRules) -> None:
    """Text that shares an element with a picture and with little else is about the picture."""
    if "caption.box" in rules.rules_off:
        return
    found = [c for c in candidates if (c.verdict is None or not c.verdict.certain) and _is_in_picture_box(c.raw, area)]
    certain = sum(c.prose for c in found) <= _CAPTIONS
    boxed = set(map(id, found))
    prose = {frame_style(c.raw.frame) for c in candidates if c.prose and id(c) not in boxed}
    for candidate in found:
        if candidate.prose and frame_style(candidate.raw.frame) in prose:
            continue  # marked up as the article's paragraphs are: one of them, after a picture
        candidate.verdict = Verdict(RemovedKind.CAPTION, "caption.box", certain=certain)


def _is_in_picture_box(raw: RawBlock, area: Frame) -> bool:
    if raw.tag in ("li", "blockquote", *HEADINGS):
        return False
    if raw.images and raw.own & (mark("caption") | mark("credit")):
        return True  # called a caption, and a picture is what it follows
    box: Frame | None = raw.frame
    while box is not None and box is not area and box.chars <= _BOX_CHARS and box.blocks <= _BOX_BLOCKS:
        if box.images and box.tag not in ("p", "li", "a"):
            return True
        box = box.parent
    return False


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
