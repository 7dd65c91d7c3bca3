"""Sources: which of them a site has, what an answer of one says, and which of its URLs a crawl wants.

The parsing itself is spiders/discovery.py; here are the bounds, the days, and what the store knows already.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from extraction.decoding import BodyError, decode_body
from extraction.records import Discovery
from spiders.asks import Ask, Kind
from spiders.discovery import Child, Parsed, index_lies, parse_source
from spiders.markup import GZIP
from spiders.series import MARGIN, last_days
from spiders.site import Site
from spiders.verdict import header
from spiders.wire import Answer

# Sitemaps of one site that are read in a run, how deep an index may nest, and URLs that one site may bring in a run:
# the largest honest archive has some hundred monthly files in an index of depth two. What is left out is said.
MOST_SITEMAPS, DEEPEST, MOST_URLS = 1000, 4, 200_000
# The sitemap protocol's own bound on a decompressed file.
LARGEST_DECODED = 50 << 20
# Parsed beside the loop from this size on: 256 KB take about 10 ms.
_SMALL = 256 << 10
_BESIDE = ThreadPoolExecutor(1, "sources")  # one at a time: the largest take three times their size
# Days of a lastmod are often local ones written without a zone.
_DOUBT = timedelta(days=1)


@dataclass(slots=True)
class Progress:
    """How far the sources of one site are."""

    open: int = 0
    entries: int = 0
    urls: int = 0
    read: set[str] = field(default_factory=set)  # URLs of sources asked for so far
    pruned: list[Ask] = field(default_factory=list)  # sitemaps left out by what their index says of them


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a crawl is about, UTC; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def of(cls, site: Site, first_day: date | None, last_day: date | None) -> "Window":
        """Return the inclusive days as they are at the site."""
        zone = ZoneInfo(site.time_zone)

        def midnight(day: date) -> datetime:
            return datetime.combine(day, time(), zone).astimezone(UTC)

        return cls(
            midnight(first_day) if first_day else None,
            midnight(last_day + timedelta(days=1)) if last_day and last_day < date.max else None,
        )

    def may_hold(self, discovery: Discovery) -> bool:
        """Whether an entry may be of this time. Doubt keeps it: a change comes after publication, so a late lastmod
        says nothing, and no date says nothing.
        """  # noqa: D205
        published, changed = discovery.published_hint, discovery.lastmod
        if published is not None:
            if self.end is not None and published >= self.end:
                return False
            newest = max(published, changed) if changed is not None and self.end is None else published
            return self.start is None or newest >= self.start
        return self.start is None or changed is None or changed >= self.start - _DOUBT

    def may_hold_sitemap(self, lastmod: datetime | None) -> bool:
        """Whether a sitemap that was changed last at that time may hold entries of this time."""
        return self.start is None or lastmod is None or lastmod >= self.start - _DOUBT


def asks_of(site: Site, first_day: date | None = None, last_day: date | None = None) -> list[Ask]:
    """Return the asks for a site's sources; sections are a last resort, asked for only if it has nothing else.

    The days are inclusive and in the site's zone: of archives, the sitemaps of those days are asked for.
    """
    seeds = [(found_by, url) for found_by, url in site.seeds(first_day, last_day) if found_by != "section"]
    return [_ask(site, found_by, url) for found_by, url in seeds] or sections_of(site)


def archive_pages_of(site: Site, first_day: date, last_day: date) -> list[Ask]:
    """Return the asks for the archive pages of the inclusive days in the site's zone."""
    return [_ask(site, "section", url) for url in site.archive_pages(first_day, last_day)]


def sections_of(site: Site) -> list[Ask]:
    """Return the asks for a site's section pages."""
    return [_ask(site, "section", url) for url in site.sources.sections]


async def parse(ask: Ask, answer: Answer) -> Parsed:
    """Read the body of a source. Raises BodyError where its compression lies or hides too much."""
    if len(answer.body) < _SMALL and not answer.body.startswith(b"\x1f\x8b"):
        return _parse(ask, answer)
    return await asyncio.get_running_loop().run_in_executor(_BESIDE, _parse, ask, answer)


def children(ask: Ask, parsed: Parsed, window: Window, progress: Progress) -> tuple[list[Ask], str | None]:
    """Return the sitemaps of an index that are to be read, newest first, and the name of the limit that was hit.

    What is too old by the index's lastmod, or by its name where that lacks, is kept in `progress.pruned`: see
    `unpruned`.
    """
    new = [child for child in parsed.children if child.url not in progress.read]
    if not new:
        return [], None
    if ask.depth >= DEEPEST:
        return [], f"sitemaps nested deeper than {DEEPEST}"
    named = last_days((child.url for child in parsed.children), datetime.now(UTC).date()) if window.start else {}
    wanted = []
    for child in new:
        if window.may_hold_sitemap(child.lastmod or _named_end(child, named)):
            wanted.append(child)
        else:
            progress.pruned.append(_below(ask, child))
    room = max(0, MOST_SITEMAPS - len(progress.read))
    bounded = f"{MOST_SITEMAPS} sitemaps a site" if len(wanted) > room else None
    return [_below(ask, child) for child in wanted[:room]], bounded


def unpruned(ask: Ask, parsed: Parsed, progress: Progress) -> list[Ask]:
    """Return the sitemaps that were left out on the word of an index that this one, now read, proves wrong."""
    if not ask.lastmod or not index_lies(Child(url=ask.url, lastmod=ask.lastmod), parsed):
        return []
    left_out, progress.pruned = progress.pruned, []
    return left_out[: max(0, MOST_SITEMAPS - len(progress.read))]


def in_window(parsed: Parsed, ask: Ask, window: Window, *, backfill: bool) -> list[Discovery]:
    """Return the entries that may be of the crawl's time. A nightly crawl takes feeds and sections whole."""
    if ask.found_by in {"feed", "section"} and not backfill:
        return list(parsed.discoveries)
    return [discovery for discovery in parsed.discoveries if window.may_hold(discovery)]


def _named_end(child: Child, named: Mapping[str, date]) -> datetime | None:
    """Return when a sitemap of a series can have been changed last; None if its name tells no time."""
    day = named.get(child.url)
    return None if day is None else datetime.combine(day + MARGIN, time(), UTC)


def _below(ask: Ask, child: Child) -> Ask:
    return replace(ask, url=child.url, depth=ask.depth + 1, lastmod=child.lastmod, attempts=0, hops=())


def _ask(site: Site, found_by: str, url: str) -> Ask:
    return Ask(kind=Kind.SOURCE, url=url, site=site, found_by=found_by)


def _parse(ask: Ask, answer: Answer) -> Parsed:
    try:
        body = decode_body(answer.body, answer.fields, max_bytes=LARGEST_DECODED).body
    except BodyError:
        if header(answer.fields, "content-encoding") and not answer.body.startswith(GZIP):
            raise
        body = answer.body  # parsing undoes gzip itself as far as it goes, and takes what it finds
    kind = header(answer.fields, "content-type")
    return parse_source(body, ask.url, ask.site, found_by=ask.found_by, content_type=kind)


__all__ = ["BodyError", "Progress", "Window", "asks_of", "children", "in_window", "parse", "sections_of", "unpruned"]
