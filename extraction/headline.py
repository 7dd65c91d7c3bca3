"""Which of a page's titles is the article's headline.

The h1 that a reader sees, unless the page's own data says better: JSON-LD and og:title often carry the site's name, the
h1 a kicker, and pages have h1 elements that are logos. Candidates that agree outweigh one that stands alone.
"""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Final

from lxml.html import HtmlElement

from extraction.text import fold, tidy

#: Longest headline kept, in characters; longer ones are cut and flagged.
MAX_HEADLINE: Final = 1000
_MAX_H1: Final = 12

_TAG = re.compile(
    r"</?(?:a|abbr|b|bdi|br|cite|code|del|div|em|font|i|img|ins|mark|p|q|s|script|small|span|strong|style|sub|sup|u|wbr)\b[^<>]{0,300}>",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"<(script|style)\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_SEPARATOR = re.compile(r"\s+[|\-–—•·»«:/~]{1,2}\s+|\s*[|｜：»]\s*|\s*--+\s*|\s+::\s+|,\s+(?=Tageszeitung)")
_KICKER_END = re.compile(r"[\s:|–—\-/»«>]$")


def clean(value: str | None, limit: int = MAX_HEADLINE) -> str:
    """Return a title as plain text: entities undone twice, formatting tags out, cut at `limit` characters."""
    if not value:
        return ""
    text = html.unescape(value[: limit * 10])
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub("", _SCRIPT.sub("", text))
    return tidy(text)[:limit].rstrip()


def without_site(title: str, sites: Iterable[str], others: Iterable[str] = ()) -> str:
    """Return a title without the site's name at either end.

    `sites` are folded names of the site; `others` folded titles of the page: where one of them ends at a separator, so
    does the headline.
    """
    known, whole = frozenset(sites), frozenset(others)
    for match in _SEPARATOR.finditer(title):
        head, tail = title[: match.start()], title[match.end() :]
        if fold(head) in whole or (fold(tail) in known and head):
            return head.strip()
        if fold(head) in known and fold(tail):
            return without_site(tail.strip(), known, whole)
    return title


def h1s(tree: HtmlElement) -> list[str]:
    """Return the texts of the page's h1 elements, the first dozen, blank ones left out."""
    found = []
    for _, element in zip(range(_MAX_H1), tree.iter("h1"), strict=False):
        if text := clean(_text(element)):
            found.append(text)
    return found


def _text(element: HtmlElement) -> str:
    """Return the text of an element; parts that a browser sets apart do not grow together (kicker, then title)."""
    out = ""
    for part in element.itertext():
        if out and part and not out[-1].isspace() and out[-1].isalnum() and part[0].isupper() and not out[-1].isupper():
            out += " "
        out += part
        if len(out) > MAX_HEADLINE * 4:
            break
    return out


def choose(h1: Sequence[str], json_ld: str, og: str, title: str) -> tuple[str, str]:
    """Return the headline and the name of the source it was taken from ("h1", "json_ld", "og", "title" or "").

    All are cleaned, and without the site's name where it is known. The rules, measured on 325 real pages
    (docs/decisions/metadata.md):
    1. an h1 that ends in what JSON-LD or og:title say has a kicker before it: the shorter one;
    2. an h1 that JSON-LD or og:title repeat, or that shares all but its kicker with them;
    3. JSON-LD where og:title agrees with it;
    4. an h1 that shares most of its words with any of them;
    5. else JSON-LD, og:title, a lone h1, the title element.
    """
    folded = {name: fold(value) for name, value in (("json_ld", json_ld), ("og", og), ("title", title))}
    heads = {fold(text): text for text in reversed(h1)}
    for name, value in (("json_ld", json_ld), ("og", og)):
        if value and any(_has_kicker(text, value) for text in h1):
            return value, name
    for name, value in (("json_ld", json_ld), ("og", og)):
        if folded[name] in heads and value:
            return heads[folded[name]], "h1"
        if tail := next((tail for text in h1 if (tail := _common_tail(text, value))), None):
            return tail, name
    if json_ld and folded["json_ld"] == folded["og"]:
        return json_ld, "json_ld"
    near = max(((_likeness(key, folded.values()), key) for key in heads), default=(0.0, ""), key=lambda pair: pair[0])
    if near[0] >= 0.5 or (h1 and len(heads) == 1 and near[1].count(" ") >= 2):
        return heads[near[1]], "h1"
    for name, value in (("json_ld", json_ld), ("og", og), ("h1", h1[0] if len(heads) == 1 else ""), ("title", title)):
        if value:
            return value, name
    return (h1[0], "h1") if h1 else ("", "")


def _has_kicker(h1: str, title: str) -> bool:
    """Tell whether an h1 is a few words and then the title."""
    if not h1.endswith(title) or len(title) < 12:
        return False
    kicker = h1[: -len(title)]
    return bool(_KICKER_END.search(kicker)) and len(kicker.split()) <= 6


def _common_tail(one: str, other: str) -> str | None:
    """Return what two titles with different kickers have in common behind them."""
    for match in _SEPARATOR.finditer(one):
        tail = one[match.end() :]
        if tail.count(" ") >= 3 and _has_kicker(other, tail):
            return tail
    return None


def _likeness(one: str, others: Iterable[str]) -> float:
    """Return the largest share of words that a folded title has in common with another, of the shorter one's words."""
    words = set(one.split())
    return max(
        (
            len(words & set(other.split())) / max(1, min(len(words), len(set(other.split()))))
            for other in others
            if other
        ),
        default=0.0,
    )
