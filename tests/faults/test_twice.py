"""Several at work on one data folder, and spiders killed at any moment: hosts hear one at a time, nothing is lost or doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Self

import pytest

from spiders.captures import recover
from tests.faults.cases import NONE, PAGE
from tests.faults.desk import furnish, titles, whole
from tests.flows.world import start_line
from tests.spiders.conftest import Crawled, read_run, write_job
from tests.spiders.origin import Origin

pytestmark = [pytest.mark.faults, pytest.mark.crash]
KILLS = int(os.environ.get("FAULT_KILLS", "12"))


class Spawner:
    """Starts spiders that need not import anything any more."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("spawn.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(self, job: Path) -> int:
        return self._said(str(job))

    def wait(self) -> int:
        return self._said("")

    def _said(self, line: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def test_two_runs_at_once_take_turns(tmp_path: Path) -> None:
    """Of two runs started together one waits and says for whom; no host hears both, each article is asked for once, both end well."""
    with Origin() as origin:
        data = furnish(tmp_path, origin, delay_s=0.1)
        both = [start_line(data), start_line(data)]
        said = "".join(process.communicate(timeout=120)[1] for process in both)
        assert [process.returncode for process in both] == [0, 0], said
        assert said.count("is being crawled by the nightly crawl") == 1
        assert set(origin.most_at_once.values()) == {1}
        asked = [a.path for a in origin.asked if a.path.startswith("/2026/")]
        assert len(asked) == len(set(asked)) == 24
    assert titles(data) == whole()


def test_a_spider_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """After each SIGKILL, at a drawn moment from its first request to its last: what was discovered has one end or is taken up by the next, and no page that was kept is asked for again."""
    chance = random.Random(11)
    with Origin() as origin, Spawner() as spawn:
        hosts = [f"h{n}.localhost" for n in range(4)]
        origin.routes |= {"/robots.txt": NONE} | {f"/{n}": PAGE for n in range(15)}
        sites = {
            host.partition(".")[0]: {"url": origin.url(host=host), "politeness": {"delay_s": 0.01}} for host in hosts
        }
        for kill in range(KILLS):
            data = tmp_path / str(kill)
            data.mkdir()
            urls = [[host.partition(".")[0], origin.url(f"/{n}", host)] for host in hosts for n in range(15)]
            before = len(origin.asked)
            pid = spawn.start(write_job(data, sites, urls=urls, segment_bytes=20_000))
            until = before + chance.randrange(1, 64)
            last = time.monotonic() + 30
            while len(origin.asked) < until and time.monotonic() < last:
                time.sleep(0.001)
            time.sleep(chance.random() * 0.01)
            os.kill(pid, signal.SIGKILL)
            spawn.wait()
            first = recovered(data, "r1")
            ends = first.outcomes_by_url
            discovered = {e["url"] for e in first.entries if e["kind"] == "discovered"}
            assert discovered in ({url for _, url in urls}, set())
            assert set(ends) <= discovered
            asked = Counter(f"http://{a.host}{a.path}" for a in origin.asked[before:] if a.path != "/robots.txt")
            lost = [url for url in asked if url not in ends and "/.well-known/" not in url]
            assert len(lost) <= len(hosts), "only what was under way may be asked for again"
            rest = [[site, url] for site, url in urls if url not in ends]
            spawn.start(write_job(data, sites, run_id="r2", urls=rest))
            assert spawn.wait() == 0
            second = read_run(data, "r2")
            assert second.outcomes_by_url == {url: "page" for _, url in rest}
            assert len(first.pages) + len(second.pages) == len(urls)


def recovered(data: Path, run_id: str) -> Crawled:
    """Read what a killed run left, once it is closed."""
    folder = data / "captures" / run_id
    recover(folder)
    assert not list(folder.glob("*.open"))
    return read_run(data, run_id)
