"""The pictures of an article: address, caption and credit. Captions are data, never body."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin

from lxml.etree import _Element

from extraction.boilerplate import Line, by_words
from extraction.escaped import unescaped
from extraction.marks import mark, marks_in
from extraction.records import Image, RemovedKind
from extraction.text import tidy

MAX_IMAGES: Final = 50
#: Smaller ones (pixels, as the page states) are icons and portraits of authors.
MIN_SIZE: Final = 120
_MAX_CAPTION: Final = 2_000
_SOURCES: Final = ("data-src", "data-original", "data-lazy-src", "src")
_CAPTION, _CREDIT = mark("caption"), mark("credit")


def images(area: _Element, base: str) -> tuple[Image, ...]:
    """The pictures in `area`, in order, each address once; `base` makes their addresses absolute."""
    found: dict[str, Image] = {}
    for element in area.iter("img", "amp-img"):
        url = _address(element, base)
        if url and url not in found and not _is_small(element):
            caption, credit = _words_about(element, area)
            found[url] = Image(url=url, caption=caption, credit=credit)
            if len(found) == MAX_IMAGES:
                break
    return tuple(found.values())


def _address(element: _Element, base: str) -> str | None:
    for name in _SOURCES:
        value = (element.get(name) or "").strip()
        if value and not value.startswith("data:"):
            try:
                url = urljoin(base, value)
            except ValueError:
                continue
            return url if url.startswith(("http://", "https://")) and len(url) <= 4_000 else None
    return None


def _is_small(element: _Element) -> bool:
    return any(
        (value := element.get(side) or "").isdigit() and int(value[:6]) < MIN_SIZE for side in ("width", "height")
    )


def _words_about(element: _Element, area: _Element) -> tuple[str | None, str | None]:
    """Caption and credit from the figure around a picture, or from the nearest element that names a caption."""
    holder = element.getparent()
    for _ in range(4):
        if holder is None or holder is area:
            return None, None
        words = list(_captions(holder))
        if words:
            return _parted(words)
        if holder.tag == "figure":
            return None, None
        holder = holder.getparent()
    return None, None


def _captions(holder: _Element) -> Iterator[tuple[str, bool]]:
    """Texts under `holder` that are captions, and whether they are credits."""
    taken: list[_Element] = []
    for element in holder.iter("figcaption", "div", "p", "span", "small", "cite", "em"):
        own = marks_in(f"{element.get('class') or ''} {element.get('itemprop') or ''}")
        if not (element.tag == "figcaption" or own & (_CAPTION | _CREDIT)):
            continue
        if any(parent in taken for parent in element.iterancestors()):
            continue
        taken.append(element)
        credits_ = [
            e
            for e in element.iter("span", "small", "cite", "div", "p")
            if e is not element and marks_in(e.get("class") or "") & _CREDIT
        ]
        for inner in credits_:
            yield tidy(" ".join(map(str, inner.itertext("*")))), True
        text = tidy(" ".join(map(str, element.itertext("*"))))
        for inner in credits_:
            text = text.replace(tidy(" ".join(map(str, inner.itertext("*")))), "").strip()
        if text:
            yield text, bool(own & _CREDIT) and not own & _CAPTION


def _parted(words: list[tuple[str, bool]]) -> tuple[str | None, str | None]:
    captions: list[str] = []
    credited: list[str] = []
    for text, is_credit in words:
        clean = unescaped(text)[:_MAX_CAPTION]
        verdict = by_words(Line.of(clean))
        named = verdict is not None and verdict.kind is RemovedKind.CREDIT
        (credited if is_credit or named else captions).append(clean)
    return " ".join(captions) or None, " ".join(dict.fromkeys(credited)) or None
