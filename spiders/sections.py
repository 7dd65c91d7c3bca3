"""A section page → the articles it links to. The last resort: a page says less of its links than a feed does."""

import re
from collections import Counter
from datetime import datetime
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree

from extraction.records import Outcome
from extraction.urls import BadUrlError, canonicalize
from spiders import markup
from spiders.findings import Findings, Parsed
from spiders.site import Site
from spiders.sourcetext import is_utf8

MAX_PAGE_BYTES = 8 * 1024 * 1024
MAX_TAGS = 300_000  # in a tree: each takes some hundred bytes
MAX_ATTRIBUTES = 200  # of a tag: libxml2 compares each with each, 100,000 take it 113 s
MAX_LINKS = 5000  # read of one page
MAX_QUERIES = 5  # of one path: more is a calendar, a filter or a session id
MAX_SHAPE = 300  # links of one shape (digits alike) on one page: more is a calendar or an archive

# Words that name a page of links in the languages of the catalogue; whole segments of a path.
_NAVIGATION = frozenset(
    "about archiv archive archives author authors autor autoren autore autori auteur category categoria "
    "categorie kategorie contact cookies datenschutz epaper help impressum jobs kontakt legal login logout "
    "newsletter newsletters podcast podcasts privacy register registration rss search shop signin sitemap "
    "subscribe suche tag tags tema thema themen topic topics user users video videos wp-admin wp-content "
    "wp-json".split()
)
_DATE = re.compile(r"/(?:19|20)\d\d[/-]?(?:0[1-9]|1[0-2]|[a-z]{3})(?:[/-]|\d\d)")
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")
_NUMBER = re.compile(r"\d{5,}")
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[-_][^\W_]+){3,}")
_HREF = re.compile(
    rb"""<a\s[^<>]{0,500}?href\s*=\s*(?:"([^"<>]{1,4000})"|'([^'<>]{1,4000})'|([^\s"'<>]{1,4000}))""", re.IGNORECASE
)


def parse_section(body: bytes, url: str, site: Site, *, now: datetime | None = None) -> Parsed:
    """Take the links of an HTML page that look like articles; a site's `[articles] include` patterns decide alone.

    Links that look like pages of links are left out without an outcome: a page's menu is no promise of articles.
    """
    findings = Findings(url, site, "section", now)
    kind = markup.kind(body)
    if kind == "empty":
        return findings.parsed(kind, ["nothing in it"], bounded=None, outcome=Outcome.EMPTY)
    bounded = f"{MAX_PAGE_BYTES} bytes" if len(body) > MAX_PAGE_BYTES else None
    links, base = _links(body[:MAX_PAGE_BYTES], url)
    if len(links) > MAX_LINKS:
        bounded = f"{MAX_LINKS} links"
    for href, title in links[:MAX_LINKS]:
        try:
            target = canonicalize(href, base)
        except BadUrlError:
            continue  # javascript:, mailto: and the like are no articles
        if target != url and site.owns(target) and (site.articles.include or looks_like_article(target)):
            findings.add(target, title=title)
    _refuse_traps(findings)
    problems = [] if findings.discoveries else ["no link that looks like an article"]
    return findings.parsed("section", problems, bounded=bounded, outcome=Outcome.EMPTY)


def looks_like_article(url: str) -> bool:
    """Whether a canonical URL has a date, a long number or a last segment of several words, as articles' URLs do."""
    parts = urlsplit(url)
    path = parts.path.lower()
    segments = [segment for segment in path.split("/") if segment]
    if not segments or _NAVIGATION.intersection(segments[:-1]) or segments[-1] in _NAVIGATION:
        return False
    slug = segments[-1].rsplit(".", 1)[0]
    dated = _DATE.search(path) is not None and len(slug) > 2 and not re.fullmatch(r"[\d-]*", slug)
    encoded = slug.count("%") >= 12  # a slug of another script
    return dated or encoded or bool(_NUMBER.search(slug) or _NUMBER.search(parts.query) or _WORDS.search(slug))


def _links(body: bytes, url: str) -> tuple[list[tuple[str, str]], str]:
    """The links of a page with their texts, and the base that they are relative to."""
    encoding = "utf-8" if is_utf8(body) else None
    parser = etree.HTMLParser(encoding=encoding, no_network=True, remove_comments=True, huge_tree=False)
    try:
        tree = None if beyond_a_tree(body) else etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        tree = None
    links: list[tuple[str, str]] = []
    base = url
    if tree is not None:
        for element in tree.iter("base"):
            base = _joined(str(element.get("href") or ""), url) or url
            break
        for element in tree.iter("a"):
            if href := element.get("href"):
                links.append((str(href), _text(element)))
            if len(links) > MAX_LINKS:
                break
    if not links:  # too many tags for a tree, or one too deep or too broken for the parser
        found = islice(_HREF.finditer(body), MAX_LINKS + 1)
        links = [((link[1] or link[2] or link[3]).decode("utf-8", "replace"), "") for link in found]
    return links, base


def beyond_a_tree(body: bytes) -> bool:
    """Whether a tree of the page would cost too much: it has too many tags, or one of too many attributes."""
    pieces = body.split(b"<", MAX_TAGS + 1)
    return len(pieces) > MAX_TAGS or any(
        max(len(tag.split(None, MAX_ATTRIBUTES)), tag.count(b"="), tag.count(b"/")) > MAX_ATTRIBUTES
        for piece in pieces
        if len(piece) > 2 * MAX_ATTRIBUTES and (tag := _QUOTED.sub(b"", piece).partition(b">")[0])
    )


def _joined(href: str, url: str) -> str | None:
    try:
        return canonicalize(href, url)
    except BadUrlError:
        return None


def _text(element: etree._Element) -> str:
    text = " ".join("".join(str(part) for part in element.itertext()).split())[:400] or str(element.get("title") or "")
    return text if len(text) >= 12 else ""  # "more", "read on" and numbers of comments are no titles


def _refuse_traps(findings: Findings) -> None:
    """Refuse what a page links to under ever new names: many queries of one path, many paths of one shape."""
    paths: Counter[str] = Counter()
    shapes: Counter[str] = Counter()
    for url in list(findings.discoveries):
        parts = urlsplit(url)
        if parts.query:
            paths[parts.path] += not _NUMBER.search(parts.query)
            if paths[parts.path] > MAX_QUERIES and not findings.site.articles.include:
                reason = f"more than {MAX_QUERIES} queries of {parts.path[:200]} on one page"
                findings.refuse(url, Outcome.EXCLUDED, reason)
                continue
        shape = re.sub(r"\d+", "0", parts.path) if not _WORDS.search(parts.path) else ""
        shapes[shape] += 1
        if shape and shapes[shape] > MAX_SHAPE:
            findings.refuse(url, Outcome.EXCLUDED, f"more than {MAX_SHAPE} links like {shape[:200]} on one page")
