"""The newsroom as an outside world, and the line as a process that can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from newsroom.sites import write_sites
from newsroom.truth import Truth, expected

ANCHOR = date(2026, 11, 20)
LINE = Path(__file__).with_name("line.py")


@dataclass(frozen=True)
class Served:
    """A newsroom that is on the air."""

    port: int
    log: Path

    def truth(self) -> Truth:
        return expected(ANCHOR, 1, self.port)

    def furnish(self, data: Path) -> Path:
        """Give a data folder the newsroom's sites and no others."""
        data.mkdir(parents=True, exist_ok=True)
        write_sites(data / "sites", self.port)
        (data / "nightdesk.toml").write_text("catalogue = false\n", encoding="utf-8")
        return data

    def asked(self) -> Counter[str]:
        """How often each URL was asked for so far."""
        entries = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return Counter(f"http://{entry['host']}{entry['path']}" for entry in entries)


@contextmanager
def serving(log: Path) -> Iterator[Served]:
    command = [sys.executable, "-m", "newsroom", "--watch-parent", "--anchor", ANCHOR.isoformat(), "--log", str(log)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Served(json.loads(process.stdout.readline())["port"], log)
    finally:
        process.terminate()
        process.wait(20)


def start_line(data: Path, *days: str) -> "subprocess.Popen[str]":
    """Start one run of the line, without Prefect, as a process of its own."""
    return subprocess.Popen([sys.executable, str(LINE), str(data), *days], stderr=subprocess.PIPE, text=True)


def run_line(data: Path, *days: str) -> None:
    process = start_line(data, *days)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said


def descendants(pid: int) -> set[int]:
    """The processes below one, from /proc."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found, layer = set(), {pid}
    while layer:
        layer = {child for child, parent in parents.items() if parent in layer}
        found |= layer
    return found


def kill(pids: set[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
