"""What stands within a paragraph and is none of its words: boxes that open over a word, numbers of footnotes.

A browser shows such a box when the pointer is over its word; in the page's text it stands amid the sentence.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from lxml.etree import _Element

from extraction.marks import mark
from extraction.text import ends_sentence, tidy, word_count

#: Elements that stand within a line (HTML Living Standard, phrasing content). All others, unknown ones too, part lines.
INLINE: Final = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr o:p q rp rt ruby s samp slot"
    " small span strike strong sub sup time tt u var wbr bold".split()
)
#: Elements within a line that are made into such a box. Bold and linked words are the sentence's own.
BOX_TAGS: Final = frozenset("span sup small dfn data slot aside label".split())
_HIDING: Final = mark("hidden")
#: What the box is called, in one name with what it opens over or inside of an element so called.
_OPENS: Final = r"(?:tool-?tip|tippy|pop-?over|pop-?up|hover-?card|roll-?over|flyout|info-?tip|balloon)"
_PART: Final = r"(?:text|content|body|inner|box|layer|panel|card|block|overlay|message|bubble|description|definition)"
#: Tailwind's word for what the pointer shows.
_SHOWN: Final = r"\b(?:group|peer)-hover:(?:visible|block|inline|flex|opacity-100)\b"
_BOX: Final = re.compile(rf"{_OPENS}[\w-]*[_-]*{_PART}|{_PART}[_-]*{_OPENS}|{_SHOWN}", re.IGNORECASE)
_OPENING: Final = re.compile(_OPENS, re.IGNORECASE)
#: Ends of quotes and brackets, of which nobody opens a word with.
_CLOSING: Final = "”»’)]』」"
#: What stands for a word where there is one to be explained.
_SIGNS: Final = "*†‡§ⓘℹ"
_SIGN_CHARS: Final = 2
#: Words of a box that nothing but its place tells, at least.
_WORDS: Final = 3
#: Scripts without spaces between words, in which a box that adjoins its word looks like the sentence going on.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def is_box(element: _Element, own: int, buffer: Sequence[str], start: int) -> str | None:
    """The rule by which an element, whose text is `buffer[start:]`, is a box that opens over the words before it.

    Its role or name says so; or it begins as a new text right after a letter, so that the two read as one word, which
    no sentence does, and the sentence goes on after it.
    """
    before = buffer[start - 1][-1] if start else " "
    called = own & _HIDING and _is_called_box(element, adjoins=_is_word(before) or before in _CLOSING)
    return "note.box" if called or _is_new_text(element, before, "".join(buffer[start:])) else None


def is_sign(size: int, insets: Sequence[tuple[int, int, str]], start: int) -> str | None:
    """The rule by which an element with a box in it, and `size` characters beside that, is a sign for the box."""
    boxed = insets and insets[-1][0] > start and insets[-1][2] == "note.box"
    return "note.box" if boxed and start and size <= _SIGN_CHARS else None


def is_block_box(element: _Element) -> bool:
    """Whether a block-level element is such a box by role or name, and stands amid a paragraph."""
    around = element.getparent()
    if around is None or not (around.tag == "p" or around.tag in INLINE):
        return False
    return _is_called_box(element, adjoins=False) and _goes_on(element)


def _is_called_box(element: _Element, *, adjoins: bool) -> bool:
    """Whether role or names call an element the box, not the word that it opens over."""
    if element.get("role") == "tooltip":
        return True
    names = element.get("class") or ""
    if _BOX.search(names):
        return True
    around = element.getparent()
    within = around is not None and _OPENING.search(around.get("class") or "") is not None
    return (adjoins or within) and _OPENING.search(names) is not None


def _is_new_text(element: _Element, before: str, text: str) -> bool:
    """Whether a text of some words begins right after the letter `before` (or a quote's end) and is no part of it."""
    first = text[0]
    if not _is_word(first) or first.islower() or first.isdigit() or _UNSPACED.search(before + first):
        return False
    if before in _SIGNS:
        goes_on = _goes_on(element)
    elif before in _CLOSING:
        goes_on = (element.tail or _tail(element.getparent())).startswith((",", ";")) and not ends_sentence(tidy(text))
    else:
        goes_on = _is_word(before) and _goes_on(element)
    return goes_on and word_count(tidy(text)) >= _WORDS


def _tail(element: _Element | None) -> str:
    return (element.tail or "") if element is not None and element.tag in INLINE else ""


def _is_word(char: str) -> bool:
    """Whether a character is a letter, a digit or a vowel's sign (which `str.isalnum` leaves out)."""
    return unicodedata.category(char)[0] in "LMN"


def _goes_on(element: _Element) -> bool:
    """Whether more of the line stands after an element."""
    node: _Element | None = element
    while node is not None and (node is element or node.tag in INLINE):
        if (node.tail or "").strip():
            return True
        following = node.getnext()
        if following is not None:
            return following.tag in INLINE and any(text.strip() for text in following.itertext("*"))
        node = node.getparent()
    return False


_MARK_CHARS: Final = 8  # with white space
_NOTE_MARK: Final = re.compile(r"\s*(?:\d{1,3}|[*†‡§]{1,3}|[a-z])\s*$")


def is_note_mark(element: _Element, size: int, start: int) -> str | None:
    """The rule by which a raised number of `size` characters is a footnote's: it leads to a place on the page."""
    if element.tag != "sup" or not start or size > _MARK_CHARS:
        return None
    link = element.find(".//a")
    if link is None or not (link.get("href") or "").startswith("#"):
        return None
    return "note.mark" if _NOTE_MARK.match("".join(map(str, link.itertext("*")))) else None


def left_out(buffer: Sequence[str], insets: Sequence[tuple[int, int, str]]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A block's own text, tidy, and what stands within it as (rule, text); all of it is its own if nothing else is."""
    own, found, last = "", [], 0
    for start, end, rule in (*sorted(insets, key=lambda inset: (inset[0], -inset[1])), (len(buffer), None, "")):
        if start >= last:
            words = "".join(buffer[last:start])
            own = (own.rstrip() if words.startswith(_POINTS) else own) + words
            if end is not None:
                found.append((rule, tidy("".join(buffer[start:end]))))
                last = end
    text = tidy(own)
    return (text, tuple(found)) if text else (tidy("".join(buffer)), ())


#: What no space stands before, so none is left by what stood between.
_POINTS: Final = (",", ".", ";", ":", "!", "?", ")", "]", "”", "»", "。", "、", "،", "।")
