"""Segments: a WARC 1.1 file of the responses as received and the journal beside it (docs/design.md, "A segment").

`SegmentWriter` writes and rotates them, `recover` closes what a crash left open, `read_pages` reads a WARC back.
"""

import contextlib
import fcntl
import logging
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec
from fastwarc.warc import WarcRecord, WarcRecordType

from extraction.records import Capture, Discovery, Page
from spiders import journal
from spiders.journal import JournalError, read_journal
from spiders.members import Damage, last_whole_member, member, members
from spiders.warcrecord import (
    QUICK,
    STORED,
    conversion_of,
    encode,
    gzip_member,
    holds_page,
    http_block,
    metadata_of,
    page_of,
    validators_of,
    warcinfo,
)

__all__ = [
    "JournalError",
    "SegmentWriter",
    "closed_segments",
    "read_journal",
    "read_page",
    "read_pages",
    "records",
    "recover",
    "warc_of",
]

OPEN = ".open"
WARC = ".warc.gz"
JOURNAL = ".journal.jsonl"
# The first segments of a run are small, each twice as large as the one before: extraction begins early.
FIRST_BYTES = 2 << 20

_log = logging.getLogger(__name__)


class SegmentWriter:
    """Writes the segments of one shard into `folder`: each record flushed, rotated by size and age.

    `data` is the data folder (captures are named relative to it), `software` stands in each file's warcinfo record.
    Raises OSError where the disk says no (full, read-only): the file is then cut back to its last whole record.
    """

    def __init__(
        self, folder: Path, shard: str, *, data: Path, software: str, max_bytes: int = 64 << 20, max_age_s: float = 60.0
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._shard, self._data, self._software = folder, shard, data, software
        self._max_bytes, self._max_age_s = max_bytes, max_age_s
        self._bytes = min(FIRST_BYTES, max_bytes)
        self._number = _next_number(folder, shard)
        self._journal: IO[bytes] | None = None
        self._warc: IO[bytes] | None = None
        self._name = ""  # of the WARC, below the data folder
        self._pages: list[int] = []  # where those of the open segment begin
        self._size = 0
        self._opened = 0.0

    def note(self, lines: bytes) -> None:
        """Append whole lines to the journal."""
        if lines:
            self._append(self._open_journal(), lines)

    def write(
        self,
        discovery: Discovery,
        *,
        final_url: str,
        status: int,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        fetched_at: datetime,
        attempts: int = 1,
        address: str | None = None,
        rights: Mapping[str, str] | None = None,
        rendered: bytes | None = None,
    ) -> Capture:
        """Append a response record, header block and body as received; returns where the page stands.

        `rendered` is HTML that a browser made of it: a conversion record (WARC 1.1, 6.7) behind the response, and the
        page that is read back. Both are written in one.
        """
        record = WarcRecord()
        record.init_headers(WarcRecordType.response)
        record.headers["WARC-Date"] = warc_date(fetched_at)
        record.headers["WARC-Target-URI"] = final_url
        if address:
            record.headers["WARC-IP-Address"] = address
        metadata = metadata_of(discovery, attempts, rights or {})
        record.headers["WARC-JSON-Metadata"] = encode(
            metadata if rendered is None else msgspec.structs.replace(metadata, rendered=True)
        )
        record.headers["Content-Type"] = "application/http; msgtype=response"
        record.is_http = True
        record.set_bytes_content(http_block(status, headers) + body)
        warc = self._open_warc()
        compressed = any(name.lower() == "content-encoding" for name, _ in headers)
        response = gzip_member(record, STORED if compressed else QUICK)
        if rendered is None:
            return self._place(self._append(warc, response))
        told = msgspec.structs.replace(metadata, status=status, validators=validators_of(headers))
        conversion = gzip_member(conversion_of(record, told, rendered), QUICK)
        return self._place(self._append(warc, response + conversion) + len(response))

    def write_revisit(
        self,
        discovery: Discovery,
        *,
        final_url: str,
        status: int,
        headers: Sequence[tuple[str, str]],
        fetched_at: datetime,
        address: str | None = None,
    ) -> Capture:
        """Append a revisit record: the server says that the page is what it was (WARC 1.1, server-not-modified)."""
        record = WarcRecord()
        record.init_headers(WarcRecordType.revisit)
        record.headers["WARC-Date"] = warc_date(fetched_at)
        record.headers["WARC-Target-URI"] = final_url
        record.headers["WARC-Profile"] = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
        if address:
            record.headers["WARC-IP-Address"] = address
        record.headers["WARC-JSON-Metadata"] = encode(metadata_of(discovery, 1, {}))
        record.headers["Content-Type"] = "application/http; msgtype=response"
        record.is_http = True
        record.set_bytes_content(http_block(status, headers))
        offset = self._append(self._open_warc(), gzip_member(record, QUICK))
        return Capture(file=self._name, offset=offset)

    def _place(self, offset: int) -> Capture:
        self._pages.append(offset)
        return Capture(file=self._name, offset=offset)

    @property
    def is_due(self) -> bool:
        """Whether the open segment is large or old enough to be rotated."""
        if self._journal is None:
            return False
        return self._size >= self._bytes or time.monotonic() - self._opened >= self._max_age_s

    def rotate(self) -> Path | None:
        """Close the open segment, if there is one: fsync, rename the WARC, then the journal. Returns the journal."""
        if self._journal is None:
            return None
        if self._warc is not None:
            with contextlib.suppress(OSError):  # without this line the WARC is searched for its pages
                self._append(self._journal, journal.pages(self._pages))
            _close(self._warc, self._path(WARC))
        _close(self._journal, self._path(JOURNAL))
        _sync_folder(self._folder)
        closed = self._path(JOURNAL)
        self._warc = self._journal = None
        self._size = 0
        self._pages = []
        self._bytes = min(2 * self._bytes, self._max_bytes)
        self._number += 1
        return closed

    def _path(self, suffix: str) -> Path:
        return self._folder / f"{self._shard}-{self._number:05d}{suffix}"

    def _open_journal(self) -> IO[bytes]:
        if self._journal is None:
            # Unbuffered: an append is one write(2), which a SIGKILL cannot take back.
            self._journal = self._path(JOURNAL + OPEN).open("xb", buffering=0)
            fcntl.flock(
                self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB
            )  # recover() leaves the segment of a living writer alone
            self._opened = time.monotonic()
        return self._journal

    def _open_warc(self) -> IO[bytes]:
        self._open_journal()  # the closed journal is what makes a segment
        if self._warc is None:
            self._warc = self._path(WARC + OPEN).open("xb", buffering=0)
            self._name = self._path(WARC).relative_to(self._data).as_posix()
            self._append(self._warc, gzip_member(warcinfo(self._software), QUICK))
        return self._warc

    def _append(self, file: IO[bytes], data: bytes) -> int:
        """Write all of `data` or nothing; returns the offset at which it begins."""
        offset = file.tell()
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            file.truncate(offset)
            file.seek(offset)
            raise OSError(error.errno, f"{error.strerror}: {len(data)} bytes more are needed", file.name) from error
        self._size += len(data)
        return offset


def read_pages(warc: Path, *, data: Path, damaged: Damage | None = None) -> Iterator[Page]:
    """Yield the pages of a WARC file in its order, bodies as received (Content-Encoding not undone).

    Damaged records are passed over: `damaged(offset, reason)` is told (a warning in the log else); their URLs have
    neither page nor outcome in the run, so they are pending and the next crawl fetches them again.
    Raises OSError if the file cannot be read.
    """
    tell = damaged or (lambda offset, reason: _log.warning("%s: at byte %d %s: passed over", warc, offset, reason))
    name = _relative(warc, data)
    for offset, content in members(warc, tell):
        try:
            page = page_of(content, Capture(file=name, offset=offset))
        except (ValueError, OSError) as error:
            tell(offset, f"the record cannot be read ({error})")
            continue
        if page is not None:
            yield page


def records(warc: Path, *, data: Path, damaged: Damage, offsets: Sequence[int] | None = None) -> Iterator[Capture]:
    """Yield where the pages of a segment's WARC file stand, for `read_page`; `damaged` as in `read_pages`.

    For those who have their pages read by other processes. `offsets` are those of the segment's journal; without them
    (its writer was killed) the file is searched for records.
    """
    name = _relative(warc, data)
    if offsets is not None:
        yield from (Capture(file=name, offset=offset) for offset in offsets)
        return
    for offset, content in members(warc, damaged):
        if holds_page(content):
            yield Capture(file=name, offset=offset)


def read_page(capture: Capture, *, data: Path) -> Page | None:
    """Return the page of a record; None if the record is no page.

    Raises OSError if the file cannot be read, ValueError if the record cannot.
    """
    content = member(data / capture.file, capture.offset)
    return page_of(content, capture)


def closed_segments(folder: Path) -> list[Path]:
    """Return the journals of the closed segments of a run's folder, oldest first; `warc_of` finds the WARC of each."""
    return sorted(path for path in folder.glob(f"*{JOURNAL}") if _NAME.fullmatch(path.name))


def warc_of(journal: Path) -> Path | None:
    """Return the WARC that belongs to a closed journal, None if the segment has no pages."""
    warc = journal.with_name(journal.name.removesuffix(JOURNAL) + WARC)
    return warc if warc.exists() else None


def recover(folder: Path) -> list[Path]:
    """Close the segments that a crash left open in a run's folder and return their journals.

    The torn last member of a WARC and the torn last line of a journal are cut; a WARC without a whole page goes.
    Segments whose writer still lives are left alone. Writes to `folder`.
    """
    stems = {path.name.removesuffix(OPEN).removesuffix(WARC).removesuffix(JOURNAL) for path in folder.glob(f"*{OPEN}")}
    return [journal for stem in sorted(stems) if (journal := _recover_segment(folder, stem))]


def warc_date(at: datetime) -> str:
    """Return a WARC 1.1 date: UTC with microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_NAME = re.compile(
    r"(?P<shard>.+)-(?P<number>\d{5,})" + f"(?:{re.escape(WARC)}|{re.escape(JOURNAL)})(?:{re.escape(OPEN)})?"
)


def _recover_segment(folder: Path, stem: str) -> Path | None:
    warc, journal = folder / (stem + WARC), folder / (stem + JOURNAL)
    opened = journal.with_name(journal.name + OPEN)
    with opened.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        _recover_warc(warc)
        if journal.exists():  # its WARC alone had been left open; the name's owner is closed already
            opened.unlink()
            return journal
        file.truncate(_end_of_last_line(opened))
        os.fsync(file.fileno())
        opened.rename(journal)
    _sync_folder(folder)
    return journal


def _recover_warc(warc: Path) -> None:
    opened = warc.with_name(warc.name + OPEN)
    if not opened.exists():
        return
    end, pages = last_whole_member(opened)
    if pages < 2:  # nothing but the warcinfo record
        opened.unlink()
        return
    with opened.open("rb+") as file:
        file.truncate(end)
        os.fsync(file.fileno())
    opened.rename(warc)


def _end_of_last_line(path: Path) -> int:
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - (64 << 10))
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found != -1:
                return start + found + 1
            end = start
    return 0


def _next_number(folder: Path, shard: str) -> int:
    """Return a segment number that no file of this shard has: a run that is started again goes on behind it."""
    names = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    return max((int(name["number"]) + 1 for name in names if name and name["shard"] == shard), default=0)


def _close(file: IO[bytes], final: Path) -> None:
    os.fsync(file.fileno())
    Path(file.name).rename(final)
    file.close()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _relative(warc: Path, data: Path) -> str:
    """Return the name of a capture file: relative to the data folder, absolute for a file from elsewhere."""
    warc = warc.resolve()
    return (warc.relative_to(data.resolve()) if warc.is_relative_to(data.resolve()) else warc).as_posix()
