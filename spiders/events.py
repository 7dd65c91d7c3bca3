"""Events for the parent process: JSON lines on standard output, written beside the loop.

A parent that is slow to read must not hold up the crawl: a full pipe stops the thread here, not the requests.
"""

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Mapping

import msgspec

# Events that wait for a parent who does not read; more are dropped, the files say it all anyway.
_MOST_WAITING = 10_000
# How long the end of the crawl waits for the parent to read what is left.
_LAST_S = 5.0


class Events(logging.Handler):
    """Writes events to a file descriptor, log records among them."""

    def __init__(self, descriptor: int = 1) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._queue: queue.Queue[bytes | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._write, daemon=True, name="events")
        self._thread.start()

    def tell(self, event: Mapping[str, object]) -> None:
        """Hand over an event; one of progress only if the last one has been read."""
        if event["event"] == "progress" and not self._queue.empty():
            return
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(msgspec.json.encode(event) + b"\n")

    def tell_last(self, event: Mapping[str, object]) -> None:
        """Hand over the last progress or the end: these are never left out while there is room."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(msgspec.json.encode(event) + b"\n")

    def emit(self, record: logging.LogRecord) -> None:
        """Hand over a log record."""
        message = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            message = f"{message}: {type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
        site = getattr(record, "site", None)
        self.tell({"event": "log", "level": record.levelname.lower(), "site": site, "message": message[:2000]})

    def close(self) -> None:
        """Write what is left, as far as somebody reads it."""
        if self._thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._queue.put(None, timeout=_LAST_S)
            self._thread.join(_LAST_S)
        super().close()

    def _write(self) -> None:
        while (line := self._queue.get()) is not None:
            rest = memoryview(line)
            try:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                return
