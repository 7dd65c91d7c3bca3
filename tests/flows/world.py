"""The newsroom as an outside world, the line as a process that can be killed, and `nightdesk up` over a data folder."""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import httpx

from newsroom.edition import DAYS
from newsroom.sites import write_sites
from newsroom.truth import Truth, expected

ANCHOR = date(2026, 11, 20)
NIGHTDESK = str(Path(sys.executable).with_name("nightdesk"))
ENDED = frozenset({"Completed", "Failed", "Crashed", "Cancelled"})
LINE = Path(__file__).with_name("line.py")


@dataclass(frozen=True)
class Served:
    """A newsroom that is on the air."""

    port: int
    log: Path
    days: int = DAYS

    def truth(self) -> Truth:
        return expected(ANCHOR, 1, self.port, days=self.days)

    def furnish(self, data: Path) -> Path:
        """Give a data folder the newsroom's sites and no others."""
        data.mkdir(parents=True, exist_ok=True)
        write_sites(data / "sites", self.port)
        (data / "nightdesk.toml").write_text("catalogue = false\n", encoding="utf-8")
        return data

    def asked(self) -> Counter[str]:
        """How often each URL was asked for so far."""
        lines, _, _ = self.log.read_text(encoding="utf-8").rpartition("\n")  # the last may still be written
        entries = [json.loads(line) for line in lines.splitlines()]
        return Counter(f"http://{entry['host']}{entry['path']}" for entry in entries)


@contextmanager
def serving(log: Path, days: int = DAYS) -> Iterator[Served]:
    command = [sys.executable, "-m", "newsroom", "--watch-parent", "--anchor", ANCHOR.isoformat(), "--log", str(log)]
    command += ["--days", str(days)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Served(json.loads(process.stdout.readline())["port"], log, days)
    finally:
        process.terminate()
        process.wait(20)


@dataclass(frozen=True)
class Up:
    """A `nightdesk up` over a data folder with the newsroom's sites, and its API."""

    process: "subprocess.Popen[str]"
    data: Path
    address: str
    api: httpx.Client
    newsroom: Served

    def start(self, deployment: str, *, due: datetime | None = None, **parameters: object) -> str:
        found = self.api.get(f"/deployments/name/{deployment}/{deployment}").raise_for_status().json()
        asked = {"parameters": parameters, "idempotency_key": secrets.token_hex(8)}
        if due is not None:
            asked["state"] = {"type": "SCHEDULED", "state_details": {"scheduled_time": due.isoformat()}}
        for _ in range(10):
            made = self.api.post(f"/deployments/{found['id']}/create_flow_run", json=asked)
            if made.status_code != httpx.codes.SERVICE_UNAVAILABLE:  # its database was locked for too long
                break
            time.sleep(1)
        return str(made.raise_for_status().json()["id"])

    def state(self, run: str) -> tuple[str, str | None]:
        state = self.api.get(f"/flow_runs/{run}").raise_for_status().json()["state"]
        return state["name"], state["message"]

    def ended(self, run: str, seconds: float = 200) -> tuple[str, str | None]:
        deadline = time.monotonic() + seconds
        state: tuple[str, str | None] = ("", None)
        while state[0] not in ENDED:
            assert time.monotonic() < deadline, state
            time.sleep(0.5)
            with contextlib.suppress(httpx.TransportError):  # a server that was killed is started again
                state = self.state(run)
        return state

    def logs(self, run: str) -> str:
        asked = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC", "limit": 200}
        return "\n".join(entry["message"] for entry in self.api.post("/logs/filter", json=asked).json())

    def fetching(self) -> bool:
        return any(path.stat().st_size > 50_000 for path in self.data.glob("captures/*/*.warc.gz.open"))

    def articles(self) -> set[str]:
        return stored_articles(self.data)


@contextmanager
def serving_up(folder: Path) -> Iterator[Up]:
    with serving(folder / "access.jsonl") as newsroom, up_over(newsroom.furnish(folder / "data"), newsroom) as up:
        yield up


@contextmanager
def up_over(data: Path, newsroom: Served) -> Iterator[Up]:
    port = free_port()
    command = [NIGHTDESK, "up", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"})
    try:
        said = ""
        while "Ctrl-C ends it all" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        address = f"http://127.0.0.1:{port}"
        assert address in said
        with httpx.Client(base_url=f"{address}/api", timeout=60) as api:
            yield Up(process, data, address, api, newsroom)
    finally:
        process.terminate()
        process.wait(90)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stored_articles(data: Path) -> set[str]:
    """The URLs that a reader's SQL finds in the published store; none before the first is published."""
    path = data / "store" / "published.duckdb"
    if not path.exists():
        return set()
    with duckdb.connect(str(path), read_only=True) as connection:
        return {url for (url,) in connection.execute("select url from articles").fetchall()}


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
