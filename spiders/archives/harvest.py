"""What is taken over from an archive: pages into segments of our own, ends into the journal, at the time of capture.

A copy, though the archive has the bytes: so extraction, re-extraction, retention and takedown meet one kind of file,
and nothing depends on a file or a server that is not ours.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from extraction.records import OPEN_OUTCOMES, Discovery, Outcome
from extraction.urls import BadUrlError, canonicalize, url_key
from spiders import journal
from spiders.archives.oldnews import EARLIEST, Days
from spiders.asks import LARGEST_PAGE, Ask, Kind
from spiders.captures import SegmentWriter
from spiders.findings import no_article
from spiders.known import KnownUrl
from spiders.rights import header_rights
from spiders.robots import now_utc
from spiders.run import Counts
from spiders.site import Site
from spiders.verdict import Ended, Moved, judge_page

_log = logging.getLogger(__name__)

Fields = Sequence[tuple[str, str]]

#: What the last look at a URL said of its page, so that an older capture of it tells nothing new. A refusal of today
#: (gone, blocked, paywall, …) is no reason to leave an old capture where it is: that is what archives are for.
_SETTLED = frozenset(
    {
        *(Outcome.LOADED, Outcome.UNCHANGED, Outcome.DUPLICATE, Outcome.INDEX, Outcome.LIVE, Outcome.GALLERY),
        *(Outcome.NOT_HTML, Outcome.NOINDEX, Outcome.EXCLUDED),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A capture that an archive has of a page of one of our sites; `at` is when it was made, UTC."""

    site: Site
    url: str
    at: datetime
    found_in: str
    found_by: str

    def discovery(self) -> Discovery:
        """The capture as the URL that it is of."""
        return Discovery(url=self.url, site=self.site.name, found_in=self.found_in, found_by=self.found_by)


class Sieve:
    """Tells which captures of an archive are of our sites, of the days asked for, and news to the store."""

    def __init__(
        self, sites: Sequence[Site], days: Days, *, known: Callable[[str], KnownUrl | None], refetch: bool = False
    ) -> None:
        self._sites, self._days, self._look_up, self._refetch = list(sites), days, known, refetch
        self._by_host: dict[str, Site | None] = {}
        self._met: set[tuple[bytes, datetime]] = set()
        self.known: Counter[str] = Counter()  # by site: captures that tell nothing new

    def site_of(self, text: str) -> tuple[Site, str] | None:
        """Return the site that a URL, as an archive writes it, belongs to, and its canonical form."""
        name = _host_in(text)
        if name is not None and name in self._by_host and self._by_host[name] is None:
            return None  # most records of a large file end here, without their URLs being taken apart
        try:
            url = canonicalize(text)
        except BadUrlError:
            return None
        owner = next((site for site in self._sites if site.owns(url)), None)
        if name is not None and len(self._by_host) < 100_000:
            self._by_host[name] = owner
        return (owner, url) if owner is not None else None

    def is_wanted(self, site: Site, at: datetime) -> bool:
        """Whether the capture is of the days that are asked for."""
        return self._days.hold(site, at)

    def is_new(self, found: Found) -> bool:
        """Whether the capture tells what the store does not know; counts it if not."""
        if self._tells_news(found):
            return True
        self.known[found.site.name] += 1
        return False

    def _tells_news(self, found: Found) -> bool:
        key = url_key(found.url)
        mark = (bytes.fromhex(key), found.at)
        if mark in self._met:
            return False
        self._met.add(mark)
        seen = self._look_up(key)
        if seen is None:
            return True
        if seen.outcome == Outcome.TAKEN_DOWN:
            return False
        if seen.fetched_at is None or seen.outcome in OPEN_OUTCOMES:
            return True
        if seen.fetched_at == found.at:  # this very capture
            return False
        return self._refetch or seen.fetched_at < found.at or seen.outcome not in _SETTLED


class Harvest(Sieve):
    """Takes captures over, each once. Thread-safe against `close`, after which nothing is written any more.

    `closed(journal)` is told of each closed segment. Raises OSError where the disk refuses.
    """

    def __init__(
        self,
        writer: SegmentWriter,
        sites: Sequence[Site],
        days: Days,
        *,
        known: Callable[[str], KnownUrl | None],
        refetch: bool,
        limit: int | None,
        closed: Callable[[Path], None],
    ) -> None:
        super().__init__(sites, days, known=known, refetch=refetch)
        self._writer, self._limit, self._closed = writer, limit, closed
        self._lock = threading.Lock()
        self._is_closed = False
        self.counts = {site.name: Counts() for site in sites}
        self.pages = 0
        self.stopping = threading.Event()
        self.on_rotate: Callable[[], None] = lambda: None

    @property
    def is_full(self) -> bool:
        """Whether as many pages were taken as the job allows."""
        return self._limit is not None and self.pages >= self._limit

    def take(self, found: Found, status: int, fields: Fields, body: bytes, *, attempts: int = 1) -> None:
        """Take an answer over: as a page, or as what the answer, the URL or its rights make of it."""
        rights = header_rights(fields)
        ask = Ask(kind=Kind.PAGE, url=found.url, site=found.site, discovery=found.discovery())
        if refusal := no_article(found.url, None) or found.site.wants(found.url):
            return self.end(found, Outcome.EXCLUDED, refusal, status=status)
        verdict = judge_page(ask, status, fields, rights)
        if isinstance(verdict, Moved):
            return self.end(found, Outcome.DUPLICATE, f"it redirected to {verdict.url}", status=status)
        if isinstance(verdict, Ended):
            outcome, reason = verdict.outcome, verdict.reason
            if outcome in OPEN_OUTCOMES:  # of that day: nobody is to be asked again for it
                outcome, reason = Outcome.HTTP_ERROR, f"{reason}, when it was archived"
            return self.end(found, outcome, reason, status=status)
        if len(body) > LARGEST_PAGE:
            return self.end(found, Outcome.TOO_LARGE, f"{len(body)} bytes, {LARGEST_PAGE} are taken", status=status)
        with self._lock:
            if self._is_closed:
                return None
            self._note(found, found.at)
            counts = self.counts[found.site.name]
            counts.fetched += 1
            self.pages += 1
            self._writer.write(
                found.discovery(),
                final_url=found.url,
                status=status,
                headers=fields,
                body=body,
                fetched_at=found.at,
                attempts=attempts,
                rights=rights,
            )
        return None

    def end(
        self, found: Found, outcome: Outcome, reason: str, *, status: int | None = None, retry: bool = False
    ) -> None:
        """Note a capture that ended without a page. With `retry` a later look at the same capture counts as later."""
        at = found.at - timedelta(microseconds=1) if retry else found.at
        with self._lock:
            if self._is_closed:
                return
            self._note(found, at)
            self.counts[found.site.name].outcomes[outcome.value] += 1
            self._writer.note(
                journal.outcome(found.discovery(), outcome, reason, at, status=status, attempts=1, final_url=found.url)
            )

    def note(self, lines: bytes) -> None:
        """Append lines to the journal."""
        with self._lock:
            if not self._is_closed:
                self._writer.note(lines)

    def rotate_if_due(self) -> None:
        """Close the segment if it is large or old enough, and tell of it."""
        with self._lock:
            if self._is_closed or not self._writer.is_due:
                return
            self._rotate()
        self.on_rotate()

    def rotate(self) -> None:
        """Close the segment now."""
        with self._lock:
            if not self._is_closed:
                self._rotate()

    def close(self, reason: str) -> None:
        """Write the last line and close the last segment; whoever still works then works for nothing."""
        with self._lock:
            if not self._is_closed:
                self._writer.note(journal.finished(reason, now_utc()))
                self._rotate()
                self._is_closed = True

    def progress(self, pages_per_s: float) -> dict[str, object]:
        """Return the event that tells how far the harvest is."""
        return {
            "event": "progress",
            "sites": {
                name: {
                    "discovered": counts.discovered,
                    "fetched": counts.fetched,
                    "outcomes": dict(counts.outcomes),
                    "pending": max(0, counts.pending),
                }
                for name, counts in list(self.counts.items())
            },
            "pages_per_s": round(pages_per_s, 2),
        }

    def _note(self, found: Found, at: datetime) -> None:
        """A URL is discovered when its capture was made: else the ledger would take it for found anew and pending."""
        self.counts[found.site.name].discovered += 1
        self._writer.note(journal.discovered(found.discovery(), at))

    def _rotate(self) -> None:
        path = self._writer.rotate()
        if path is not None:
            self._closed(path)


def capture_time(text: str) -> datetime | None:
    """Read a WARC-Date (ISO 8601) or a 14-digit timestamp, UTC; None for what is none, or lies outside 1990 to now."""
    try:
        if len(text) == 14 and text.isascii() and text.isdigit():
            at = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        else:
            at = datetime.fromisoformat(text)
            at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return at if EARLIEST <= at <= datetime.now(UTC) + timedelta(days=1) else None


def _host_in(text: str) -> str | None:
    """The host in a URL as far as it stands there plainly: enough to remember whether it is anybody's."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in {"http", "https"}:
        return None
    return rest.split("/", 1)[0].split("?", 1)[0].split("#", 1)[0].lower()
