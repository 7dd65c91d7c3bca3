"""What a page declares about itself: its meta elements, microdata and the JSON-LD node of its own article."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from lxml.etree import XPath
from lxml.html import HtmlElement

from extraction import headline, jsonld
from extraction.jsonld import Graph, Node
from extraction.page import ParsedPage, elements
from extraction.text import fold
from extraction.urls import BadUrlError, canonicalize, url_key

#: Most meta elements, and most values of one name, that are read; real pages stay below 150.
_MAX_METAS: Final = 600
_MAX_VALUES: Final = 60
#: Most characters of one value.
_MAX_VALUE: Final = 20_000
_MAX_ITEMS: Final = 400
_ITEMPROPS = XPath("//*[@itemprop]")
_OWN_KINDS: Final = ("article", "posting", "report")


@dataclass(frozen=True, slots=True)
class Declared:
    """What a page says of itself, unjudged.

    `metas` by lower-case name, property or itemprop; `items` are elements with microdata of the page's article, by
    itemprop; `nodes` the JSON-LD nodes of the page's own article, best first (without those of other articles).
    """

    page: ParsedPage
    metas: dict[str, list[str]]
    items: dict[str, list[HtmlElement]]
    graph: Graph
    nodes: tuple[Node, ...]

    def meta(self, *names: str) -> Iterator[tuple[str, str]]:
        """Yield (source, value) of the meta elements of these names, in their order."""
        for name in names:
            for value in self.metas.get(name, ()):
                yield f"meta:{name}", value

    def item(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield (source, value) of the article's microdata of this name."""
        for element in self.items.get(name, ())[:_MAX_VALUES]:
            text = element.get("content") or element.get("href") or str(element.text_content())[:_MAX_VALUE]
            if text.strip():
                yield f"microdata:{name}", text

    def ld(self, key: str) -> Iterator[tuple[str, Any]]:
        """Yield (source, value) of a JSON-LD property over the article's nodes."""
        for node in self.nodes:
            if (value := node.get(key)) not in (None, "", [], {}):
                yield f"json_ld:{'/'.join(jsonld.types(node)[:1])}.{key}", value

    def resolved(self, value: Any) -> Any:  # noqa: ANN401 - JSON is of any type
        """Return a JSON-LD value with a bare reference ({"@id": …}) replaced by the node it names."""
        if isinstance(value, list):
            return [self.resolved(item) for item in value[:_MAX_VALUES]]
        if isinstance(value, dict) and "name" not in value and isinstance(name := value.get("@id"), str):
            return self.graph.by_id.get(name, value)
        return value


def read(page: ParsedPage) -> Declared:
    """Collect what a page declares. Never raises."""
    metas = _metas(page.tree)
    graph = jsonld.read(page.tree)
    return Declared(page=page, metas=metas, items=_items(page.tree), graph=graph, nodes=_own_nodes(page, metas, graph))


def _metas(tree: HtmlElement) -> dict[str, list[str]]:
    metas: dict[str, list[str]] = {}
    for _, element in zip(range(_MAX_METAS), tree.iter("meta"), strict=False):
        name = element.get("property") or element.get("name") or element.get("http-equiv")
        if not name and (parent := element.getparent()) is not None and parent.tag == "head":
            name = element.get("itemprop")  # elsewhere it belongs to an item, perhaps a teaser's
        value = (element.get("content") or "").strip()
        if name and value:
            values = metas.setdefault(name.strip().lower()[:100], [])
            if len(values) < _MAX_VALUES:
                values.append(value[:_MAX_VALUE])
    return metas


def _items(tree: HtmlElement) -> dict[str, list[HtmlElement]]:
    """Return elements with itemprop that stand in an article's item, or in no item at all."""
    items: dict[str, list[HtmlElement]] = {}
    kinds: dict[HtmlElement, bool] = {}
    for _, element in zip(range(_MAX_ITEMS), elements(tree, _ITEMPROPS), strict=False):
        if element.tag != "meta" or element.getparent() is None or element.getparent().tag != "head":
            scope = next(
                (a for a in element.iterancestors() if a.get("itemtype") or a.get("itemscope") is not None), None
            )
            if scope is not None and scope not in kinds:
                kinds[scope] = any(kind in (scope.get("itemtype") or "").lower() for kind in _OWN_KINDS)
            if scope is None or kinds[scope]:
                for name in (element.get("itemprop") or "").split()[:5]:
                    items.setdefault(name, []).append(element)
    return items


def _own_nodes(page: ParsedPage, metas: dict[str, list[str]], graph: Graph) -> tuple[Node, ...]:
    """Return the JSON-LD nodes of the page's own article.

    Pages carry the nodes of teasers too. The own one names the page's URL, or the page's title; one that names another
    URL and another title is somebody else's.
    """
    articles = [node for node in graph.nodes if jsonld.is_article(node)]
    if not articles:
        return ()
    if len(articles) == 1 and "headline" in articles[0]:
        return tuple(articles)
    keys = _own_keys(page, metas)
    titles = {
        fold(headline.clean(t))
        for t in [*metas.get("og:title", [])[:1], *(e.text or "" for e in page.tree.iter("title"))]
    }
    titles |= {fold(text) for text in headline.h1s(page.tree)}
    ranked = sorted(
        ((_rank(node, keys, titles, page.url), -i, node) for i, node in enumerate(articles)),
        key=lambda r: r[:2],
        reverse=True,
    )
    best = ranked[0][0]
    return tuple(node for rank, _, node in ranked if rank >= max(best - 1, 0)) or (
        tuple(articles[:1]) if len(articles) <= 2 else ()
    )


def _own_keys(page: ParsedPage, metas: dict[str, list[str]]) -> set[str]:
    links = [e.get("href") or "" for e in page.tree.iter("link") if (e.get("rel") or "").lower() == "canonical"]
    return {key for url in [page.url, *links[:3], *metas.get("og:url", [])[:2]] if (key := _key(url, page.url))}


def _key(url: str, base: str) -> str | None:
    try:
        return url_key(canonicalize(url, base))
    except BadUrlError:
        return None


def _rank(node: Node, keys: set[str], titles: set[str], base: str) -> int:
    """Rate how surely a node is the page's own: 2 by URL, 2 by title, -1 if its URL is another's."""
    rank = 0
    urls = [u for name in ("url", "mainEntityOfPage", "@id") for u in jsonld.texts(node.get(name), "@id")]
    found = {key for url in urls[:6] if url.startswith(("http", "/")) and (key := _key(url, base))}
    if found & keys:
        rank += 2
    elif found:
        rank -= 1
    title = fold(headline.clean(jsonld.text(node.get("headline") or node.get("name"))))
    if title and any(title in other or other in title for other in titles if len(other) > 8):
        rank += 2
    return rank
