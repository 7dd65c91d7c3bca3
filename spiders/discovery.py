"""Sources read: the bytes of a feed, sitemap or section page → what they name. Pure: nothing is fetched.

A source is read as what it is, not as what its name or list says: feeds stand in for sitemaps (sitemaps.org allows it),
sitemaps are found where a feed was promised, and HTML where either was.
"""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from extraction.records import Outcome
from spiders import markup
from spiders.findings import Child, Findings, Parsed, Refusal, index_lies
from spiders.markup import Field, Record, Take, Unpacked
from spiders.sections import parse_section
from spiders.site import Site
from spiders.sourcedates import parse_date
from spiders.sourcetext import to_utf8

__all__ = ["Child", "Parsed", "Refusal", "index_lies", "parse_feed", "parse_section", "parse_sitemap", "parse_source"]

MAX_JSON_BYTES = 4 << 20  # JSON can be read as a whole only, and its values take up to twenty times their text

_PUBLISHED = ("pubdate", "published", "issued", "dc:date", "dc:issued", "dc:created", "created")
_MODIFIED = ("updated", "modified", "dc:modified")
_WITH_TIME = re.compile(r"\d[:.hT]\d\d|^\s*\d{10}")
_LINE = re.compile(rb"^[^\S\r\n]*\S", re.MULTILINE)
_LINK_LINE = re.compile(rb"(?:^|\r)[^\S\r\n]*(https?://[^\r\n]{0,8192})", re.MULTILINE | re.IGNORECASE)
_WANTED = {"feed": "a feed", "news_sitemap": "a sitemap", "sitemap": "a sitemap"}


def parse_feed(body: bytes, url: str, site: Site, *, now: datetime | None = None) -> Parsed:
    """Read RSS 0.9 to 2.0, RDF, Atom 0.3 and 1.0 or JSON Feed. Never raises; see `Parsed` for what can be wrong."""
    return parse_source(body, url, site, found_by="feed", now=now)


def parse_sitemap(
    body: bytes, url: str, site: Site, *, found_by: str = "sitemap", now: datetime | None = None
) -> Parsed:
    """Read a sitemap, news sitemap, sitemap index or list of URLs, gzipped or not. `found_by` as in Discovery."""
    return parse_source(body, url, site, found_by=found_by, now=now)


def parse_source(
    body: bytes, url: str, site: Site, *, found_by: str, now: datetime | None = None, content_type: str | None = None
) -> Parsed:
    """Read a source that `found_by` names. A date without a zone is in the site's; `now` is UTC, else the clock's.

    `content_type` is the header's value, whose charset counts where the body names none.
    """
    if found_by == "section":
        return parse_section(body, url, site, now=now)
    unpacked = markup.unpack(body)
    problems = [unpacked.problem] if unpacked.problem else []
    kind = markup.kind(unpacked.body)
    findings = Findings(url, site, found_by, now)
    if kind == "empty":
        outcome = Outcome.UNDECODABLE if problems else Outcome.EMPTY
        return findings.parsed(kind, problems or ["nothing in it"], bounded=unpacked.bounded, outcome=outcome)
    if kind == "html":
        wanted = f"an HTML page instead of {_WANTED.get(found_by, 'a source')}"
        return findings.parsed(kind, [*problems, wanted], bounded=unpacked.bounded, outcome=Outcome.ERROR_PAGE)
    if kind == "json":
        return _json(unpacked, findings, problems)
    if kind == "text":
        return _text(unpacked, findings, problems)
    return _xml(unpacked, findings, problems, kind, content_type)


def _xml(unpacked: Unpacked, findings: Findings, problems: list[str], kind: str, content_type: str | None) -> Parsed:
    latest = findings

    def begin() -> Take:
        nonlocal latest
        latest = Findings(findings.url, findings.site, findings.found_by, findings.now)
        zone = ZoneInfo(findings.site.time_zone)

        def take(record: Record) -> bool:
            if latest.full:
                return False
            _add(record, latest, zone)
            return True

        return take

    found, bounded = markup.read_records(unpacked.body, begin, content_type)
    bounded = f"{bounded} ({len(latest.discoveries)} read)" if bounded == "entries" else bounded
    return latest.parsed(
        kind,
        problems + found,
        bounded=bounded or unpacked.bounded,
        outcome=Outcome.UNDECODABLE if found else Outcome.EMPTY,
    )


def _add(record: Record, findings: Findings, zone: ZoneInfo) -> None:
    if record.tag == "sitemap":
        if location := record.first("loc"):
            findings.add_child(location, base=record.base, lastmod=_lastmod(record.first("lastmod"), zone))
    elif record.tag == "url":
        if location := record.first("loc"):
            findings.add(
                location,
                base=record.base,
                lastmod=_lastmod(record.first("lastmod"), zone),
                published=parse_date(record.first("news:publication_date"), zone),
                title=record.first("news:title"),
            )
    elif location := _link(record, findings):
        findings.add(
            location,
            base=record.base,
            lastmod=_lastmod(record.first(*_MODIFIED), zone),
            published=parse_date(record.first(*_PUBLISHED), zone),
            title=record.first("title", "dc:title"),
        )


def _link(record: Record, findings: Findings) -> str | None:
    """The URL of a feed's entry: the first of its links that is on the site, else the first at all.

    Feeds behind a counting proxy hold the article's own URL in feedburner:origLink or in the guid.
    """
    links: list[tuple[int, str]] = []
    for entry in record.fields:
        text = entry.attributes.get("href") or entry.text
        if not text:
            continue
        if entry.name == "feedburner:origlink":
            links.append((0, text))
        elif entry.name == "link" and entry.attributes.get("rel", "alternate") == "alternate":
            links.append((1 if "html" in entry.attributes.get("type", "html") else 2, text))
        elif entry.name in {"guid", "id"} and _is_permalink(entry):
            links.append((3, text))
    if record.about:
        links.append((4, record.about))
    ordered = [text for _, text in sorted(links, key=lambda link: link[0])]
    return next((text for text in ordered if findings.owned(text, record.base)), ordered[0] if ordered else None)


def _is_permalink(entry: Field) -> bool:
    said = entry.attributes.get("ispermalink", "true").lower() != "false"
    return said and entry.text.startswith(("http://", "https://"))


def _lastmod(text: str | None, zone: ZoneInfo) -> datetime | None:
    """A bare day means its end: who was there in the morning may have missed the change of the evening."""
    date = parse_date(text, zone)
    if date and text and not _WITH_TIME.search(text):
        return date + timedelta(days=1, seconds=-1)
    return date


class _Item(msgspec.Struct):
    """An item of JSON Feed 1.1 (jsonfeed.org), as far as it is read; feeds put numbers and nulls anywhere."""

    url: Any = None
    external_url: Any = None
    id: Any = None
    title: Any = None
    date_published: Any = None
    date_modified: Any = None


class _Feed(msgspec.Struct):
    items: list[_Item | None] = []


def _json(unpacked: Unpacked, findings: Findings, problems: list[str]) -> Parsed:
    body, problem = to_utf8(unpacked.body)
    problems = [*problems, problem] if problem else problems
    zone = ZoneInfo(findings.site.time_zone)
    if len(body) > MAX_JSON_BYTES:
        too_large = f"a JSON Feed of more than {MAX_JSON_BYTES} bytes"
        return findings.parsed(
            "json", [*problems, too_large], bounded=f"{MAX_JSON_BYTES} bytes", outcome=Outcome.TOO_LARGE
        )
    try:
        items = msgspec.json.decode(body.strip(), type=_Feed).items
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return findings.parsed(
            "json", [*problems, f"not a JSON Feed: {error}"], bounded=unpacked.bounded, outcome=Outcome.UNDECODABLE
        )
    for item in items:
        if item is None:
            continue
        candidates = [link for link in (item.url, item.external_url, item.id) if isinstance(link, str) and link]
        links = [link for link in candidates if findings.owned(link)] or candidates
        if links and not findings.full:
            title, published, modified = (
                value if isinstance(value, str) else None
                for value in (item.title, item.date_published, item.date_modified)
            )
            findings.add(links[0], lastmod=_lastmod(modified, zone), published=parse_date(published, zone), title=title)
    bounded = f"entries ({len(findings.discoveries)} read)" if findings.full else unpacked.bounded
    return findings.parsed("json", problems, bounded=bounded, outcome=Outcome.EMPTY)


def _text(unpacked: Unpacked, findings: Findings, problems: list[str]) -> Parsed:
    """A list of URLs, one a line (sitemaps.org, text file)."""
    body, problem = to_utf8(unpacked.body)
    problems = [*problems, problem] if problem else problems
    lines = sum(1 for _ in _LINE.finditer(body))
    links = sum(1 for _ in _LINK_LINE.finditer(body))
    if links * 2 < lines:
        wanted = f"neither {_WANTED.get(findings.found_by, 'a source')} nor a list of URLs"
        return findings.parsed("text", [*problems, wanted], bounded=unpacked.bounded, outcome=Outcome.UNDECODABLE)
    for link in _LINK_LINE.finditer(body):
        if findings.full:
            break
        findings.add(link[1].decode("utf-8", "replace").strip())
    bounded = f"entries ({len(findings.discoveries)} read)" if findings.full else unpacked.bounded
    return findings.parsed("text", problems, bounded=bounded, outcome=Outcome.EMPTY)
