"""Pages out of WARC files of others: each response of a page of one of our sites ends in a page or an outcome.

Nothing in the files is believed: URLs are made canonical and have to be a site's, times have to be plausible, sizes are
bounded, lengths checked (spiders/archives/warcfile.py). What is not ours is counted and told.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from extraction.records import Outcome
from extraction.urls import BadUrlError, canonicalize, url_key
from spiders import journal
from spiders.archives.container import WarcFileError
from spiders.archives.harvest import Found, Harvest, Sieve, capture_time
from spiders.archives.httpblock import HttpMessage, read_message
from spiders.archives.oldnews import Mark, Marks, OldJob, digest_of
from spiders.archives.warcfile import Header, Record, read_records
from spiders.robots import now_utc
from spiders.site import Site

_log = logging.getLogger(__name__)

FOUND_BY = "warc"
_PAGES = frozenset({"response", "resource", "revisit"})
_MARKUP = ("text/html", "application/xhtml+xml")
# Originals that revisits can refer to, remembered by digest and by URL and time: 200 bytes each.
_MOST_ORIGINALS = 500_000


@dataclass(slots=True)
class Tally:
    """What a file held, by why it was left; the rest is in the harvest's counts."""

    records: int = 0
    responses: Counter[str] = field(default_factory=Counter)  # of our sites, by site
    left: Counter[str] = field(default_factory=Counter)
    damaged: int = 0

    def text(self) -> str:
        """Return the counts in a sentence."""
        left = ", ".join(f"{number} {why}" for why, number in self.left.most_common())
        torn = f"; damaged in {self.damaged} places" if self.damaged else ""
        return f"{self.records} records, {self.responses.total()} of our sites" + (f"; {left}" if left else "") + torn


def harvest_warcs(job: OldJob, sites: list[Site], files: tuple[str, ...], harvest: Harvest) -> str:
    """Take over what the files have of the sites; return why it ended: finished, limit or cancelled.

    A file that cannot be read is told, and the others are read. Raises OSError where our own disk refuses.
    """
    originals = _Originals()
    for name in files:
        path = Path(name)
        try:
            digest = digest_of(path)
        except OSError as error:
            _log.error("%s cannot be read: %s", path, error.strerror)
            continue
        reading = _Reading(path, Marks(Path(job.data), digest, job, sites), harvest, originals, job.run_id)
        try:
            reading.run()
        except WarcFileError as error:
            _log.error("%s", error)
        if harvest.stopping.is_set():
            return "cancelled"
        if harvest.is_full:
            return "limit"
    return "finished"


def survey_warcs(files: tuple[str, ...], sieve: Sieve) -> Iterator[tuple[Site, datetime, bool]]:
    """Yield (site, time, whether it is news) of each capture in the files that a harvest would take over.

    Nothing is written. Raises WarcFileError or OSError for a file that cannot be read.
    """
    found: list[tuple[Site, datetime, bool]] = []

    def look(header: Header) -> bool:
        owned = sieve.site_of(header.uri) if header.type in _PAGES else None
        at = capture_time(header.fields.get("warc-date", ""))
        if owned is not None and at is not None and sieve.is_wanted(owned[0], at):
            capture = Found(site=owned[0], url=owned[1], at=at, found_in="", found_by=FOUND_BY)
            found.append((owned[0], at, sieve.is_new(capture)))
        return False

    for name in files:
        for _ in read_records(Path(name), look, lambda _offset, _reason: None):
            yield from found
            found.clear()


class _Reading:
    """One file, from its mark to its end."""

    def __init__(self, path: Path, marks: Marks, harvest: Harvest, originals: "_Originals", run_id: str) -> None:
        self._path, self._marks, self._harvest, self._originals, self._run_id = path, marks, harvest, originals, run_id
        self._tally = Tally()
        self._before = {name: counts.discovered for name, counts in harvest.counts.items()}
        self._known_before = Counter(harvest.known)
        self._found: tuple[Site, str, datetime | None] | None = None  # of the record that is read now

    def run(self) -> None:
        mark = self._marks.read()
        if mark is not None and mark.done:
            said = f"it was taken over by {mark.run_id} already, as {mark.name}"
            _log.info("%s: %s", self._path.name, said)
            self._note_source(said, bounded=None)
            return
        first = mark.records + 1 if mark is not None else 1
        if first > 1:
            _log.info("%s is gone on with behind record %d", self._path.name, first - 1)
        self._harvest.on_rotate = lambda: self._mark(done=False)
        whole = False
        try:
            for record in read_records(self._path, self._wants, self._damage):
                self._tally.records = record.header.number
                if record.header.number >= first:
                    self._take(record)
                if self._harvest.stopping.is_set() or self._harvest.is_full:
                    break
                if record.header.number % 256 == 0:
                    self._harvest.rotate_if_due()
            else:
                whole = True
        finally:
            self._harvest.on_rotate = lambda: None
        self._tell(whole=whole)
        self._harvest.rotate()
        self._mark(done=whole)

    def _mark(self, *, done: bool) -> None:
        mark = Mark(name=self._path.name, run_id=self._run_id, records=self._tally.records, done=done)
        self._marks.write(mark)

    def _damage(self, offset: int, reason: str) -> None:
        self._tally.damaged += 1
        if self._tally.damaged <= 20:
            _log.warning("%s: at byte %d %s: passed over", self._path.name, offset, reason)

    def _wants(self, header: Header) -> bool:
        """Whether a record's block is to be read: it may be a page of ours, of the days asked for."""
        self._found = None
        if header.type not in _PAGES:
            self._tally.left["that are no pages"] += 1
            return False
        owned = self._harvest.site_of(header.uri)
        if owned is None:
            self._tally.left["of other sites"] += 1
            return False
        site, url = owned
        if header.type != "revisit":
            self._originals.add(self._path, header, url)
        self._tally.responses[site.name] += 1
        at = capture_time(header.fields.get("warc-date", ""))
        if at is not None and not self._harvest.is_wanted(site, at):
            self._tally.left["of other days"] += 1
            return False
        self._found = (site, url, at)
        return True

    def _take(self, record: Record) -> None:
        if record.fault is not None:
            self._wants(record.header)  # nobody has asked yet: its block could not be had
        if self._found is None:
            return
        site, url, at = self._found
        self._found = None
        where = f"{self._path.name}#{record.header.offset}"
        found = Found(site=site, url=url, at=at or now_utc(), found_in=where, found_by=FOUND_BY)
        if not self._harvest.is_new(found):
            return
        if at is None:
            date = record.header.fields.get("warc-date", "")
            self._harvest.end(found, Outcome.CAPTURE_DAMAGED, f"its WARC-Date is {date[:40]!r}")
        elif record.block is None:
            outcome = Outcome.TOO_LARGE if record.too_large else Outcome.CAPTURE_DAMAGED
            self._harvest.end(found, outcome, record.fault or "")
        else:
            self._judge(found, record.header, record.block)

    def _judge(self, found: Found, header: Header, block: bytes) -> None:
        if cut := header.fields.get("warc-truncated") or ("segments" if _is_segment(header) else ""):
            self._harvest.end(found, Outcome.TRUNCATED, f"whoever archived it cut it short ({cut[:40]})")
            return
        if header.type == "revisit":
            message, why = self._originals.message_of(header, found.url)
            if message is None:
                self._harvest.end(found, Outcome.CAPTURE_DAMAGED, why)
                return
        else:
            message = message_in(header, block)
            if message is None:
                self._harvest.end(found, Outcome.CAPTURE_DAMAGED, "its block is no HTTP answer")
                return
        self._harvest.take(found, message.status, message.fields, message.body)

    def _tell(self, *, whole: bool) -> None:
        """Write what came of the file: a line a site in the journal, one in the log."""
        bounded = None if whole else "limit" if self._harvest.is_full else "cancelled"
        self._note_source(self._tally.text(), bounded)
        _log.info("%s: %s", self._path.name, self._tally.text())

    def _note_source(self, reason: str, bounded: str | None) -> None:
        now = now_utc()
        for name, counts in self._harvest.counts.items():
            self._harvest.note(
                journal.source(
                    self._path.name,
                    name,
                    FOUND_BY,
                    now,
                    result="ok",
                    reason=reason,
                    entries=self._tally.responses[name],
                    new=counts.discovered - self._before[name],
                    known=self._harvest.known[name] - self._known_before[name],
                    bounded=bounded,
                )
            )


class _Originals:
    """Where the records stand that revisits refer to, in the files read so far."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[Path, int, str]] = {}

    def add(self, path: Path, header: Header, url: str) -> None:
        """Remember a record under each name that a revisit may have for it; the first of a name stays."""
        if len(self._places) >= _MOST_ORIGINALS:
            return
        place = (path, header.offset, header.fields.get("warc-record-id", ""))
        for name in (
            header.fields.get("warc-record-id"),
            header.fields.get("warc-payload-digest"),
            f"{url_key(url)} {header.fields.get('warc-date')}",
        ):
            if name:
                self._places.setdefault(name, place)

    def message_of(self, revisit: Header, url: str) -> tuple[HttpMessage | None, str]:
        """Return the answer that a revisit says it is equal to, or None and why there is none."""
        fields = revisit.fields
        for name in (
            fields.get("warc-refers-to"),
            f"{_key(fields.get('warc-refers-to-target-uri') or url)} {fields.get('warc-refers-to-date')}",
            fields.get("warc-payload-digest"),
        ):
            if name in self._places:
                path, offset, record_id = self._places[name]
                record = next(_from(path, offset), None)
                if record and record.block and record.header.fields.get("warc-record-id", "") == record_id:
                    message = message_in(record.header, record.block)
                    if message is not None:
                        return message, ""
                return None, "a revisit of a record that cannot be read alone (its file is compressed as a whole)"
        return None, "a revisit of a record that is in none of these files"


def _from(path: Path, offset: int) -> Iterator[Record]:
    """The records from an offset on; what is damaged there was told when it was read first."""
    return read_records(path, lambda _header: True, lambda _offset, _reason: None, start=offset)


def _key(url: str) -> str:
    try:
        return url_key(canonicalize(url.strip("<> ")))
    except BadUrlError:
        return ""


def _is_segment(header: Header) -> bool:
    """Whether the record is one of several that hold a page together (WARC 1.1 9): nobody writes those."""
    return "warc-segment-number" in header.fields


def message_in(header: Header, block: bytes) -> HttpMessage | None:
    """The answer in a record: an HTTP message, or markup without one (a `resource`, and responses of some tools)."""
    kind = header.fields.get("content-type", "").partition(";")[0].strip().lower()
    if header.type == "resource":
        return HttpMessage(200, (("Content-Type", header.fields.get("content-type", "")),), block)
    message = read_message(block)
    if message is None and (block[:256].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or kind in _MARKUP):
        return HttpMessage(200, (("Content-Type", kind if kind in _MARKUP else "text/html"),), block)
    return message
