"""What all the tests share: the command as a user runs it."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

DEMO_DAY = date(2026, 11, 22)
Run = Callable[..., "subprocess.CompletedProcess[str]"]

# A shell's background job ignores Ctrl-C, and so would all the processes that tests start from there and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files first that take longest: begun last, one would hold up the end while the other workers idle."""
    rank = {"browser": 0, "prefect": 1, "crash": 2, "faults": 3}
    files: dict[Path, int] = {}
    for item in items:
        ranks = [rank[mark.name] for mark in item.iter_markers() if mark.name in rank]
        files[item.path] = min(*ranks, files.get(item.path, 4), 4)
    items.sort(key=lambda item: files[item.path])


@pytest.fixture(scope="session")
def nightdesk() -> Run:
    """Run `nightdesk …` as a process of its own, and fail with its output if it ends otherwise than `expect`ed."""

    def run(
        *args: str, data: Path, cwd: Path | None = None, expect: int | None = 0, timeout_s: float = 240
    ) -> "subprocess.CompletedProcess[str]":
        command = [str(Path(sys.executable).with_name("nightdesk")), *args]
        environment = {**os.environ, "NIGHTDESK_DATA": str(data), "NO_COLOR": "1", "COLUMNS": "140"}
        done = subprocess.run(
            command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        if expect is not None and done.returncode != expect:
            pytest.fail(f"{' '.join(args)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    return run


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory, nightdesk: Run) -> Path:
    """A data folder as `nightdesk demo` leaves it after a first run. Tests read it and leave it as it is.

    The newsroom's day is one for all times (on the day of a run it is that day: texts name weekdays and months), so
    that README can show answers.
    """

    def make(folder: Path) -> None:
        data = folder / "demo-data"
        data.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            room = {"anchor": DEMO_DAY.isoformat(), "port": probe.getsockname()[1], "edition": 1}
        (data / "newsroom.json").write_text(json.dumps(room))
        (data / "nightdesk.toml").write_text("catalogue = false\nfirst_crawl_days = 3650\n")
        nightdesk("demo", "--data", str(data), data=data, cwd=data.parent)

    return made_once("demo", tmp_path_factory, make) / "demo-data"


def made_once(name: str, tmp_path_factory: pytest.TempPathFactory, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first worker to ask makes for all of them; what failed is tried by the next."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / f"{name}.made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (shared / f"{name}.made").touch()
    return folder
