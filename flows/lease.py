"""One host is crawled by one process at a time: a lock file a host in `<data>/locks`, held with flock(2).

The kernel releases a lock when the last process that has the file open ends. The spider inherits the open files, so a
host stays taken until its spider is gone too, however its parent died.

Who is in a hurry (the nightly crawl) holds a second lock of the host while it waits for the first. Who can wait (a
backfill) looks whether somebody does (`wanted`), gives its hosts up and goes on when they are free (`hold_free`).
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import msgspec

from flows.living import is_held

POLL_S = 0.5


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lock: for people to read, the lock itself is the kernel's."""

    what: str
    run_id: str
    pid: int
    since: datetime

    def __str__(self) -> str:
        return f"{self.what} {self.run_id} (process {self.pid}, since {self.since:%Y-%m-%d %H:%M:%S} UTC)"


class HostBusyError(RuntimeError):
    """Another process crawls the host; the text says which."""


@asynccontextmanager
async def hold_hosts(
    data: Path,
    hosts: Iterable[str],
    *,
    what: str,
    run_id: str,
    wait: bool,
    say: Callable[[str], None],
    urgent: bool = False,
) -> AsyncIterator[tuple[int, ...]]:
    """Hold the locks of these hosts; yield the file descriptors that a child must inherit (`pass_fds`).

    Where a lock is taken, `say` is told once who has it, and it is waited for; without `wait` HostBusyError is raised.
    `urgent` asks a holder that can wait to give the host up. All processes take locks in the order of their names, so
    two never wait for each other.
    """
    holder = Holder(what=what, run_id=run_id, pid=os.getpid(), since=datetime.now(UTC))
    with contextlib.ExitStack() as held:
        descriptors = []
        for host in sorted(set(hosts)):
            descriptor = _open(data, "host", host)
            held.callback(os.close, descriptor)
            with contextlib.ExitStack() as asking:
                if wait and urgent:
                    asking.callback(os.close, _ask_for(data, host))
                await _take(descriptor, host, wait=wait, say=say)
            _sign(descriptor, holder)
            descriptors.append(descriptor)
        yield tuple(descriptors)


@asynccontextmanager
async def hold_free(
    data: Path, sites: Mapping[str, Iterable[str]], *, what: str, run_id: str, say: Callable[[str], None]
) -> AsyncIterator[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Hold the hosts of those sites that are free and that nobody urgent waits for; wait until there is one.

    Yields the names of these sites, and file descriptors as `hold_hosts` does. `say` is told once who is waited for.
    """
    holder = Holder(what=what, run_id=run_id, pid=os.getpid(), since=datetime.now(UTC))
    told = False
    while True:
        with contextlib.ExitStack() as held:
            taken, descriptors, obstacle = _take_free(data, sites, held)
            if taken:
                for descriptor in descriptors:
                    _sign(descriptor, holder)
                yield taken, descriptors
                return
        if not told:
            say(f"{obstacle}; waiting until it is done")
            told = True
        await asyncio.sleep(POLL_S)


def wanted(data: Path, hosts: Iterable[str]) -> str | None:
    """Return a host among these that somebody urgent waits for, None if nobody does."""
    for host in hosts:
        descriptor = _open(data, "want", host)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return host
        finally:
            os.close(descriptor)
    return None


def holders(data: Path) -> list[str]:
    """Return who holds hosts, each once."""
    held = (path for path in sorted((data / "locks").glob("host-*.lock")) if is_held(path))
    return list(dict.fromkeys(_said(path.read_bytes()) for path in held))


def _open(data: Path, kind: str, host: str) -> int:
    folder = data / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / f"{kind}-{quote(host, safe='')[:200]}.lock", os.O_RDWR | os.O_CREAT, 0o644)


def _sign(descriptor: int, holder: Holder) -> None:
    with contextlib.suppress(OSError):  # a full disk: others wait for "another process" then
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(holder), 0)


def _ask_for(data: Path, host: str) -> int:
    """Hold the lock that says that somebody urgent waits; several can."""
    descriptor = _open(data, "want", host)
    fcntl.flock(descriptor, fcntl.LOCK_SH)  # at most for the moment in which somebody looks
    return descriptor


def _take_free(
    data: Path, sites: Mapping[str, Iterable[str]], held: contextlib.ExitStack
) -> tuple[tuple[str, ...], tuple[int, ...], str]:
    """Take the locks of the sites all of whose hosts are free; return also why the last one is not."""
    taken: list[str] = []
    descriptors: list[int] = []
    obstacle = ""
    for site, hosts in sites.items():
        with contextlib.ExitStack() as attempt:
            own = []
            for host in sorted(set(hosts)):
                if wanted(data, [host]):
                    obstacle = f"{host} is wanted by the nightly crawl"
                    break
                own.append(_open(data, "host", host))
                attempt.callback(os.close, own[-1])
                try:
                    fcntl.flock(own[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    obstacle = f"{host} is being crawled by {_holder(own[-1])}"
                    break
            else:
                taken.append(site)
                descriptors += own
                held.push(attempt.pop_all())
    return tuple(taken), tuple(descriptors), obstacle


async def _take(descriptor: int, host: str, *, wait: bool, say: Callable[[str], None]) -> None:
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"{host} is being crawled by {_holder(descriptor)}"
            if not wait:
                raise HostBusyError(message) from None
            if not told:
                say(f"{message}; waiting until it is done")
                told = True
            await asyncio.sleep(POLL_S)
        else:
            return


def _holder(descriptor: int) -> str:
    return _said(os.pread(descriptor, 4096, 0))


def _said(words: bytes) -> str:
    try:
        return str(msgspec.json.decode(words, type=Holder))
    except msgspec.DecodeError:
        return "another process"
