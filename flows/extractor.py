"""The extraction worker's process: `python -m flows.extractor FD`.

It answers pages with their rows over the socket FD until the socket closes (its parent closed it, or died). The kernel
ends it if a page takes too long: two timers with their default action, which stop C code as well and need no watcher.

A message is a byte that says what it is, then MessagePack, which costs a tenth of pickling records. A page in a capture
is named by the place of its record, which the worker reads itself.
"""

import ctypes
import os
import resource
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import msgspec

from extraction.records import Capture, Extraction, Outcome, Page, Rejection

PAGE_CPU_S: Final = 10.0  # SIGPROF then ends the process; the worst honest page measured takes 2 s
PAGE_WALL_S: Final = 60.0  # SIGALRM: a page that sleeps rather than computes
MEMORY_BYTES: Final = 600 * 2**20  # of heap; beyond it allocations fail and the page is an outcome
RECYCLE_BYTES: Final = 350 * 2**20  # a worker that has grown to this is replaced between two pages
TRIM_PAGES: Final = 200  # glibc keeps freed trees: give them back every so many pages

TIMEOUT_SIGNALS: Final = (signal.SIGPROF, signal.SIGALRM)
_page_decoder: Final = msgspec.msgpack.Decoder(Page)
_capture_decoder: Final = msgspec.msgpack.Decoder(Capture)
# What a message is, by its first byte.
PAGE, CAPTURE = b"p", b"c"  # asked: a Page itself, or the Capture that holds one
ROWS, UNREADABLE = b"r", b"u"  # answered: PageRows, or why the record cannot be read
READY, RETIRED = b"+", b"-"  # said by a worker of itself


def main(argument: str) -> None:
    """Serve the socket whose file descriptor is given."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with Connection(int(argument)) as connection:
        try:
            serve(connection)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return  # nobody is listening any more


def serve(connection: Connection) -> None:
    """Receive what `flows.pool.Pool` was made with, then pages; answer each."""
    from extraction.article import extract_page  # noqa: PLC0415 - half a second: after the limits are set
    from extraction.rules import SiteRules  # noqa: PLC0415
    from storage.rows import encode, page_rows  # noqa: PLC0415

    data, rules, learned, page_cpu_s, memory_bytes = connection.recv()
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    connection.send_bytes(READY)
    done = 0
    while True:
        message = connection.recv_bytes()
        signal.setitimer(signal.ITIMER_PROF, page_cpu_s)
        signal.setitimer(signal.ITIMER_REAL, PAGE_WALL_S)
        try:
            page = read_asked(message, data)
        except (OSError, ValueError) as error:
            answer = UNREADABLE + str(error).encode("utf-8", "replace")
        else:
            site = page.discovery.site
            try:
                extraction = extract_page(page, rules=rules.get(site, SiteRules()), learned=learned.get(site))
            except Exception as error:  # noqa: BLE001 - a defect met by one page is that page's outcome
                extraction = _failed(page, error)
            answer = ROWS + encode(page_rows(page, extraction))
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send_bytes(answer)
        done += 1
        if done % TRIM_PAGES == 0:
            _give_back_memory()
            if _resident_bytes() > RECYCLE_BYTES:
                connection.send_bytes(RETIRED)
                return


def read_asked(message: bytes, data: Path | None) -> Page:
    """Return the page that a message asks for. Raises OSError or ValueError where its record cannot be read."""
    if message[:1] == PAGE:
        return _page_decoder.decode(memoryview(message)[1:])
    from spiders.captures import read_page  # noqa: PLC0415 - only where captures are read

    capture = _capture_decoder.decode(memoryview(message)[1:])
    assert data is not None
    page = read_page(capture, data=data)
    if page is None:
        raise ValueError("the record is no response")
    return page


def ask(item: Page | Capture) -> bytes:
    """Return the message that asks for a page."""
    return (PAGE if isinstance(item, Page) else CAPTURE) + msgspec.msgpack.encode(item)


def _failed(page: Page, error: Exception) -> Extraction:
    """Name the defect and the capture, so that it can be met again."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    reason = (
        f"{type(error).__name__} at {os.path.basename(place.filename)}:{place.lineno}: {str(error)[:200]};"  # noqa: PTH119
        f" capture {page.capture.file} at byte {page.capture.offset}"
    )
    return Extraction(result=Rejection(outcome=Outcome.EXTRACTION_FAILED, reason=reason))


def _give_back_memory() -> None:
    from extraction.limits import reset_caches  # noqa: PLC0415

    reset_caches()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - a kernel file
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


if __name__ == "__main__":
    main(sys.argv[1])
