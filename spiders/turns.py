"""Turns at a host: one request at a time, and none too soon, among all the spiders of a data folder.

Its frontier keeps a spider's own requests apart. But two spiders may need one host: sites of two shards name the same
licence, own the same host, or have a robots.txt that leads to the same other one. So each request is made under a lock
of its host, and leaves behind when the host may be asked again.

The locks are bytes of one file (POSIX record locks, fcntl(2)): one descriptor for all hosts, nothing to clear away,
and the kernel gives the locks of a dead spider back. A host's place in the file follows from its name; two hosts that
share one, of a million, take turns needlessly and no more.
"""

import contextlib
import fcntl
import os
import struct
import time
from hashlib import blake2b
from pathlib import Path

FILE = "turns"
PLACES = 1 << 20
POLL_S = 0.05
# A longer wait that was left behind is not kept: monotonic time begins anew when the machine does.
LONGEST_S = 60.0
_MOMENT = struct.Struct("=d")  # monotonic seconds, which all processes of a machine share


class Turns:
    """The turns that one spider has and waits for. Raises OSError where the file cannot be had."""

    def __init__(self, data: Path) -> None:
        folder = data / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        # Opened once a process: closing any descriptor of a file gives all of the process's locks on it back.
        self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._taken: set[int] = set()

    def take(self, host: str, gap_s: float) -> float:
        """Take the turn at a host and return 0.0, or return the seconds after which to try again.

        `gap_s` is what is to lie between two requests, should this spider die before it gives the turn back.
        """
        place = _place(host)
        if place in self._taken:
            return POLL_S
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, _MOMENT.size, place)
        except (BlockingIOError, PermissionError):  # POSIX allows either
            return POLL_S
        now = time.monotonic()
        wait_s = self._free_at(place) - now
        if 0.0 < wait_s <= LONGEST_S:
            fcntl.lockf(self._file, fcntl.LOCK_UN, _MOMENT.size, place)
            return wait_s
        self._leave(place, now + gap_s)
        self._taken.add(place)
        return 0.0

    def give(self, host: str, free_at: float) -> None:
        """Give the turn back; the host may be asked again at `free_at` (monotonic seconds)."""
        place = _place(host)
        self._taken.discard(place)
        self._leave(place, min(free_at, time.monotonic() + LONGEST_S))
        fcntl.lockf(self._file, fcntl.LOCK_UN, _MOMENT.size, place)

    def close(self) -> None:
        """Give all turns back."""
        os.close(self._file)

    def _free_at(self, place: int) -> float:
        stands = os.pread(self._file, _MOMENT.size, place)
        moment: float = _MOMENT.unpack(stands)[0] if len(stands) == _MOMENT.size else 0.0
        return moment

    def _leave(self, place: int, free_at: float) -> None:
        with contextlib.suppress(OSError):  # a full disk is told where pages are written
            os.pwrite(self._file, _MOMENT.pack(free_at), place)


def _place(host: str) -> int:
    digest = blake2b(host.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % PLACES * _MOMENT.size
