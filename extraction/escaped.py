"""Markup that stands in a text as text: `<p>The red carpet …</p>`, also as entities (`&lt;p&gt;`) or JSON escapes.

A template or a feed has escaped it once too often. A whole element is a caption or a box that was meant to stand
elsewhere; tags within a line are emphasis or links, of which the words stay.
"""

import re
from typing import Final

from extraction.text import word_count

_BLOCKS: Final = "p|div|figure|figcaption|section|aside|h[1-6]|ul"
_TAGS: Final = f"{_BLOCKS}|span|br|a|em|strong|b|i|u|small|sub|sup|img|li"
_TAG: Final = re.compile(rf"<\\?/?(?:{_TAGS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_EMPHASIS: Final = re.compile(r"<\\?/?(?:span|a|em|strong|b|i|u|small|sub|sup)(?:\s[^<>]*)?>", re.IGNORECASE)
_BLOCK: Final = re.compile(rf"<(?:{_BLOCKS})(?:\s[^<>]*)?>", re.IGNORECASE)
_BREAK: Final = re.compile(rf"<\\?/?(?:{_BLOCKS}|br|li)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ELEMENT: Final = re.compile(rf"<({_BLOCKS})(?:\s[^<>]*)?>(?:(?!<\1[\s>]).)*?(?:<\\?/\1\s*>|$)", re.IGNORECASE)
_SPAN: Final = re.compile(r"\W{0,3}<span(?:\s[^<>]*)?>.*<\\?/span>\W{0,3}", re.IGNORECASE)
#: A tag whose angle brackets are entities, however often escaped, or JSON's `\\u003c`.
_ENTITY: Final = re.compile(
    rf"(?:&(?:amp;){{0,4}}lt;|\\+u003c)(\\?/?(?:{_TAGS})(?:\s(?:(?!&(?:amp;){{0,4}}[lg]t;)[^<>])*)?/?)(?:&(?:amp;){{0,4}}gt;|\\+u003e)",
    re.IGNORECASE,
)
#: A line with so many words beside its elements is a paragraph that one was added to.
_OWN_WORDS: Final = 4


def has_markup(text: str) -> bool:
    """Whether tags may stand in `text`: a quick look, for the texts that hold none."""
    return "<" in text or "&" in text or "u003" in text


def bracketed(text: str) -> str:
    """`text` with tags spelt by entities or JSON escapes spelt by angle brackets."""
    return _ENTITY.sub(r"<\1>", text) if "&" in text or "u003" in text else text


def elements(text: str) -> tuple[str, ...]:
    """The block-level elements that stand in a line of text as text."""
    if not has_markup(text):
        return ()
    text = bracketed(text)
    return tuple(match[0] for match in _ELEMENT.finditer(text)) if _BLOCK.search(text) else ()


def is_element(text: str) -> bool:
    """Whether a line is nothing but elements that stand in it as text."""
    if not has_markup(text):
        return False
    text = bracketed(text)
    if _SPAN.fullmatch(text):
        return True
    return _BLOCK.search(text) is not None and word_count(_plain(_ELEMENT.sub(" ", text))) < _OWN_WORDS


def parted(text: str) -> tuple[str, tuple[str, ...]]:
    """A line's own words without tags, and the elements that stand beside them, which are not its own.

    A line of nothing but elements is all its own: whether they are the article is the caller's to judge.
    """
    if not has_markup(text):
        return text, ()
    found = elements(text)
    own = _plain(_ELEMENT.sub(" ", bracketed(text))) if found else ""
    return (own, found) if word_count(own) >= _OWN_WORDS else (_plain(bracketed(text)), ())


def unescaped(text: str) -> str:
    """A line's own words, without tags and without elements that stand beside them as text."""
    return parted(text)[0]


def broken_at_tags(text: str) -> str:
    """A text that is markup as a whole, on lines of its own where its tags part them."""
    return _TAG.sub("", _BREAK.sub("\n\n", bracketed(text)))


def on_one_line(text: str) -> str:
    """`text` with no line end within an element that stands in it as text."""
    if not has_markup(text):
        return text
    return _LINES.sub(lambda match: " ".join(match[0].split()), bracketed(text))


#: An element over several lines; a longer one is no caption.
_LINES: Final = re.compile(rf"<({_BLOCKS})(?:\s[^<>]*)?>[^<>]{{0,1000}}<\\?/\1\s*>", re.IGNORECASE)


def _plain(text: str) -> str:
    return " ".join(_TAG.sub(" ", _EMPHASIS.sub("", text)).split())
