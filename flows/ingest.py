"""Closed segments become rows, rows become the store: while the crawl goes on, and after whatever ended it.

Which segments have no rows yet, and which rows are not loaded yet, is asked of the files; so starting, going on and
repairing are the same code, and a crash at any moment costs nothing.
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from extraction.records import Capture, Page
from flows.pool import Item, Pool
from spiders.captures import closed_segments, records, recover, warc_of
from spiders.journal import JournalError, read_journal
from spiders.run import UNKEPT
from storage.batches import RowError, SegmentRows
from storage.database import NotPublishedError, connect
from storage.load import load, pending_folders
from storage.retention import drop
from storage.rows import PageRows

LOAD_S: Final = 30.0  # rows wait at most about so long for the next load, whose fixed cost is half a second of CPU
LOAD_SHARE: Final = 0.2  # loading and publishing take at most this share of the time while a crawl goes on
JOURNAL: Final = ".journal.jsonl"

Say = Callable[[str, str], None]  # (level, message)


@dataclass(frozen=True, slots=True)
class Segment:
    """A closed segment and the folder that its rows are, or will be, in."""

    run_id: str
    name: str
    journal: Path
    rows: Path


def segment_of(journal: Path, data: Path) -> Segment:
    """Return the segment whose closed journal this is."""
    run_id, name = journal.parent.name, journal.name.removesuffix(JOURNAL)
    return Segment(run_id, name, journal, data / "extracted" / run_id / name)


def recover_all(data: Path, say: Say) -> list[Path]:
    """Close what crashed crawls left open, in every run; return the journals that were closed."""
    closed = [journal for run in _folders(data / "captures") for journal in recover(run)]
    for journal in closed:
        say("info", f"closed {journal.parent.name}/{journal.name}, which a crawl had left open")
    return closed


def recoverable(data: Path) -> list[Path]:
    """Return the files of segments that are open now: of a crawl that goes on, or of one that died."""
    return [path for run in _folders(data / "captures") for path in sorted(run.glob("*.open"))]


def unextracted(data: Path) -> list[Segment]:
    """Return the closed segments without rows, oldest run first."""
    segments = (segment_of(journal, data) for run in _folders(data / "captures") for journal in closed_segments(run))
    return [segment for segment in segments if not segment.rows.exists()]


def unloaded(data: Path) -> list[Path]:
    """Return the folders of rows that the published store does not hold, oldest run first."""
    try:
        with connect(data) as connection:
            loaded = set(connection.execute("SELECT run_id, segment FROM segments").fetchall())
    except NotPublishedError:
        loaded = set()
    return [folder for folder in pending_folders(data) if (folder.parent.name, folder.name) not in loaded]


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


@dataclass(slots=True)
class _Work:
    """A segment whose pages are with the extraction workers."""

    segment: Segment
    rows: SegmentRows
    unanswered: int = 0
    is_read: bool = False


@dataclass(slots=True)
class Tally:
    """How far an ingest is; the counts only grow."""

    segments: int = 0
    pages: int = 0
    articles: Counter[str] = field(default_factory=Counter)  # by site
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)  # by site and outcome
    loads: int = 0


class Ingest:
    """Extracts segments and loads their rows until `finish` (no more come) or `stop` (what is not written can wait)."""

    def __init__(self, data: Path, pool: Pool, say: Say) -> None:
        self.tally = Tally()
        self._data, self._pool, self._say = data, pool, say
        self._segments: queue.SimpleQueue[Segment] = queue.SimpleQueue()
        self._finished, self._stopped = threading.Event(), threading.Event()
        self._seen: set[Path] = set()
        self._work: dict[str, _Work] = {}
        self._loader = _Loader(data, self.tally, say)

    def add(self, segment: Segment) -> None:
        """Take a closed segment, from any thread; one that was taken before or has its rows is passed over."""
        if segment.rows not in self._seen and not segment.rows.exists():
            self._seen.add(segment.rows)
            self._segments.put(segment)

    def add_rows(self, folders: Sequence[Path]) -> None:
        """Take folders of rows that were extracted before."""
        self._loader.add(folders)

    def finish(self) -> None:
        """Say that no more segments come."""
        self._finished.set()

    def stop(self) -> None:
        """End soon: load the rows that are written, leave the other segments for the next run."""
        self._stopped.set()

    def run(self) -> Tally:
        """Work until finished or stopped, then load and publish what is left. Blocking: give it a thread.

        Raises WorkerError, OSError, or what the store raises; everything is then as after a crash.
        """
        with self._loader:
            for item, rows in self._pool.extract(self._pages()):
                self._take(item, rows)
                if self._stopped.is_set():
                    break
        return self.tally

    def _pages(self) -> Iterator[Capture | None]:
        while not self._stopped.is_set():
            self._loader.load_if_due()
            ended = self._finished.is_set()  # before the look into the queue: what is added earlier is still seen
            try:
                segment = self._segments.get_nowait()
            except queue.Empty:
                if ended:
                    return
                yield None
            else:
                yield from self._pages_of(segment)

    def _pages_of(self, segment: Segment) -> Iterator[Capture]:
        work = _Work(segment, SegmentRows(segment.run_id, segment.name))
        offsets = self._read_journal(work)
        try:
            if (warc := warc_of(segment.journal)) is not None:
                for capture in records(warc, data=self._data, damaged=self._damaged(warc), offsets=offsets):
                    self._work[capture.file] = work
                    work.unanswered += 1
                    yield capture
        except OSError as error:
            self._say("error", f"{segment.journal}: its pages cannot be read ({error}); left for the next run")
            return
        work.is_read = True
        self._write_if_whole(work)

    def _read_journal(self, work: _Work) -> list[int] | None:
        """Take the entries over; return where the pages begin, if that is told."""
        journal = work.segment.journal
        offsets: list[int] | None = None
        try:
            for entry in read_journal(journal):
                if entry["kind"] == "pages":
                    offsets = entry["offsets"]
                    continue
                try:
                    work.rows.add_entry(entry)
                except RowError as error:
                    self._say("error", f"{journal}: {error}; passed over")
        except JournalError as error:
            self._say("error", f"{error}; the lines behind it are passed over and their URLs asked for again")
        return offsets

    def _damaged(self, warc: Path) -> Callable[[int, str], None]:
        return lambda offset, reason: self._say(
            "error", f"{warc}: at byte {offset} {reason}: passed over, its page will be fetched again"
        )

    def _take(self, item: Item, rows: PageRows | str) -> None:
        capture = item.capture if isinstance(item, Page) else item
        work = self._work[capture.file]
        work.unanswered -= 1
        if isinstance(rows, str):
            self._damaged(self._data / capture.file)(capture.offset, rows)
        else:
            work.rows.add_rows(rows)
            self._count(rows)
        self._write_if_whole(work)

    def _count(self, rows: PageRows) -> None:
        self.tally.pages += 1
        if rows.article is None:
            self.tally.rejected[rows.site, rows.outcome] += 1
        else:
            self.tally.articles[rows.site] += 1

    def _write_if_whole(self, work: _Work) -> None:
        if work.is_read and not work.unanswered:
            self._loader.add([work.rows.write(work.segment.rows)])
            self._work = {file: other for file, other in self._work.items() if other is not work}
            self.tally.segments += 1


class _Loader:
    """Loads folders of rows in a thread of its own, now and then while more come and once at the end."""

    def __init__(self, data: Path, tally: Tally, say: Say) -> None:
        self._data, self._tally, self._say = data, tally, say
        self._waiting: list[Path] = []
        self._thread = ThreadPoolExecutor(1, "load")
        self._load: Future[float] | None = None
        self._next_load = time.monotonic() + LOAD_S

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if error is None:
                self._collect()
                self._start()
                self._collect()
        finally:
            self._thread.shutdown()

    def add(self, folders: Sequence[Path]) -> None:
        self._waiting.extend(folders)

    def load_if_due(self) -> None:
        if self._load is not None and self._load.done():
            self._next_load = time.monotonic() + max(LOAD_S, self._load.result() / LOAD_SHARE)
            self._load = None
        if self._waiting and self._load is None and time.monotonic() >= self._next_load:
            self._start()

    def _start(self) -> None:
        folders, self._waiting = self._waiting, []
        if folders:
            self._load = self._thread.submit(self._run, folders)

    def _run(self, folders: list[Path]) -> float:
        started = time.monotonic()
        result = load(self._data, folders, publish=True)
        if any(UNKEPT in folder.name for folder in result.loaded):
            drop(self._data, {})  # the load has noted that these captures go
        for folder, reason in result.damaged:
            self._say("error", f"{folder}: {reason}; set aside")
        self._tally.loads += 1
        return time.monotonic() - started

    def _collect(self) -> None:
        if self._load is not None:
            self._load.result()
            self._load = None
