"""Sources found and checked: where a site's feeds and sitemaps are, and what each of them yields now."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
from lxml import etree

from extraction.records import Outcome
from extraction.urls import BadUrlError, canonicalize, host, registrable_domain, same_site
from spiders import markup
from spiders.discovery import Parsed, parse_source
from spiders.fetcher import Fetch, Fetched
from spiders.findings import clean_title
from spiders.robots import parse
from spiders.sections import beyond_a_tree, looks_like_article
from spiders.site import Network, Site, SiteError, Sources
from spiders.sitevalues import countries, whole_domain, zones
from spiders.sourcetext import is_utf8

MAX_CANDIDATES = 40  # asked for while finding: a page may name hundreds of feeds
MAX_SECTIONS = 12  # tried where there is neither feed nor sitemap
LEAST_LINKS = 3  # to articles, for a page to be a section
MAX_PAGE_BYTES = 4 * 1024 * 1024

#: Where sites have their sources by habit, tried if the site names none of the kind itself.
USUAL_FEEDS = ("/feed/", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feed.json")
USUAL_SITEMAPS = ("/news-sitemap.xml", "/sitemap-news.xml", "/sitemap_news.xml", "/sitemap.xml", "/sitemap_index.xml")

_FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"})
_FEED_KINDS = frozenset({"rss", "rdf", "feed", "json"})
_SITEMAP_KINDS = frozenset({"urlset", "sitemapindex"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What a source yields now. `newest` is UTC; `problems` are sentences; `outcome` is None where it is sound."""

    url: str
    found_by: str
    outcome: Outcome | None
    articles: int = 0
    sitemaps: int = 0
    refused: int = 0
    newest: datetime | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A site as far as it can be told from its home page, and the sources that answered; `tried` says what did not."""

    site: Site
    reports: tuple[SourceReport, ...]
    tried: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Page:
    """What a home page says of its site."""

    title: str | None
    language: str | None
    links: tuple[str, ...]  # feeds by rel=alternate
    sections: tuple[str, ...]  # pages of the first level that it links to


def find_sources(
    url: str,
    fetch: Fetch,
    *,
    name: str | None = None,
    network_allow: tuple[str, ...] = (),
    now: datetime | None = None,
) -> Found:
    """Find the feeds and sitemaps of the site at `url`: what it names itself first, the usual places for the rest.

    A site that has neither gets the sections that its home page links to.

    Every source is fetched and read before it is taken. Raises SiteError if the URL is none or cannot be fetched.
    """
    try:
        start = canonicalize(url if "://" in url else f"https://{url}")
    except BadUrlError as error:
        raise SiteError(f"{url[:200]!r}: {error.reason}; give a home page, for example www.politico.eu") from error
    home = fetch(start)
    if home.outcome is not None:
        raise SiteError(f"{start}: {home.outcome}: {home.reason}; give a home page that can be fetched")
    page = _read_page(home)
    site = _draft(home.url, page, name or _name_of(home.url), network_allow)
    finding = _Finding(site, fetch, now or datetime.now(UTC))
    finding.take("feed", page.links)
    finding.take("sitemap", _sitemaps_of_robots(home.url, fetch))
    if not finding.has("feed"):
        finding.take("feed", tuple(canonicalize(path, home.url) for path in USUAL_FEEDS), first_only=True)
    if not finding.has("news_sitemap") or not finding.has("sitemap"):
        finding.take("sitemap", tuple(canonicalize(path, home.url) for path in USUAL_SITEMAPS))
    if not finding.reports:
        finding.take_sections(page.sections)
    return Found(
        site=msgspec.structs.replace(site, sources=finding.sources()),
        reports=tuple(finding.reports.values()),
        tried=tuple(finding.tried),
    )


def check_site(site: Site, fetch: Fetch, *, now: datetime | None = None) -> list[SourceReport]:
    """Fetch and read each source of a site as a crawl would tonight."""
    return [_report(site, found_by, url, fetch(url), now)[0] for found_by, url in site.seeds()]


class _Finding:
    """Tries candidates and keeps the sound ones, each under the kind that it turns out to be."""

    def __init__(self, site: Site, fetch: Fetch, now: datetime) -> None:
        self.site, self.fetch, self.now = site, fetch, now
        self.reports: dict[str, SourceReport] = {}
        self.tried: list[str] = []
        self._asked: set[str] = set()

    def has(self, kind: str) -> bool:
        return any(report.found_by == kind for report in self.reports.values())

    def take(self, found_by: str, urls: tuple[str, ...], *, first_only: bool = False) -> None:
        """Try URLs; `first_only` stops at the first sound one, for usual paths are often the same feed."""
        for url in urls:
            if url in self._asked:
                continue
            if len(self._asked) >= MAX_CANDIDATES:
                self.tried.append(f"{url}: not tried, {MAX_CANDIDATES} were before it")
                continue
            self._asked.add(url)
            report, parsed = _report(self.site, found_by, url, self.fetch(url), self.now)
            kind = _kind(parsed) if parsed else None
            if report.outcome or kind is None or not (report.articles or report.sitemaps):
                self.tried.append(f"{url}: {report.outcome or 'nothing of the site in it'}")
                continue
            self.reports.setdefault(report.url, replace(report, found_by=kind))
            if first_only:
                return

    def take_sections(self, urls: tuple[str, ...]) -> None:
        """Keep the pages that link to several articles: the last resort."""
        for url in urls:
            report, _ = _report(self.site, "section", url, self.fetch(url), self.now)
            if report.articles >= LEAST_LINKS:
                self.reports.setdefault(report.url, report)
            else:
                self.tried.append(f"{url}: {report.outcome or 'hardly a link to an article'}")

    def sources(self) -> Sources:
        """The sound sources by kind."""

        def of(kind: str) -> tuple[str, ...]:
            return tuple(report.url for report in self.reports.values() if report.found_by == kind)

        return Sources(
            feeds=of("feed"), news_sitemaps=of("news_sitemap"), sitemaps=of("sitemap"), sections=of("section")
        )


def _report(
    site: Site, found_by: str, url: str, fetched: Fetched, now: datetime | None
) -> tuple[SourceReport, Parsed | None]:
    if fetched.outcome is not None:
        problems = (fetched.reason,) if fetched.reason else ()
        return SourceReport(url=url, found_by=found_by, outcome=fetched.outcome, problems=problems), None
    kind = next((value for name, value in fetched.headers if name.lower() == "content-type"), None)
    parsed = parse_source(fetched.body, fetched.url, site, found_by=found_by, now=now, content_type=kind)
    bounded = (f"cut at its bound: {parsed.bounded}",) if parsed.bounded else ()
    moved = (f"moved to {fetched.url}",) if fetched.url != url else ()
    report = SourceReport(
        url=fetched.url if same_site(fetched.url, url) else url,
        found_by=found_by,
        outcome=parsed.outcome,
        articles=len(parsed.discoveries),
        sitemaps=len(parsed.children),
        refused=len(parsed.refused),
        newest=parsed.newest,
        problems=(*moved, *((fetched.reason,) if fetched.reason else ()), *parsed.problems, *bounded),
    )
    return report, parsed


def _kind(parsed: Parsed) -> str | None:
    """The key under which a source belongs: what it is, whatever it was taken for."""
    if parsed.kind in _FEED_KINDS:
        return "feed"
    if parsed.kind == "urlset" and parsed.discoveries:
        dated = sum(entry.published_hint is not None for entry in parsed.discoveries)
        return "news_sitemap" if dated * 2 > len(parsed.discoveries) else "sitemap"
    return "sitemap" if parsed.kind in _SITEMAP_KINDS or parsed.kind == "text" else None


def _sitemaps_of_robots(url: str, fetch: Fetch) -> tuple[str, ...]:
    fetched = fetch(canonicalize("/robots.txt", url))
    named = parse(fetched.body).sitemaps if fetched.outcome is None else ()
    return tuple(dict.fromkeys(filter(None, (_joined(text, url) for text in named))))


def _joined(text: str, url: str) -> str | None:
    try:
        return canonicalize(text, url)
    except BadUrlError:
        return None


def _read_page(fetched: Fetched) -> _Page:
    body = markup.unpack(fetched.body, max_bytes=MAX_PAGE_BYTES).body
    parser = etree.HTMLParser(
        encoding="utf-8" if is_utf8(body) else None, no_network=True, remove_comments=True, huge_tree=False
    )
    try:
        tree = None if beyond_a_tree(body) else etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        tree = None
    if tree is None:
        return _Page(None, None, (), ())
    metas = {
        str(meta.get("property") or meta.get("name") or "").lower(): str(meta.get("content") or "")
        for meta in tree.iter("meta")
    }
    name = _name_of(fetched.url)
    titles = [metas.get("og:site_name"), metas.get("application-name")]
    titles += [_title_of(str(title.text or ""), name) for title in tree.iter("title")]
    language = str(tree.get("lang") or metas.get("og:locale") or "").replace("_", "-")
    return _Page(
        title=next((clean for title in titles if (clean := clean_title(title))), None),
        language=language if re.fullmatch(r"[a-zA-Z]{2,3}(-[a-zA-Z]{2})?", language) else None,
        links=tuple(dict.fromkeys(_feeds_of(tree, fetched.url))),
        sections=tuple(dict.fromkeys(_sections_of(tree, fetched.url)))[:MAX_SECTIONS],
    )


def _feeds_of(tree: etree._Element, url: str) -> Iterator[str]:
    for link in tree.iter("link"):
        relations = str(link.get("rel") or "").lower().split()
        is_feed = str(link.get("type") or "").lower().split(";")[0].strip() in _FEED_TYPES
        target = _joined(str(link.get("href") or ""), url)
        if "alternate" in relations and is_feed and target:
            yield target


def _sections_of(tree: etree._Element, url: str) -> Iterator[str]:
    """Pages one level below the home page whose URLs do not look like articles'."""
    for link in tree.iter("a"):
        target = _joined(str(link.get("href") or ""), url)
        if target and same_site(target, url):
            parts = urlsplit(target)
            depth = len(parts.path.strip("/").split("/"))
            if parts.path != "/" and depth == 1 and not parts.query and not looks_like_article(target):
                yield target


def _title_of(text: str | None, name: str) -> str | None:
    """The site's part of a page's title: the part that its domain is named after, else the first."""
    parts = re.split(r"\s+[|–—·:-]\s+", clean_title(text) or "")
    named = [part for part in parts if re.sub(r"\W", "", part).lower() == name.replace("-", "")]
    return (named or parts)[0] or None


def _draft(url: str, page: _Page, name: str, network_allow: tuple[str, ...]) -> Site:
    """The site without sources. Country and zone are guessed from language and domain, for a person to mend."""
    suffix = host(url).rpartition(".")[2]
    region = (page.language or "").partition("-")[2].lower()
    guesses = (suffix.replace("uk", "gb"), region, _LANGUAGE_HOMES.get((page.language or "")[:2].lower(), ""), "us")
    country = next(guess for guess in guesses if guess in countries() and guess not in _GENERIC)
    return Site(
        name=name,
        title=(page.title or name)[:200],
        url=canonicalize("/", url),
        country=country,
        languages=(page.language or "en",),
        time_zone=_LARGEST_ZONE.get(country) or next(iter(zones(country)), "UTC"),
        enabled=True,
        hosts=(whole_domain(url),),
        network=Network(allow=network_allow),
    )


# Country codes that are sold as generic domains, homes of languages, and the zones of countries with several.
_GENERIC = frozenset({"io", "co", "me", "tv", "fm", "ai", "ag", "cc", "gg", "la", "ly", "ws", "to", "am"})
_LANGUAGE_HOMES = dict(
    pair.split(":")
    for pair in (
        "de:de fr:fr es:es it:it pt:pt nl:nl sv:se no:no nb:no da:dk fi:fi pl:pl cs:cz sk:sk hu:hu ro:ro bg:bg el:gr"
        " tr:tr ru:ru uk:ua he:il ar:eg fa:ir hi:in ja:jp ko:kr zh:cn vi:vn th:th id:id lt:lt lv:lv et:ee hr:hr sl:si"
    ).split()
)
_LARGEST_ZONE = {
    "us": "America/New_York",
    "ca": "America/Toronto",
    "au": "Australia/Sydney",
    "br": "America/Sao_Paulo",
    "mx": "America/Mexico_City",
    "ru": "Europe/Moscow",
    "de": "Europe/Berlin",
    "es": "Europe/Madrid",
    "pt": "Europe/Lisbon",
    "id": "Asia/Jakarta",
    "cn": "Asia/Shanghai",
    "nz": "Pacific/Auckland",
    "ua": "Europe/Kyiv",
}


def _name_of(url: str) -> str:
    """A name for the file: the domain without its suffix, or the first label where it stands for itself."""
    domain = registrable_domain(url)
    label = host(url) if domain.replace(".", "").isdigit() or ":" in domain else domain.split(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:64].strip("-") or "site"
