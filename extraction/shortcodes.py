"""What a plug-in or an editor should have replaced and left in the text: `[gallery ids="1"]`, `[[embed …]]`, `{{ x }}`.

Brackets in news are mostly the editor's own ("[sic]", "[laughs]", "[2]"), so a bare word in brackets is left alone.
"""

import re
from typing import Final

from extraction.marks import mark, marks_in
from extraction.text import ends_sentence, word_count

_NAME: Final = r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*"
_QUOTED: Final = r"(?:\"[^\"]{0,2000}\"|'[^']{0,2000}'|[“”„″«»‘’][^“”„″«»‘’\]]{0,2000}[“”„″«»‘’])"
_ATTRIBUTES: Final = rf"(?:\s+[a-z][\w:-]*\s?=\s?{_QUOTED})+"
#: Attributes in quotes, which no editor writes; a name made of several, as plug-ins have; BBCode's `[url=…]`.
_START: Final = re.compile(
    rf"\[(?:{_NAME}(?:{_ATTRIBUTES}(?:\s[^\[\]]*)?|=[^\s\[\]]+)|[a-z]+_[a-z0-9_]+(?:\s+[\w:-]+=[^\s\]]+)*)\s*/?\]",
    re.IGNORECASE,
)
_END: Final = re.compile(rf"\[/({_NAME})\]", re.IGNORECASE)
#: Brackets or braces twice around a name and what it is given, or a directive: of templates and media libraries.
_TOKEN: Final = re.compile(
    r"\[\[\s*(?:\{[^\[\]]{2,2000}\}|[a-z][\w-]*\s*[:=|][^\[\]]{1,500}|embed\b[^\[\]]{0,500})\s*\]\]"
    r"|\{\{\s*[\w.|:'\" ()-]{1,200}\s*\}\}|\{%[^{}%]{1,500}%\}",
    re.IGNORECASE,
)
#: A pair whose first bracket may be bare, as its second says what it is: `[caption]…[/caption]`.
_PAIR: Final = re.compile(rf"\[({_NAME})(?:\s[^\[\]]*|=[^\[\]]*)?\](?P<inside>[^\[\]]{{0,2000}})\[/\1\]", re.IGNORECASE)
#: Names of shortcodes that hold no words of the article: pictures, boxes, buttons.
_NO_TEXT: Final = re.compile(r"button|btn|icon|cta|shortlink|table[_-]?of|toc$", re.IGNORECASE)
_LABEL_WORDS: Final = 4
#: Longest line that is looked at, and pairs within pairs.
_MAX_CHARS: Final = 20_000
_MAX_NESTED: Final = 20


def has_shortcode(text: str) -> bool:
    """Whether a shortcode may stand in `text`: a quick look, for the texts that hold none."""
    if len(text) > _MAX_CHARS:
        return False
    return (
        ("[" in text and ("=" in text or "[/" in text or "_" in text or "[[" in text)) or "{{" in text or "{%" in text
    )


def parted(text: str) -> tuple[str, tuple[str, ...]]:
    """A line's own words and the shortcodes taken out of them: all of a pair, or its brackets around words of a text.

    Within a sentence a shortcode that stands alone is what the sentence speaks of, so it stays.
    """
    if not has_shortcode(text):
        return text, ()
    taken: list[str] = []

    def pair(match: re.Match[str]) -> str:
        if _is_text(match[1], match["inside"], text):
            taken.extend((match[0][: match.start("inside") - match.start()], f"[/{match[1]}]"))
            return match["inside"]
        taken.append(match[0])
        return " "

    own = text
    for _ in range(_MAX_NESTED):
        own, count = _PAIR.subn(pair, own)
        if not count:
            break
    own = _stripped(own, taken)
    return (" ".join(own.split()), tuple(taken)) if taken else (text, ())


def _stripped(text: str, taken: list[str]) -> str:
    """The text without the shortcodes at its ends, and without second brackets of pairs that other lines begin."""
    changed = True
    while changed and text:
        changed = False
        for pattern in (_START, _END, _TOKEN):
            for match in (*pattern.finditer(text),):
                if not text[: match.start()].strip() or not text[match.end() :].strip():
                    taken.append(match[0])
                    text = text[: match.start()] + text[match.end() :]
                    changed = True
                    break
    return text


def _is_text(name: str, inside: str, line: str) -> bool:
    """Whether a pair holds words of the article: no caption or box by its name, and more than a label."""
    if _NO_TEXT.search(name) or marks_in(name) & _no_text():
        return False
    return word_count(inside) > _LABEL_WORDS or ends_sentence(inside) or len(inside) * 2 < len(line)


def _no_text() -> int:
    return sum(map(mark, "caption credit media advertising newsletter share related paywall comments cookie".split()))


def is_shortcode(text: str) -> bool:
    """Whether a line is nothing but shortcodes."""
    return has_shortcode(text) and not parted(text)[0]
