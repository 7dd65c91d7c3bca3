"""Killed at any moment, read at any moment: the store is whole, and goes on where it was."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage import database
from storage.load import load, pending_folders
from tests.storage.invariants import broken
from tests.storage.made import article, discovered, extraction, folder, outcome, page, rejection, stored

SITE = "https://harbour.example"
SEGMENTS = 12
KILLS = int(os.environ.get("FAULT_KILLS", "12"))  # of loads and publications


def make_segments(data: Path, count: int) -> None:
    """Write segments that touch each other's URLs: new articles, edits of earlier ones, rejections, errors."""
    for number in range(count):
        items: list = []
        for place in range(12):
            url = f"{SITE}/2026/story-{(number * 7 + place) % 60}-of-the-day"
            minute = number * 20 + place
            text = f"Text {number // 5} of {place}.\n\n" + "The tide is high. " * 40
            items.append(discovered(url, minute - 0.5))
            if place % 5 == 4:
                items.append(outcome(url, minute))
            elif place % 5 == 3:
                items.append((page(url, minute, segment=f"a-{number:05}"), extraction(rejection())))
            else:
                items.append((page(url, minute, segment=f"a-{number:05}"), extraction(article(url, text), "Newer")))
        folder(data, items, segment=f"a-{number:05}")


@pytest.fixture(scope="module")
def unhurt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose segments were loaded without any accident."""
    data = tmp_path_factory.mktemp("unhurt")
    make_segments(data, SEGMENTS)
    load(data, pending_folders(data))
    return data


def contents(data: Path) -> dict[str, list]:
    tables = ("urls", "fetches", "discoveries", "article_versions", "removed_blocks")
    rows = "SELECT COLUMNS(lambda c: c <> 'load_number') FROM {} ORDER BY ALL"
    with stored(data) as store:
        return {name: store.execute(rows.format(name)).fetchall() for name in tables}


def start(data: Path, what: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.crash_child", str(data), what], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


@pytest.mark.both
@pytest.mark.crash
def test_killed_at_any_moment_of_load_and_publish_nothing_is_lost_or_doubled(
    unhurt: Path, tmp_path: Path, form: str, request: pytest.FixtureRequest
) -> None:
    """After each SIGKILL the published copy is whole and no older than before; in the end the store is as without."""
    chance = random.Random(7)
    kills = rounds = 0
    # A load takes a process that starts and a lake five times as long.
    wanted, segments = (KILLS, SEGMENTS) if form == "files" else (KILLS // 4, SEGMENTS // 3)
    if form == "lake":  # what comes in by files comes in the same there
        unhurt = tmp_path / "unhurt"
        make_segments(unhurt, segments)
        load(unhurt, pending_folders(unhurt))
    while kills < wanted:
        data = tmp_path / f"round-{rounds}"
        if form == "lake":
            request.getfixturevalue("lakes")(data, False)
        make_segments(data, segments)
        kills += killed_loads(data, chance, wanted, patience_s=0.5 if form == "files" else 4)
        assert contents(data) == contents(unhurt)
        assert not list(data.glob("store/*.part"))
        assert not list(data.glob("store/*.wal"))
        shutil.rmtree(data)
        rounds += 1
    assert rounds <= wanted / 4 + 2, "most children ended before they were killed: the test shows nothing"


def killed_loads(data: Path, chance: random.Random, wanted: int, patience_s: float) -> int:
    """Load all that waits, over and over, killing each process but the last; return how many were killed."""
    seen = kills = 0
    while True:
        child = start(data, "load")
        time.sleep(chance.uniform(0, patience_s))
        ended = child.poll() is not None
        child.kill()
        child.communicate()
        kills += not ended
        if database.is_published(data):
            with database.connect(data) as connection:
                assert broken(connection) == []
                [loads] = connection.execute("SELECT count(*) FROM loads").fetchone() or [0]
            assert loads >= seen
            seen = loads
        if ended or kills >= wanted:
            break
    child = start(data, "load")
    assert child.communicate(timeout=120)[0] == "done\n"
    with database.connect(data) as connection:
        assert broken(connection) == []
    return kills


@pytest.mark.crash
def test_a_migration_killed_half_way_is_done_again(tmp_path: Path) -> None:
    """Stores whose creation was killed open as if nothing had been."""
    chance = random.Random(11)
    for _ in range(max(4, KILLS // 4)):
        shutil.rmtree(tmp_path / "store", ignore_errors=True)
        child = start(tmp_path, "migrate")
        time.sleep(chance.uniform(0.05, 0.5))
        child.kill()
        child.communicate()
        for path in (tmp_path / "store").glob("*.duckdb"):
            with database.open_store(path) as connection:
                assert connection.execute("SELECT count(*) FROM articles").fetchone() == (0,)
                assert connection.execute("SELECT count(*) FROM load_lock").fetchone() == (1,)


def test_a_reader_keeps_the_copy_that_it_has_open(newsdesk: Path) -> None:
    """A publication does not change what an open connection sees, and the next connection sees it."""
    with database.connect(newsdesk) as old:
        before = old.execute("SELECT count(*) FROM urls").fetchone()
        url = f"{SITE}/2026/new-story"
        load(newsdesk, [folder(newsdesk, [discovered(url, 3000)], run="run-3")], publish=True)
        assert old.execute("SELECT count(*) FROM urls").fetchone() == before == (5,)
    with database.connect(newsdesk) as new:
        assert new.execute("SELECT count(*) FROM urls").fetchone() == (6,)


def test_loaders_queue(tmp_path: Path) -> None:
    """Two processes that load the same folders at once both succeed, and each segment is in the store once."""
    make_segments(tmp_path, 4)
    children = [start(tmp_path, "load") for _ in range(2)]
    assert [child.communicate(timeout=60)[0] for child in children] == ["done\n", "done\n"]
    with database.connect(tmp_path) as connection:
        assert broken(connection) == []
        assert connection.execute("SELECT count(*) FROM segments").fetchone() == (4,)


@pytest.mark.files
def test_one_may_wait_for_a_loader_only_so_long(newsdesk: Path) -> None:
    """With a limit the second loader gives up, naming the process that holds the store."""
    program = f"""
from pathlib import Path
from storage import database
with database.locked(Path({str(newsdesk)!r})):
    print("held", flush=True)
    input()
"""
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(database.StoreBusyError, match=f"process {holder.pid} has been loading"):
        load(newsdesk, [], wait_s=0.2)
    holder.communicate("\n")
    assert load(newsdesk, [], wait_s=5).load_id is None
