"""Pages out of a web archive: its index is asked for the captures of our sites, and those are fetched one by one.

Politely: one request at a time, `delay_s` apart, its robots.txt obeyed for captures, Retry-After kept. An archive that
answers with errors is left alone for this run.
"""

import logging
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from extraction.records import Outcome
from extraction.urls import BadUrlError, canonicalize, url_key
from spiders import journal
from spiders.archives import cdx
from spiders.archives.cdx import Entry
from spiders.archives.container import WarcFileError
from spiders.archives.harvest import Found, Harvest, Sieve, capture_time
from spiders.archives.oldnews import Days, OldJob, WebArchive
from spiders.archives.warcfile import LARGEST_RECORD, read_record
from spiders.archives.warcsource import message_in
from spiders.fetcher import Fetched, Fetcher
from spiders.findings import no_article
from spiders.robots import now_utc
from spiders.site import Site
from spiders.verdict import header, retry_after_s

_log = logging.getLogger(__name__)

FOUND_BY = "cdx"
MOST_CAPTURES = 100_000  # of a site in a run
MOST_ANSWERS = 1_000
ATTEMPTS = 3
#: A host that says 429 without a time wants to be left alone for a while: the Wayback Machine for five minutes.
QUIET_S = 60.0
#: Of a survey; a harvest has its job's.
PATIENCE_S = 120.0
#: So many requests in a row that failed, each after its attempts: the archive is left alone.
MOST_FAILURES = 4
_TROUBLES = frozenset(
    {Outcome.TIMEOUT, Outcome.CONNECTION_FAILED, Outcome.DNS_FAILED, Outcome.RATE_LIMITED, Outcome.SERVER_ERROR}
)
_ORIGINAL = "x-archive-orig-"
_REPLAYED = re.compile(r"/(\d{14})[a-z]{2}_/(.+)", re.DOTALL)


class ArchiveError(Exception):
    """The archive does not answer, or wants to be left alone: no more of it in this run."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


@dataclass(slots=True)
class Listing:
    """What an index holds of a site: the captures to fetch, how many it named, and why others are left."""

    entries: list[tuple[Found, Entry]] = field(default_factory=list)
    named: int = 0
    left: Counter[str] = field(default_factory=Counter)
    known: list[datetime] = field(default_factory=list)  # when those were captured that tell nothing new
    bounded: str | None = None


class Archive:
    """Asks an archive, one request at a time, with patience. Raises ArchiveError where that ends."""

    def __init__(self, archive: WebArchive, agent: str, *, patience_s: float, stopping: threading.Event) -> None:
        self._fetch = Fetcher(agent, allow=archive.allow, delay_s=archive.delay_s, max_bytes=LARGEST_RECORD)
        self._patience_s, self._stopping, self._delay_s = patience_s, stopping, archive.delay_s
        self._failures = 0

    def get(self, url: str, headers: dict[str, str] | None = None, *, obey: bool = True) -> Fetched:
        """Fetch a URL, again after what passes."""
        for attempt in range(ATTEMPTS):
            if self._stopping.is_set():
                raise ArchiveError(Outcome.DEFERRED, "stopped")
            fetched = self._fetch(url, headers, obey=obey)
            if fetched.outcome not in _TROUBLES:
                self._failures = 0
                return fetched
            self._wait(fetched, attempt)
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            raise ArchiveError(fetched.outcome or Outcome.TIMEOUT, f"the archive is in trouble: {fetched.reason}")
        return fetched

    def close(self) -> None:
        """Close the connections."""
        self._fetch.close()

    def _wait(self, fetched: Fetched, attempt: int) -> None:
        wait_s = retry_after_s(fetched.headers, now_utc())
        if wait_s is None:
            limited = fetched.outcome is Outcome.RATE_LIMITED
            wait_s = (QUIET_S if limited else max(self._delay_s, 0.5)) * 2.0**attempt
        if wait_s > self._patience_s:
            raise ArchiveError(fetched.outcome or Outcome.TIMEOUT, f"the archive asks us to wait {wait_s:.0f} s")
        _log.warning("the archive says %s; waiting %.0f s", fetched.reason, wait_s)
        self._stopping.wait(wait_s)


def harvest_cdx(job: OldJob, sites: list[Site], source: WebArchive, harvest: Harvest) -> str:
    """Take over what the archive has of the sites on the job's days; return why it ended.

    Raises OSError where our own disk refuses.
    """
    archive = Archive(source, job.agent(), patience_s=job.patience_s, stopping=harvest.stopping)
    days = Days(job.first_day, job.last_day)
    try:
        for site in sites:
            _harvest_site(archive, source, site, days, harvest)
            if harvest.stopping.is_set():
                return "cancelled"
            if harvest.is_full:
                return "limit"
    finally:
        archive.close()
    return "finished"


def survey_cdx(
    source: WebArchive, agent: str, sites: list[Site], days: Days, sieve: Sieve
) -> Iterator[tuple[Site, datetime, bool]]:
    """Yield (site, time, True) of each capture that a harvest would fetch; only the index is asked.

    Raises ArchiveError where the archive does not answer.
    """
    archive = Archive(source, agent, patience_s=PATIENCE_S, stopping=threading.Event())
    try:
        for site in sites:
            listing = Listing()
            Lister(archive, source, days, sieve).fill(listing, site)
            yield from ((site, found.at, True) for found, _ in listing.entries)
            yield from ((site, at, False) for at in listing.known)
    finally:
        archive.close()


def _harvest_site(archive: Archive, source: WebArchive, site: Site, days: Days, harvest: Harvest) -> None:
    listing = Listing()
    problem: ArchiveError | None = None
    before = harvest.counts[site.name].discovered
    try:
        Lister(archive, source, days, harvest).fill(listing, site)
        for found, entry in listing.entries:
            if harvest.stopping.is_set() or harvest.is_full:
                listing.bounded = listing.bounded or ("limit" if harvest.is_full else "cancelled")
                break
            _take(archive, source, found, entry, harvest)
            harvest.rotate_if_due()
    except ArchiveError as error:
        problem = error
        if not harvest.stopping.is_set():
            _log.error("%s: %s; what is missing comes with the next run of the same days", site.name, error.reason)
    left = ", ".join(f"{number} {why}" for why, number in listing.left.most_common())
    harvest.note(
        journal.source(
            source.index,
            site.name,
            FOUND_BY,
            now_utc(),
            result=problem.outcome.value if problem and not harvest.stopping.is_set() else "ok",
            reason=problem.reason if problem else f"{listing.named} captures" + (f"; {left}" if left else ""),
            entries=listing.named,
            new=harvest.counts[site.name].discovered - before,
            known=harvest.known[site.name],
            bounded=listing.bounded,
        )
    )


class Lister:
    """Lists the captures that an archive has of sites on some days."""

    def __init__(self, archive: Archive, source: WebArchive, days: Days, sieve: Sieve) -> None:
        self._archive, self._source, self._days, self._sieve = archive, source, days, sieve

    def fill(self, listing: Listing, site: Site) -> None:
        """Fill the listing with the captures that are worth fetching: of articles as far as their URLs tell, and new.

        Of a URL the first capture of the days, or with `every` each that differs from the one before.
        """
        last: dict[str, str] = {}  # digest by URL key
        for entry in self._entries(site, listing):
            listing.named += 1
            found = _found(entry, self._source, site, self._sieve)
            if isinstance(found, str):
                listing.left[found] += 1
                continue
            key = url_key(found.url)
            if key in last and (not self._source.every or (entry.digest and entry.digest == last[key])):
                listing.left["further captures of the same pages"] += 1
                continue
            last[key] = entry.digest
            if not self._sieve.is_new(found):
                listing.left["known"] += 1
                listing.known.append(found.at)
                continue
            listing.entries.append((found, entry))
            if len(listing.entries) >= MOST_CAPTURES:
                listing.bounded = f"{MOST_CAPTURES} captures"
                return

    def _entries(self, site: Site, listing: Listing) -> Iterator[Entry]:
        answers = self._resumed if self._source.style == "wayback" else self._paged
        for scope in cdx.scopes(site):
            for answer in answers(site, scope, listing):
                if answer.unreadable:
                    listing.left["that are no captures"] += answer.unreadable
                yield from answer.entries

    def _resumed(self, site: Site, scope: tuple[str, str], listing: Listing) -> Iterator[cdx.Answer]:
        key: str | None = None
        for _ in range(MOST_ANSWERS):
            answer = cdx.read_answer(self._ask(cdx.query(self._source, site, scope, self._days, resume_key=key)))
            yield answer
            if answer.resume_key is None and len(answer.entries) >= cdx.PER_ANSWER:
                listing.bounded = f"{cdx.PER_ANSWER} captures, and no key to go on by"  # pywb: it has pages instead
            if answer.resume_key is None or answer.resume_key == key or not answer.entries:
                return
            key = answer.resume_key
        listing.bounded = f"{MOST_ANSWERS} answers"

    def _paged(self, site: Site, scope: tuple[str, str], listing: Listing) -> Iterator[cdx.Answer]:
        counted = self._ask(cdx.query(self._source, site, scope, self._days, count_pages=True), optional=True)
        pages = cdx.read_pages(counted)
        if pages is None or pages == 1:  # a server without pages gives all at once
            yield cdx.read_answer(self._ask(cdx.query(self._source, site, scope, self._days)))
            return
        if pages > MOST_ANSWERS:
            listing.bounded, pages = f"{MOST_ANSWERS} answers", MOST_ANSWERS
        for page in range(pages):
            yield cdx.read_answer(self._ask(cdx.query(self._source, site, scope, self._days, page=page)))

    def _ask(self, url: str, *, optional: bool = False) -> bytes:
        fetched = self._archive.get(url, obey=False)
        if fetched.outcome is Outcome.GONE:  # how pywb and Common Crawl say that there are no captures
            return b""
        if fetched.outcome is not None or (fetched.reason and not fetched.body):
            if optional:
                return b""
            raise ArchiveError(fetched.outcome or Outcome.UNDECODABLE, f"its index answers: {fetched.reason}")
        return fetched.body


def _found(entry: Entry, source: WebArchive, site: Site, sieve: Sieve) -> Found | str:
    """The capture of an entry, or why it is left."""
    at = capture_time(entry.timestamp)
    owned = sieve.site_of(entry.url)
    if owned is None or owned[0] is not site:
        return "of other sites"
    if at is None or not sieve.is_wanted(site, at):
        return "of other days"
    if entry.status not in {"200", "", "-"} or (entry.mime and "html" not in entry.mime and entry.mime != "unk"):
        return "that are no pages"
    if no_article(owned[1], None) or site.wants(owned[1]):
        return "that are no articles by their URL"
    return Found(site=site, url=owned[1], at=at, found_in=place_of(entry, source) or source.index, found_by=FOUND_BY)


def place_of(entry: Entry, source: WebArchive) -> str | None:
    """Return the URL of a capture: of its WARC file with the offset, where the index names it, else of its replay."""
    if source.data and entry.filename and entry.offset >= 0 and entry.length > 0:
        return f"{source.data.rstrip('/')}/{entry.filename.lstrip('/')}#{entry.offset}"
    if source.replay:
        return f"{source.replay.rstrip('/')}/{entry.timestamp}id_/{entry.url}"
    return None


def _take(archive: Archive, source: WebArchive, found: Found, entry: Entry, harvest: Harvest) -> None:
    place = place_of(entry, source)
    if place is None:
        harvest.end(found, Outcome.BAD_URL, "the index names no WARC file, and no replay URL is set")
    elif "#" in place and source.data and place.startswith(source.data.rstrip("/")):
        _take_record(archive, place.rpartition("#")[0], found, entry, harvest)
    else:
        _take_replay(archive, place, found, harvest)


def _take_record(archive: Archive, url: str, found: Found, entry: Entry, harvest: Harvest) -> None:
    """Fetch the record's bytes out of the archive's WARC file, and believe it only if it is of the page."""
    if entry.length > LARGEST_RECORD:
        harvest.end(found, Outcome.TOO_LARGE, f"a record of {entry.length} bytes")
        return
    fetched = archive.get(url, {"Range": f"bytes={entry.offset}-{entry.offset + entry.length - 1}"})
    if fetched.status == 206:
        fetched = Fetched(url=fetched.url, status=206, headers=fetched.headers, body=fetched.body)
    if not _usable(fetched, found, harvest):
        return
    try:
        record = read_record(fetched.body, url.rpartition("/")[2])
    except WarcFileError as error:
        harvest.end(found, Outcome.CAPTURE_DAMAGED, str(error))
        return
    if record is None or record.block is None:
        reason = record.fault if record else "it holds none"
        harvest.end(found, Outcome.CAPTURE_DAMAGED, f"the record that the index names: {reason}")
        return
    message = message_in(record.header, record.block)
    if message is None or record.header.type not in {"response", "resource"} or not _is_of(record.header.uri, found):
        reason = f"the index led to a {record.header.type or 'nameless'} record of {record.header.uri[:200]}"
        harvest.end(found, Outcome.CAPTURE_DAMAGED, reason)
    elif cut := record.header.fields.get("warc-truncated"):
        harvest.end(found, Outcome.TRUNCATED, f"whoever archived it cut it short ({cut[:40]})")
    else:
        harvest.take(found, message.status, message.fields, message.body)


def _take_replay(archive: Archive, url: str, found: Found, harvest: Harvest) -> None:
    """Fetch the capture as it was archived, without the archive's own markup (`id_`)."""
    fetched = archive.get(url)
    if not _usable(fetched, found, harvest):
        return
    replayed = _REPLAYED.search(fetched.url)
    if replayed and not _is_of(replayed[2], found):
        harvest.end(found, Outcome.DUPLICATE, f"the archive replays {replayed[2][:200]} for it")
        return
    at = _memento_time(fetched) or (capture_time(replayed[1]) if replayed else found.at)
    if at is None:
        harvest.end(found, Outcome.CAPTURE_DAMAGED, "the archive replays a capture of a time that cannot be")
        return
    if not harvest.is_wanted(found.site, at):
        harvest.end(found, Outcome.EXCLUDED, f"the archive replays a capture of {at:%Y-%m-%d} for it")
        return
    moved = Found(site=found.site, url=found.url, at=at, found_in=found.found_in, found_by=found.found_by)
    if at == found.at or harvest.is_new(moved):
        harvest.take(moved, 200, _original_fields(fetched), fetched.body)


def _usable(fetched: Fetched, found: Found, harvest: Harvest) -> bool:
    """Whether an answer can be used; else the capture's end is noted."""
    if fetched.outcome is None and not fetched.reason:
        return True
    outcome = fetched.outcome or Outcome.TRUNCATED
    if outcome is Outcome.GONE:
        outcome = Outcome.HTTP_ERROR  # the archive has lost it: that says nothing of the page
    retry = outcome in _TROUBLES or outcome in {Outcome.TRUNCATED, Outcome.ROBOTS_UNREACHABLE}
    reason = f"from the archive {fetched.url[:200]}: {fetched.reason}"
    harvest.end(found, outcome, reason, status=fetched.status, retry=retry)
    return False


def _is_of(uri: str, found: Found) -> bool:
    try:
        return url_key(canonicalize(uri)) == url_key(found.url)
    except BadUrlError:
        return False


def _memento_time(fetched: Fetched) -> datetime | None:
    """The time of capture as the archive says it (RFC 7089 2.1.1)."""
    try:
        at = parsedate_to_datetime(header(fetched.headers, "memento-datetime"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return capture_time(f"{at.astimezone(UTC):%Y%m%d%H%M%S}")


def _original_fields(fetched: Fetched) -> list[tuple[str, str]]:
    """The fields of the page's own answer: those that the archive kept under another name, and its type.

    Content coding and length are gone: the fetcher has undone the one, and the other was of it.
    """
    kept = [(n[len(_ORIGINAL) :], v) for n, v in fetched.headers if n.lower().startswith(_ORIGINAL)]
    left = {"content-encoding", "content-length", "transfer-encoding"}
    fields = [(name, value) for name, value in kept if name.lower() not in left]
    if not header(fields, "content-type") and (kind := header(fetched.headers, "content-type")):
        fields.append(("Content-Type", kind))
    return fields
