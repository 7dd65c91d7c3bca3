"""The extraction workers: processes that each answer one page at a time, so that a worker's death costs one page.

A supervisor of our own instead of concurrent.futures or pebble (docs/decisions/extraction-workers.md): spawned pools
import their parent's main module again, which under Prefect is 3 s of CPU a worker, and break as a whole where a worker
dies in C code.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import msgspec

from extraction.records import Capture, Extraction, Outcome, Page, Rejection
from flows.extractor import MEMORY_BYTES, PAGE_CPU_S, READY, RETIRED, ROWS, TIMEOUT_SIGNALS, ask, read_asked
from storage.rows import PageRows, page_rows

if TYPE_CHECKING:
    from extraction.learned import Learned
    from extraction.rules import SiteRules

AHEAD_BYTES: Final = 100_000  # of messages that wait in the socket, whose buffer holds 200 KB
AHEAD: Final = 4  # pages at a worker: one in work, the others waiting, so that it never idles for its parent
DYING_S: Final = 2.0  # between a worker's last word and its exit code; dumping a core is switched off
TICK_S: Final = 0.1  # how long to wait for an answer before more pages are asked for

Item = Page | Capture  # a page itself, or where it stands, which the worker then reads


_rows_decoder: Final = msgspec.msgpack.Decoder(PageRows)


class WorkerError(RuntimeError):
    """The extraction workers cannot be started at all: an installation that is broken, not a page."""


@dataclass(slots=True, eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    connection: Connection
    ready: bool = False
    asked: deque[tuple[Item, int]] = field(default_factory=deque)  # sent and unanswered, with the message's size

    @property
    def takes_more(self) -> bool:
        return not self.asked or (len(self.asked) < AHEAD and self.bytes_ahead < AHEAD_BYTES)

    @property
    def bytes_ahead(self) -> int:
        return sum(size for _, size in self.asked)


class Pool:
    """So many extraction workers, started when first needed and ended by `close` (or leaving the `with`)."""

    def __init__(
        self,
        size: int,
        rules: Mapping[str, "SiteRules"] | None = None,
        learned: Mapping[str, "Learned"] | None = None,
        *,
        data: Path | None = None,
        page_cpu_s: float = PAGE_CPU_S,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        """Take the cleaning rules and the learned lines by site.

        `data` is the data folder that captures are relative to, `page_cpu_s` the CPU time that a page may take, in
        seconds, `memory_bytes` the heap of a worker (at most its own default).
        """
        self.size = size
        self.restarts = 0
        self._data = data
        self._setup = (data, dict(rules or {}), dict(learned or {}), page_cpu_s, memory_bytes)
        self._workers: list[_Worker] = []
        self._waiting: deque[Item] = deque()
        self._tried_again: set[Capture] = set()
        self._failures_to_start = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def extract(self, items: Iterable[Item | None]) -> Iterator[tuple[Item, PageRows | str]]:
        """Yield each page with its rows, in the order in which they are ready; a text says why it cannot be read.

        A None among the items means "none at the moment": answers that are there are yielded before the next is asked
        for. A page that takes too long or ends its worker is EXTRACTION_TIMEOUT or EXTRACTION_FAILED. No worker is
        started for nothing: the first item, be it None, starts them.
        """
        source = iter(items)
        exhausted = False
        while True:
            idle = False
            while not idle and (self._waiting or not exhausted) and self._has_free_worker():
                try:
                    item = self._waiting.popleft() if self._waiting else next(source)
                except StopIteration:
                    exhausted = True
                    break
                worker = self._free_worker()
                if item is None or worker is None:
                    idle = True
                else:
                    self._give(worker, item)
            if exhausted and not self._waiting and not any(worker.asked for worker in self._workers):
                return
            yield from self._answers()

    def close(self) -> None:
        """End all workers; a page in work is dropped."""
        for worker in self._workers:
            worker.connection.close()
            worker.process.kill()
        for worker in self._workers:
            worker.process.wait()
        self._workers.clear()

    def pids(self) -> list[int]:
        """Return the process ids of the workers that run now."""
        return [worker.process.pid for worker in self._workers]

    def _has_free_worker(self) -> bool:
        return len(self._workers) < self.size or any(worker.takes_more for worker in self._workers)

    def _free_worker(self) -> _Worker | None:
        while len(self._workers) < self.size:
            self._workers.append(self._start())
        free = [worker for worker in self._workers if worker.takes_more]
        return min(free, key=lambda worker: (len(worker.asked), not worker.ready)) if free else None

    def _start(self) -> _Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
                [sys.executable, "-m", "flows.extractor", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        connection = Connection(ours.detach())
        with contextlib.suppress(OSError):  # a worker that died at once is found by _answers
            connection.send(self._setup)
        return _Worker(process, connection)

    def _give(self, worker: _Worker, item: Item) -> None:
        message = ask(item)
        if worker.asked and worker.bytes_ahead + len(message) > AHEAD_BYTES:
            self._waiting.appendleft(item)  # it would block us in send until the worker reads it
            worker.asked[-1] = (worker.asked[-1][0], AHEAD_BYTES)
            return
        worker.asked.append((item, len(message)))
        with contextlib.suppress(OSError):  # its death is found, and its pages are dealt with, in _answers
            worker.connection.send_bytes(message)

    def _answers(self) -> Iterator[tuple[Item, PageRows | str]]:
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(by_connection), TICK_S):
            assert isinstance(connection, Connection)
            worker = by_connection[connection]
            try:
                answer = connection.recv_bytes()
            except (EOFError, OSError):
                yield from self._bury(worker)
                continue
            kind = answer[:1]
            if kind == READY:
                worker.ready = True
                self._failures_to_start = 0
            elif kind == RETIRED:
                self._remove(worker)
                self._waiting.extend(item for item, _ in worker.asked)
            else:
                item, _ = worker.asked.popleft()
                yield item, _rows_decoder.decode(answer[1:]) if kind == ROWS else answer[1:].decode()

    def _bury(self, worker: _Worker) -> Iterator[tuple[Item, PageRows | str]]:
        """Give the page that a dead worker had in work its outcome, and the pages behind it to another.

        SIGKILL comes from outside (a person, the kernel that needs memory) and says nothing of the page: it is tried
        once more.
        """
        code = self._remove(worker)
        self.restarts += 1
        if not worker.ready:
            self._failures_to_start += 1
            if self._failures_to_start > self.size:
                raise WorkerError(f"extraction workers end at their start, with exit code {code}")
        elif worker.asked:
            item, _ = worker.asked.popleft()
            place = item.capture if isinstance(item, Page) else item
            if code == -signal.SIGKILL and place not in self._tried_again:
                self._tried_again.add(place)
                self._waiting.append(item)
            else:
                yield item, self._obituary(item, code)
        self._waiting.extend(item for item, _ in worker.asked)

    def _obituary(self, item: Item, code: int) -> PageRows | str:
        try:
            page = read_asked(ask(item), self._data)
        except (OSError, ValueError) as error:
            return str(error)
        return page_rows(page, Extraction(result=_death(page, code)))

    def _remove(self, worker: _Worker) -> int:
        self._workers.remove(worker)
        worker.connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return worker.process.wait(DYING_S)
        worker.process.kill()
        return worker.process.wait()


def _death(page: Page, code: int) -> Rejection:
    where = f"capture {page.capture.file} at byte {page.capture.offset}"
    if -code in TIMEOUT_SIGNALS:
        return Rejection(outcome=Outcome.EXTRACTION_TIMEOUT, reason=f"extraction took too long; {where}")
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return Rejection(outcome=Outcome.EXTRACTION_FAILED, reason=f"the extraction worker ended with {how}; {where}")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
