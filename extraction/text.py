"""Text as the store keeps it: NFC, one space between words, nothing that a terminal or a reader could trip over."""

import re
import unicodedata
from functools import cache

#: C0 and C1 controls except tab and line ends, zero-width characters, bidi marks, overrides and isolates, the soft
#: hyphen, the BOM, private-use icons of icon fonts, and unpaired surrogates (UTS 55 names most as hazards of
#: rendering). ZWNJ and ZWJ (U+200C, U+200D) stay: Persian, Hindi and emoji are spelt with them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ue000-\uf8ff\ud800-\udfff]"
)
#: A terminal's control sequence (ECMA-48 CSI) as a whole, so that none of its letters stay as words.
_SEQUENCE = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]")
_WORDS = re.compile(r"\w+")
_DIGITS, _CAPITALS = re.compile("[0-9]"), re.compile("[A-Z]")
#: Scripts that are written without spaces between words: a character stands for about half a word there.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")


def tidy(text: str) -> str:
    """`text` on one line: white space collapsed, Unicode NFC, controls and invisible marks out."""
    if "\x1b" in text:
        text = _SEQUENCE.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _UNWANTED.sub("", text))
    elif not text.isprintable():
        text = re.sub("[\x00-\x08\x0e-\x1f\x7f]", "", text)
    return " ".join(text.split())


def fold(text: str) -> str:
    """The words of `text` without case, punctuation and compatibility forms (NFKC): for comparing, not for storing."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(_WORDS.findall(text.casefold()))


def digit_count(text: str) -> int:
    """Number of digits, of any script."""
    return len(_DIGITS.findall(text)) if text.isascii() else sum(map(str.isdigit, text))


def capital_count(text: str) -> int:
    """Number of capital letters, of any script."""
    return len(_CAPITALS.findall(text)) if text.isascii() else sum(map(str.isupper, text))


def word_count(text: str) -> int:
    """Number of words; in scripts without spaces between words (CJK, Thai …) two characters count as one."""
    spaced = text.count(" ") + 1 if text else 0
    return spaced if text.isascii() else spaced + len(_UNSPACED.findall(text)) // 2


@cache
def _sentence_end() -> re.Pattern[str]:
    """Marks that end a sentence in the scripts that news is written in, with closing quotes after them."""
    return re.compile(r"[.!?…。！？।۔؟։။።:;]['\"”’»›)\]」』]*$")


def ends_sentence(text: str) -> bool:
    """Whether `text` ends as a sentence does."""
    return _sentence_end().search(text) is not None
