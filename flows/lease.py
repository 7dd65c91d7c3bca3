"""One host is crawled by one process at a time: a lock file a host in `<data>/locks`, held with flock(2).

The kernel releases a lock when the last process that has the file open ends. The spider inherits the open files, so a
host stays taken until its spider is gone too, however its parent died.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import msgspec

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
    data: Path, hosts: Iterable[str], *, what: str, run_id: str, wait: bool, say: Callable[[str], None]
) -> AsyncIterator[tuple[int, ...]]:
    """Hold the locks of these hosts; yield the file descriptors that a child must inherit (`pass_fds`).

    Where a lock is taken, `say` is told once who has it, and it is waited for; without `wait` HostBusyError is raised.
    All processes take locks in the order of their names, so two never wait for each other.
    """
    folder = data / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    holder = Holder(what=what, run_id=run_id, pid=os.getpid(), since=datetime.now(UTC))
    with contextlib.ExitStack() as held:
        descriptors: list[int] = []
        for host in sorted(set(hosts)):
            descriptor = os.open(folder / f"host-{quote(host, safe='')[:200]}.lock", os.O_RDWR | os.O_CREAT, 0o644)
            held.callback(os.close, descriptor)
            await _take(descriptor, host, wait=wait, say=say)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, msgspec.json.encode(holder), 0)
            descriptors.append(descriptor)
        yield tuple(descriptors)


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
    try:
        return str(msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Holder))
    except msgspec.DecodeError:
        return "another process"
