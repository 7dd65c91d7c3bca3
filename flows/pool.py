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
from multiprocessing.reduction import ForkingPickler
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from extraction.records import Extraction, Outcome, Page, Rejection
from flows.extractor import PAGE_CPU_S, READY, RETIRED, TIMEOUT_SIGNALS

if TYPE_CHECKING:
    from extraction.learned import Learned
    from extraction.rules import SiteRules

AHEAD_BYTES: Final = (
    100_000  # a page up to this size waits in the socket (its buffer holds 200 KB) while another is read
)
AHEAD: Final = 2  # pages at a worker: one in work, one waiting, so that it never idles for its parent
DYING_S: Final = 2.0  # between a worker's last word and its exit code; dumping a core is switched off
TICK_S: Final = 0.1  # how long to wait for an answer before more pages are asked for


class WorkerError(RuntimeError):
    """The extraction workers cannot be started at all: an installation that is broken, not a page."""


@dataclass(slots=True, eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    connection: Connection
    ready: bool = False
    pages: deque[tuple[Page, bool]] = field(default_factory=deque)  # sent and unanswered, with "it was large"

    @property
    def takes_more(self) -> bool:
        return not self.pages or (len(self.pages) < AHEAD and not self.pages[-1][1])


class Pool:
    """So many extraction workers, started when first needed and ended by `close` (or leaving the `with`)."""

    def __init__(
        self,
        size: int,
        rules: Mapping[str, "SiteRules"] | None = None,
        learned: Mapping[str, "Learned"] | None = None,
        *,
        page_cpu_s: float = PAGE_CPU_S,
    ) -> None:
        """Take the cleaning rules and the learned lines by site, and the CPU time that a page may take, in seconds."""
        self.size = size
        self.restarts = 0
        self._setup = (dict(rules or {}), dict(learned or {}), page_cpu_s)
        self._workers: list[_Worker] = []
        self._waiting: deque[Page] = deque()
        self._failures_to_start = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def extract(self, pages: Iterable[Page | None]) -> Iterator[tuple[Page, Extraction]]:
        """Yield each page with its extraction, in the order in which they are ready.

        A None among the pages means "none at the moment": answers that are there are yielded before the next is asked
        for. A page that takes too long or ends its worker is EXTRACTION_TIMEOUT or EXTRACTION_FAILED.
        """
        source = iter(pages)
        exhausted = False
        while True:
            idle = False
            while not exhausted and not idle and (worker := self._free_worker()) is not None:
                try:
                    page = self._waiting.popleft() if self._waiting else next(source)
                except StopIteration:
                    exhausted = True
                    break
                if page is None:
                    idle = True
                else:
                    self._give(worker, page)
            while self._waiting and exhausted and (worker := self._free_worker()) is not None:
                self._give(worker, self._waiting.popleft())
            if exhausted and not self._waiting and not any(worker.pages for worker in self._workers):
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

    def _free_worker(self) -> _Worker | None:
        while len(self._workers) < self.size:
            self._workers.append(self._start())
        free = [worker for worker in self._workers if worker.takes_more]
        return min(free, key=lambda worker: (len(worker.pages), not worker.ready)) if free else None

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

    def _give(self, worker: _Worker, page: Page) -> None:
        pickled = ForkingPickler.dumps(page)
        large = len(pickled) > AHEAD_BYTES
        if large and worker.pages:
            self._waiting.appendleft(page)  # it would block us in send until the worker reads it
            worker.pages[-1] = (worker.pages[-1][0], True)
            return
        worker.pages.append((page, large))
        with contextlib.suppress(OSError):  # its death is found, and its pages are dealt with, in _answers
            worker.connection.send_bytes(pickled)

    def _answers(self) -> Iterator[tuple[Page, Extraction]]:
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(by_connection), TICK_S):
            assert isinstance(connection, Connection)
            worker = by_connection[connection]
            try:
                answer = connection.recv()
            except (EOFError, OSError):
                yield from self._bury(worker)
                continue
            if answer == READY:
                worker.ready = True
                self._failures_to_start = 0
            elif answer == RETIRED:
                self._remove(worker)
                self._waiting.extend(page for page, _ in worker.pages)
            else:
                yield worker.pages.popleft()[0], answer

    def _bury(self, worker: _Worker) -> Iterator[tuple[Page, Extraction]]:
        """Give the page that a dead worker had in work its outcome, and the page behind it to another."""
        code = self._remove(worker)
        self.restarts += 1
        if not worker.ready:
            self._failures_to_start += 1
            if self._failures_to_start > self.size:
                raise WorkerError(f"extraction workers end at their start, with exit code {code}")
        elif worker.pages:
            page, _ = worker.pages.popleft()
            yield page, Extraction(result=_death(page, code))
        self._waiting.extend(page for page, _ in worker.pages)

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
