"""trafilatura on the part of a page that holds its article: the opinion that everything else starts from."""

import copy
import logging
import re
from collections.abc import Iterable
from typing import Final

from lxml import etree
from lxml.html import HtmlElement
from trafilatura.htmlprocessing import convert_tags, tree_cleaning
from trafilatura.main_extractor import extract_content
from trafilatura.settings import Extractor

from extraction.blocks import SKIPPED
from extraction.page import new_element
from extraction.text import fold

# The engine speaks of every page it finds short; what matters here is returned.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

#: trafilatura is quadratic in the number of paragraphs (10 MB of them: 249 s of CPU), so beyond these it is not asked.
MAX_ELEMENTS: Final = 12_000
MAX_PARAGRAPHS: Final = 3_000
MAX_CHARS: Final = 1_000_000
#: Elements that it would drop itself, dropped at the price of one pass in C.
_DROPPED: Final = tuple(SKIPPED - {"head", "title", "meta", "link", "img", "picture", "source", "math"})


#: Tables within each other from where on it is not asked: it is cubic in them (1,000: 8 s of CPU).
MAX_TABLES: Final = 10
_ELEMENTS: Final = etree.XPath("count(.//*)")
_PARAGRAPHS: Final = etree.XPath("count(.//p | .//br | .//li)")
_NESTED_TABLES: Final = etree.XPath(f"boolean(.//table[count(ancestor::table) > {MAX_TABLES}])")
_OPTIONS: Final = Extractor(fast=True, comments=False)


def opinion(area: HtmlElement) -> list[str] | None:
    """The texts that trafilatura keeps of `area`, folded, in order; None where the area is over the bounds above.

    Its main extractor is called alone, on a copy of the area: its rescues for short results look at the whole page
    anew, at three times the cost, and what they find the block model judges better (same texts on 79 of 83 pages).
    """
    if _count(_ELEMENTS, area) > MAX_ELEMENTS or _count(_PARAGRAPHS, area) > MAX_PARAGRAPHS:
        return None
    if _NESTED_TABLES(area):
        return None
    body = copy.deepcopy(area)
    body.tail = None
    etree.strip_elements(body, *_DROPPED, with_tail=False)
    text = "".join(map(str, body.itertext()))
    if len(text) > MAX_CHARS:
        return None
    if _CONTROL.search(text):
        _drop_controls(body)
    if body.tag != "body":
        shell = new_element("body")
        shell.append(body)
        body = shell
    page = new_element("html")
    page.append(body)
    found, _ = extract_content(convert_tags(tree_cleaning(page, _OPTIONS), _OPTIONS, None), _OPTIONS)
    return list(_texts(found))


#: What libxml2 reads but refuses to be given back: the engine would raise on a page with one of them.
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def _drop_controls(body: HtmlElement) -> None:
    for element in body.iter("*"):
        element.text = _CONTROL.sub("", element.text or "")
        element.tail = _CONTROL.sub("", element.tail or "")


def _count(expression: etree.XPath, area: HtmlElement) -> int:
    found = expression(area)
    assert isinstance(found, float)
    return int(found)


def _texts(body: etree._Element) -> Iterable[str]:
    """The texts of the engine's own tree: a line break parts two of them."""
    for element in body:
        parts = [
            part for child in element.iter("item", "row", "p", "quote", "head", "lb") if (part := _own_text(child))
        ]
        yield from (folded for part in parts or [_joined(element)] if (folded := fold(part)))


def _own_text(element: etree._Element) -> str:
    if element.tag == "lb":
        return element.tail or ""
    return _joined(element)


def _joined(element: etree._Element) -> str:
    return (" " if element.tag == "row" else "").join(map(str, element.itertext("*")))
