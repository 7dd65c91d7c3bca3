"""The spider as a child process: start it, hear it, end it gently (docs/design.md, "The spider's child process")."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

GRACE_S: Final = 25.0  # for the spider to end after SIGTERM; Prefect kills us 30 s after ours
LONGEST_LINE: Final = 1 << 20  # bytes of one event; a spider of 500 sites writes 100 KB of progress
KEPT_LINES: Final = 20  # of standard error, to say why it died


class Log(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="log"):
    """A line for people, with the site that it speaks of ("" for none)."""

    level: str
    message: str
    site: str | None = None


class Segment(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="segment"):
    """A segment was closed; `path` is its WARC or its journal."""

    path: str


class SiteProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a site is: counts of URLs."""

    discovered: int = 0
    fetched: int = 0
    outcomes: dict[str, int] = {}
    pending: int = 0


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="progress"):
    """How far the spider is, about once a second."""

    sites: dict[str, SiteProgress] = {}
    pages_per_s: float = 0.0


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="finished"):
    """The spider ended by itself."""

    reason: str


Event = Log | Segment | Progress | Finished
_decode = msgspec.json.Decoder(Event).decode


class SpiderError(RuntimeError):
    """The spider's process ended otherwise than it should; the text holds its exit code and last words."""


async def crawl(
    job: Path, hear: Callable[[Event], None], *, inherit: Sequence[int] = (), module: str = "spiders"
) -> Finished:
    """Run the spider (or another child of its protocol) on a job file and tell `hear` each event; return the last one.

    When the calling task is cancelled, the spider is told to stop (SIGTERM) and given time to close its segment, during
    which it is still heard; then the cancellation goes on. `inherit` are file descriptors that the child keeps open
    (its locks). Raises SpiderError.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, str(job)),
        stdin=PIPE,  # kept open: its end tells the spider that we are gone
        stdout=PIPE,
        stderr=PIPE,
        limit=LONGEST_LINE,
        start_new_session=True,  # Ctrl-C in a terminal is for us alone; a second signal would end the spider at once
        pass_fds=inherit,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    words: deque[str] = deque(maxlen=KEPT_LINES)
    last: list[Finished] = []

    def listen(event: Event) -> None:
        if isinstance(event, Finished):
            last.append(event)
        hear(event)

    ears = asyncio.gather(_events(process, listen), _errors(process, hear, words))
    try:
        await asyncio.shield(ears)
        code = await process.wait()
    except BaseException:  # a cancelled run too leaves no spider behind
        await _stop(process, ears)
        raise
    if code != 0 or not last:
        said = " | ".join(words) or "it said nothing"
        raise SpiderError(f"the spider ended with {_cause(code)}: {said}")
    return last[-1]


async def _events(process: Process, hear: Callable[[Event], None]) -> None:
    assert process.stdout is not None
    while line := await _line(process.stdout):
        try:
            event = _decode(line)
        except msgspec.DecodeError:
            event = Log(level="warning", message=_text(line))
        hear(event)


async def _errors(process: Process, hear: Callable[[Event], None], words: deque[str]) -> None:
    assert process.stderr is not None
    while line := await _line(process.stderr):
        words.append(_text(line))
        hear(Log(level="warning", message=_text(line)))


async def _line(stream: asyncio.StreamReader) -> bytes:
    """Read the next line; one that is too long is passed over."""
    while True:
        try:
            return await stream.readline()
        except ValueError:
            continue


async def _stop(process: Process, ears: "asyncio.Future[tuple[None, None]]") -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), GRACE_S)
        await asyncio.wait_for(ears, 1.0)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    except Exception:  # noqa: BLE001 - whatever a listener raised is why we stop, and is on its way up already
        await process.wait()


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip()


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
