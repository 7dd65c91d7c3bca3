"""What a page says of its article, each field with its evidence.

Sources in their order: JSON-LD of the page's own article, meta elements, microdata, visible elements, and for the date
the URL and htmldate last. Nothing is invented: what no source says stays None.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Final

from lxml.etree import XPath

from extraction import byline, datestamps, declared, headline, jsonld
from extraction.declared import Declared
from extraction.evidence import Log
from extraction.page import ParsedPage, before, elements
from extraction.records import Metadata
from extraction.text import fold, tidy
from extraction.urls import BadUrlError, canonicalize, host, registrable_domain, url_key

#: Bounds of the fields: characters and counts.
MAX_DESCRIPTION: Final = 5000
MAX_KEYWORDS: Final = 50
_MAX_WORDS: Final = 200

_SECTION: Final = "article:section og:article:section parsely-section section cxenseparse:section".split()
_KEYWORDS: Final = "news_keywords article:tag og:article:tag keywords parsely-tags sailthru.tags".split()
_FALSE: Final = frozenset("false no 0 locked premium paid paywall subscription subscriber".split())
_TRUE: Final = frozenset("true yes 1 free".split())
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?(?![A-Za-z])")
_LIST_SEPARATOR = re.compile(r"\s*[,;|،、，]\s*")


def read(page: ParsedPage, *, seen: datetime | None = None) -> Metadata:
    """Return what a page says of its article. Never raises for any page.

    Args:
        page: parsed; its tree is not changed.
        seen: when it was fetched (UTC): dates after it are refused. None: now.
    """
    says = declared.read(page)
    log = Log()
    language = log.first("in_language", _languages(says))
    publisher = log.first("publisher", _publishers(says))
    sites = _site_names(says, publisher)
    title, alternative = _headline(says, sites, log)
    stamps = datestamps.read(says, language, seen, log)
    names = byline.read(says, sites, log)
    published, modified = stamps.published, stamps.modified
    return Metadata(
        headline=title,
        alternative_headline=alternative,
        description=log.first("description", _descriptions(says)),
        authors=names.persons,
        author_organisations=names.organisations,
        date_published=published.at if published else None,
        date_published_raw=published.raw if published else None,
        date_published_source=published.source if published else None,
        date_published_zone_known=published.moment.zone_known if published else None,
        date_modified=modified.at if modified else None,
        date_modified_raw=modified.raw if modified else None,
        date_modified_source=modified.source if modified else None,
        date_modified_zone_known=modified.moment.zone_known if modified else None,
        dates_disagree=stamps.disagree,
        in_language=language,
        publisher=publisher,
        article_section=log.first("article_section", _sections(says)),
        keywords=_keywords(says),
        main_image=log.first("main_image", _images(says), most=2),
        canonical_url=_canonical(says, log),
        is_accessible_for_free=_free(says, log),
        article_type=log.first("article_type", _types(says), most=2),
        robots=_robots(says),
        evidence=tuple(log.entries),
    )


def _clean(pairs: Iterable[tuple[str, Any]], limit: int = _MAX_WORDS) -> Iterator[tuple[str, str]]:
    """Turn (source, value) pairs into tidy texts, blank ones left out."""
    for source, value in pairs:
        if (raw := jsonld.text(value)) and (text := headline.clean(raw, limit)):
            yield source, text


def _headline(says: Declared, sites: frozenset[str], log: Log) -> tuple[str | None, str | None]:
    """Choose the headline; the alternative is what JSON-LD calls so, else the title that search engines are given."""
    h1 = headline.h1s(says.page.tree)
    shown = [fold(text) for text in h1]
    ld = next((headline.clean(jsonld.text(v)) for _, v in (*says.ld("headline"), *says.ld("name"))), "")
    og = next((headline.clean(v) for _, v in says.meta("og:title", "twitter:title", "title")), "")
    element = headline.clean(next((e.text for e in says.page.tree.iter("title")), ""))
    ld, og, element = (headline.without_site(text, sites, shown) for text in (ld, og, element))
    title, source = headline.choose(h1, "" if fold(ld) in sites else ld, og, element)
    for name, text in (("json_ld", ld), ("h1", h1[0] if h1 else ""), ("og", og), ("title", element)):
        if text:
            log.add("headline", name, title if name == source else text, chosen=name == source)
    said = next((headline.clean(jsonld.text(v)) for _, v in says.ld("alternativeHeadline")), "")
    alternative = next((text for text in (said, ld, og) if text and fold(text) != fold(title)), None)
    return title or None, alternative


def _site_names(says: Declared, publisher: str | None) -> frozenset[str]:
    """Return the folded names by which the page's site goes: for telling them from titles and persons."""
    domain = registrable_domain(says.page.url)
    names = [publisher or "", host(says.page.url), domain, domain.partition(".")[0]]
    names += [v for _, v in says.meta("og:site_name", "application-name", "apple-mobile-web-app-title", "twitter:site")]
    for node in says.graph.nodes[:40]:
        if {"Organization", "NewsMediaOrganization", "WebSite", "Corporation"} & set(jsonld.types(node)):
            names += list(jsonld.texts(node.get("name")))[:3] + list(jsonld.texts(node.get("alternateName")))[:3]
    return frozenset(key for name in names if (key := fold(headline.clean(name).removeprefix("@")))) - {"www"}


def _languages(says: Declared) -> Iterator[tuple[str, str]]:
    found = [
        (
            "html[lang]",
            says.page.tree.get("lang") or says.page.tree.get("{http://www.w3.org/XML/1998/namespace}lang") or "",
        ),
        *((source, jsonld.text(value) or "") for source, value in says.ld("inLanguage")),
        *says.meta("content-language", "language", "dc.language", "dcterms.language", "og:locale"),
    ]
    for source, value in found:
        if match := _LANGUAGE.fullmatch(value.strip().split(",")[0]):
            language, script, region = match.groups()
            yield source, "-".join(filter(None, (language.lower(), (script or "").title(), (region or "").upper())))


def _publishers(says: Declared) -> Iterator[tuple[str, str]]:
    yield from _clean(((s, says.resolved(v)) for s, v in says.ld("publisher")))
    yield from _clean(says.meta("og:site_name", "dc.publisher", "publisher", "application-name"))


def _descriptions(says: Declared) -> Iterator[tuple[str, str]]:
    pairs = (
        *says.ld("description"),
        *says.meta("og:description", "description", "twitter:description", "dc.description"),
    )
    yield from _clean(pairs, MAX_DESCRIPTION)


def _sections(says: Declared) -> Iterator[tuple[str, str]]:
    """Yield what the page declares; where it declares nothing, what its breadcrumbs and its menu tell."""
    said = list(_clean((*says.ld("articleSection"), *says.meta(*_SECTION), *says.item("articleSection"))))
    said = said or list(_clean(_crumbs(says)))
    yield from said or _above_headline(says)


def _above_headline(says: Declared) -> Iterator[tuple[str, str]]:
    """Yield the word above the h1 that the page's menu has too."""
    menu = {
        fold(text): text for a in elements(says.page.tree, _MENU)[:200] if (text := tidy(str(a.text_content())[:80]))
    }
    h1 = next(says.page.tree.iter("h1"), None)
    for element in islice(before(h1), 6) if h1 is not None else ():
        section = menu.get(fold(str(element.text_content())[:80]))
        if section and next(element.iterancestors("nav"), None) is None:
            yield "above h1, and in the menu", section


def _crumbs(says: Declared) -> Iterator[tuple[str, str]]:
    """Yield the last step of the breadcrumbs before the article itself; the first is the home page."""
    for node in says.graph.nodes:
        if "BreadcrumbList" in jsonld.types(node) and isinstance(steps := node.get("itemListElement"), list):
            names = [
                jsonld.text(step) or jsonld.text(step.get("item")) for step in steps[:12] if isinstance(step, dict)
            ]
            titles = {fold(text) for text in headline.h1s(says.page.tree)}
            inner = [name for name in names[1:] if name and fold(headline.clean(name)) not in titles]
            if inner:
                yield "json_ld:BreadcrumbList", inner[-1]


_MENU: Final = XPath("//nav//a[@href]")


def _keywords(says: Declared) -> tuple[str, ...]:
    """Join the first source's words, split at commas and semicolons unless the page gave them as a list."""
    sources = [value for _, value in says.ld("keywords")][:1] or [says.metas[n] for n in _KEYWORDS if n in says.metas][
        :1
    ]
    raw = [text for value in sources for text in jsonld.texts(value)]
    words = raw if len(raw) > 1 else [word for text in raw for word in _LIST_SEPARATOR.split(text)]
    cleaned = (headline.clean(word, _MAX_WORDS) for word in words[: MAX_KEYWORDS * 4])
    unique: dict[str, str] = {}
    for word in cleaned:
        if (key := fold(word)) and not word.startswith("@"):  # "@post-id:…" is a template's
            unique.setdefault(key, word)
    return tuple(unique.values())[:MAX_KEYWORDS]


def _images(says: Declared) -> Iterator[tuple[str, str]]:
    pairs = (
        *says.ld("image"),
        *says.ld("thumbnailUrl"),
        *says.meta("og:image:secure_url", "og:image", "twitter:image"),
    )
    for source, value in pairs:
        url = jsonld.text(says.resolved(value), "url")
        if url and (absolute := _absolute(url, says.page.url)):
            yield source, absolute


def _absolute(url: str, base: str) -> str | None:
    try:
        return canonicalize(url, base)
    except BadUrlError:
        return None


def _canonical(says: Declared, log: Log) -> str | None:
    """Return the one URL that the page calls its own; several different ones cancel each other (RFC 6596)."""
    links = [e.get("href") or "" for e in says.page.tree.iter("link") if (e.get("rel") or "").lower() == "canonical"]
    said = [("link[canonical]", url) for url in links[:5] if url.strip()]
    said = said or [(source, url) for source, url in says.meta("og:url")][:1]
    found = {(_absolute(url, says.page.url) or "") for _, url in said} - {""}
    one = next(iter(found)) if len({url_key(url) for url in found}) == 1 else None
    for source, url in said:
        log.add("canonical_url", source, url, chosen=one is not None and _absolute(url, says.page.url) == one)
    return one


def _free(says: Declared, log: Log) -> bool | None:
    """Read isAccessibleForFree and its kin; of several, the first that is clear."""
    chosen: bool | None = None
    pairs = (
        *says.ld("isAccessibleForFree"),
        *says.meta("article:content_tier", "og:article:content_tier"),
        *says.item("isAccessibleForFree"),
    )
    for source, value in pairs[:6]:
        word = (jsonld.text(value) or "").strip().lower().rpartition("/")[2]
        meaning = False if word in _FALSE else True if word in _TRUE else None
        log.add("is_accessible_for_free", source, word, chosen=meaning is not None and chosen is None)
        chosen = meaning if chosen is None else chosen
    return chosen


def _types(says: Declared) -> Iterator[tuple[str, str]]:
    for node in says.nodes[:1]:
        yield from (("json_ld:@type", name) for name in jsonld.types(node)[:1])
    yield from (("meta:og:type", tidy(value)[:50]) for _, value in says.meta("og:type"))


def _robots(says: Declared) -> tuple[str, ...]:
    """Return the directives of robots meta elements, and of the rights elements that are read like them."""
    values = [value for _, value in says.meta("robots", "nightdesk")]
    words = (tidy(word.lower())[:80] for value in values for word in value.split(",")[:30])
    rights = (
        f"{name}={tidy(v)[:200]}" for name in ("tdm-reservation", "tdm-policy") for v in says.metas.get(name, [])[:1]
    )
    return tuple(dict.fromkeys(word for word in (*words, *rights) if word))[:MAX_KEYWORDS]
