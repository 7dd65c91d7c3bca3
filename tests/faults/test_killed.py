"""The whole line killed at drawn moments, over sites that go on publishing: the next run makes good what was left.

`FAULT_RUNS=1000 pytest tests/faults/test_killed.py` kills more of them, a dozen to a data folder;
`FAULT_FIRST` is the seed of the first folder.
"""

import json
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from storage.load import pending_folders
from tests.faults.desk import SITES, TOWNS, article, furnish, site_feed
from tests.flows.world import descendants, is_alive, kill, start_line, wait_for
from tests.spiders.origin import Origin, Reply

pytestmark = [pytest.mark.faults, pytest.mark.crash]
KILLS = int(os.environ.get("FAULT_RUNS", "3"))
FIRST = int(os.environ.get("FAULT_FIRST", "0"))
FOLDERS = range(FIRST, FIRST + -(-KILLS // len(TOWNS)))
ISSUES = ("morning", "noon", "evening", "night")  # a town's articles, on each site

VICTIMS: dict[str, Callable[[int, set[int]], set[int]]] = {
    "all of them": lambda line, below: {line, *below},
    "the line, which also loads": lambda line, _: {line},
    "the spider": lambda _, below: {pid for pid in below if b"spiders" in _command(pid)},
    "a worker": lambda _, below: {pid for pid in below if b"flows.extractor" in _command(pid)},
}


@dataclass
class Killing:
    """Runs over one data folder, killed one after the other, of sites that publish more before each."""

    data: Path
    origin: Origin
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    usual_s: float = 3.0  # that the last run took which was left alone
    towns: int = 0

    def publish(self) -> None:
        """Let the feeds of all sites name one town more."""
        self.towns = min(len(TOWNS), self.towns + 1)
        for site in SITES:
            host = f"{site}.localhost"
            links = {}
            for town in TOWNS[: self.towns]:
                for issue in ISSUES:
                    link = self.origin.url(f"/2026/{site}-in-the-{issue}-of-{town.lower()}", host)
                    links[f"{town} in the {issue}"] = link
                    path = link.split("/", 3)[3]
                    self.origin.routes[f"{host}/{path}"] = Reply(article(site, f"{town} in the {issue}", link))
            self.origin.routes[f"{host}/feed"] = site_feed(links)

    def run_and_kill(self) -> None:
        """Run the line and kill some of its processes at a drawn moment, if it has not ended by then."""
        moment, victim = self.chance.random() * self.usual_s, self.chance.choice([*VICTIMS, "all of them"])
        began = time.monotonic()
        process = start_line(self.data)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            below = descendants(process.pid)
            victims = VICTIMS[victim](process.pid, below)
            kill(victims)
            self.kills[victim] += bool(victims)
            if process.pid in victims:
                assert process.stderr is not None
                process.stderr.close()
                process.wait(10)
                if self.chance.random() < 0.5:  # else the next run meets those that are left
                    wait_for(lambda: not any(map(is_alive, below)), 10, "what the line has started ends by itself")
                return
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0 or "SIGKILL" in said, said
        if process.returncode == 0:
            self.usual_s = time.monotonic() - began

    def run_whole(self) -> None:
        process = start_line(self.data)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("seed", FOLDERS)
def test_whatever_is_killed_and_when_the_store_ends_the_same(tmp_path: Path, seed: int) -> None:
    """Spider, worker, line or all at once, again and again: each article once in the store, none lost, none fetched again but what was under way."""
    kills = min(len(TOWNS), KILLS - (seed - FIRST) * len(TOWNS))
    with Origin() as origin:
        killing = Killing(furnish(tmp_path, origin), origin, random.Random(seed))
        while killing.kills.total() < kills:
            killing.publish()
            killing.run_and_kill()
        killing.run_whole()
        asked = Counter(a.host.split(".")[0] + a.path for a in origin.asked if a.path.startswith("/2026/"))
    published = sorted((s, f"{t} in the {i} votes on its harbour") for s in SITES for t in TOWNS[: killing.towns] for i in ISSUES)  # fmt: skip
    assert content(tmp_path) == published, killing.kills
    fatal = killing.kills.total() - killing.kills["a worker"]
    assert asked.total() - len(asked) <= len(SITES) * fatal  # one request under way on each host
    assert len(asked) == len(published)
    assert not list(tmp_path.glob("captures/*/*.open"))
    assert not [path for path in tmp_path.glob("extracted/*/*") if path.suffix]
    if log := os.environ.get("FAULT_LOG"):
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seed": seed, "killed": killing.kills}) + "\n")


def content(data: Path) -> list[tuple[str, str]]:
    """Return site and headline of each article; nothing in the store is double, open, or counted as running."""
    with duckdb.connect(str(data / "store" / "published.duckdb"), read_only=True) as connection:
        ask = lambda query: connection.execute(query).fetchall()  # noqa: E731
        articles = ask("SELECT site, headline FROM articles ORDER BY ALL")
        assert ask("SELECT count(*), count(DISTINCT url_key) FROM articles") == [(len(articles), len(articles))]
        assert ask("SELECT count(*) FROM article_versions") == [(len(articles),)]
        assert ask("SELECT outcome, count(*) FROM urls GROUP BY ALL") == [("loaded", len(articles))]
        assert ask("SELECT state, count(*) FROM runs WHERE state NOT IN ('finished', 'failed') GROUP BY ALL") == []
        loaded = set(ask("SELECT run_id, segment FROM segments"))
    assert {(folder.parent.name, folder.name) for folder in pending_folders(data)} <= loaded
    return articles
