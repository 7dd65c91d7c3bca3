"""Who a page says wrote its article: JSON-LD, meta elements, microdata, then the byline that readers see."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from lxml.etree import XPath
from lxml.html import HtmlElement

from extraction import authors, jsonld
from extraction.authors import Byline
from extraction.declared import Declared
from extraction.evidence import Log
from extraction.page import after, before, elements

_METAS: Final = (
    "author article:author_name article:author og:article:author parsely-author sailthru.author byl dc.creator"
    " dcterms.creator citation_author cxenseparse:author cxenseparse:recs:author shareaholic:article_author_name"
    " rnews:author vr:author news_author"
).split()
_INVERTED: Final = frozenset({"dc.creator", "dcterms.creator", "citation_author"})
_CLASS = re.compile(
    r"(?:^|[\s_-])(?:authors?|byline|autor(?:en)?|auteurs?|verfasser|redakteur|writer|journalist|reporter|signature|firma)"
    r"(?:[_-]*(?:names?|info|link|text|content|item|title|wrapper|container|label))?(?:[\s_-]|$)|[Bb]yline"
    r"|Authors?(?=[A-Z_-])|authorName|person-(?:link|name)"
)
#: Where a byline stands: elements before and after the page's headline.
_BEFORE: Final = 40
_AFTER: Final = 250
_LINKS = XPath("//a[@rel='author' or @href]")
_NO_CLASS = re.compile(
    r"bio|image|img|photo|avatar|social|share|comment|related|teaser|card|caption|credit|desc|box|more|follow|footer"
    r"|sidebar|recommend|promo|reply",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"/(?:authors?|autor(?:en|es)?|auteurs?|autori|by|staff|contributors?|redaktion|reporters?"
    r"|journalists?|writers?|byline)/[^/]",
    re.IGNORECASE,
)
#: Most elements looked at, and most characters of a byline: beyond, it is a list of authors or a biography.
_MAX_ELEMENTS: Final = 12
_MAX_TEXT: Final = 200
_MAX_LINK: Final = 60


def read(says: Declared, sites: frozenset[str], log: Log) -> Byline:
    """Return the names of the page's authors.

    The first source that names persons or an agency wins. Where one names only the site, which publishes and says so
    elsewhere, later sources are asked for persons (a visible byline only if it says "by"); beside a person the site is
    left out.
    """
    own: tuple[str, ...] = ()
    for source, raw, byline in _candidates(says, sites):
        others = tuple(name for name in byline.organisations if not authors.is_site(name, sites))
        taken = bool(byline.persons or others) and not (own and source == _NAMED and not _BY.match(raw))
        log.add("authors", source, raw, chosen=taken)
        if taken:
            return Byline(byline.persons, others)
        own = own or byline.organisations
    return Byline((), own)


_NAMED: Final = "[class~=byline]"
_BY = re.compile(r"(?:by|von|par|por|av|af|door|di|od|oleh|przez)\b", re.IGNORECASE)


def _candidates(says: Declared, sites: frozenset[str]) -> Iterator[tuple[str, str, Byline]]:
    for key in ("author", "creator"):
        if key == "creator" and any(says.ld("author")):
            break
        for source, value in says.ld(key):
            byline = _of_json(says.resolved(value), sites)
            yield source, "; ".join(jsonld.texts(value)), byline
    for name in (*_METAS, "twitter:misc:written by"):
        if values := says.metas.get(name):
            single = values[:1] if name == "author" else values
            yield f"meta:{name}", "; ".join(single), authors.read(single, sites=sites, inverted=name in _INVERTED)
    for name in ("author", "creator"):
        if elements := says.items.get(name):
            texts = [_item_text(element) for element in elements[:10]]
            yield f"microdata:{name}", "; ".join(texts), authors.read(texts, sites=sites)
    if says.metas.get("twitter:label1", [""])[0].strip(": ").casefold() in _WRITTEN_BY:
        for source, value in says.meta("twitter:data1"):
            yield source, value, authors.read([value], sites=sites)
    for source, text in _seen(says):
        found = authors.read([text], sites=sites)
        yield source, text, Byline(tuple(name for name in found.persons if _full(name)), found.organisations)


def _full(name: str) -> bool:
    """Tell whether a name found in passing is one: two words or more, or a script without spaces."""
    return (" " in name and name[:1].isupper()) or (
        not name.isascii() and not name[:1].islower() and not name[:1].isupper()
    )


_WRITTEN_BY: Final = frozenset(
    {
        "written by",
        "by",
        "author",
        "verfasst von",
        "geschrieben von",
        "écrit par",
        "escrito por",
        "scritto da",
        "geschreven door",
        "von",
    }
    | {"napisane przez", "skrevet av", "skrevet af", "skriven av", "yazan", "autor", "автор", "написано"}
)


def _of_json(value: Any, sites: frozenset[str]) -> Byline:  # noqa: ANN401 - JSON is of any type
    """Read an author value: a name, a Person, an Organization, or a list of them."""
    persons: dict[str, None] = {}
    organisations: dict[str, None] = {}
    for item in (value if isinstance(value, list) else [value])[: authors.MAX_AUTHORS * 2]:
        kinds = jsonld.types(item) if isinstance(item, dict) else ()
        found = authors.read(
            jsonld.texts(item), sites=sites, organisation=any("Organization" in kind for kind in kinds)
        )
        persons.update(dict.fromkeys(found.persons))
        organisations.update(dict.fromkeys(found.organisations))
    return Byline(tuple(persons)[: authors.MAX_AUTHORS], tuple(organisations)[: authors.MAX_AUTHORS])


def _item_text(element: HtmlElement) -> str:
    if value := element.get("content"):
        return str(value)
    name = element.find(".//*[@itemprop='name']")
    return _text(element if name is None else name)


def _text(element: HtmlElement) -> str:
    """Return the text of an element, one line for each piece of it."""
    if value := element.get("content"):
        return str(value)
    pieces = (
        " ".join(piece.split())
        for piece in element.itertext("a", "span", "div", "p", "li", "b", "strong", "em", "address", element.tag)
    )
    return "\n".join(filter(None, pieces))[: _MAX_TEXT * 4]


def _seen(says: Declared) -> Iterator[tuple[str, str]]:
    """Yield the texts of what looks like a byline near the headline: links to authors' pages, then elements named so.

    Links further down (a box about the author) come last.
    """
    tree = says.page.tree
    h1 = next(tree.iter("h1"), None)
    around = [] if h1 is None else [*reversed([*islice(before(h1), _BEFORE)]), *islice(after(h1), _AFTER)]
    yield from _linked(element for element in around if element.tag == "a")
    named = (element for element in around if _CLASS.search(element.get("class") or ""))
    for element in islice(named, _MAX_ELEMENTS):
        if not _elsewhere(element) and (text := _text(element)) and len(text) <= _MAX_TEXT:
            yield _NAMED, text
    yield from _linked(elements(tree, _LINKS))


def _linked(links: Iterable[HtmlElement]) -> Iterator[tuple[str, str]]:
    """Yield the texts of links to authors' pages, those of one parent together."""
    found: dict[HtmlElement | None, list[str]] = {}
    to_authors = (a for a in links if a.get("rel") == "author" or _LINK.search(a.get("href") or ""))
    for link in islice(to_authors, _MAX_ELEMENTS):
        if not _elsewhere(link) and (text := _text(link)) and len(text) <= _MAX_LINK:
            found.setdefault(link.getparent(), []).append(text)
    for texts in found.values():
        yield "a[author]", "; ".join(dict.fromkeys(texts))


def _elsewhere(element: HtmlElement) -> bool:
    """Tell whether an element belongs to a picture, a biography, a teaser, a comment or the like."""
    for _, node in zip(range(6), (element, *element.iterancestors()), strict=False):
        if node.tag in {"main", "body", "article"}:
            return False
        if node.tag in _ASIDE or _NO_CLASS.search(node.get("class") or ""):
            return True
        if node.tag == "li" and len(str(node.text_content()).split()) > 12:  # a teaser, not one of several authors
            return True
    return False


_ASIDE: Final = frozenset({"footer", "nav", "aside", "form", "figure", "figcaption"})
