"""After a run: captures past their time are dropped as the settings say, and killed takedowns are finished."""

import shutil
from pathlib import Path

import pytest

from flows.config import Settings
from flows.upkeep import tidy
from storage import takedown
from storage.database import STORE, connect, open_store, publish

pytestmark = pytest.mark.prefect  # the demo's data come from a flow


@pytest.fixture
def data(demo_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_data, tmp_path / "data"))


def grow_old(data: Path, days: int) -> None:
    with open_store(data / STORE) as connection:
        connection.execute(f"UPDATE captures SET last_at = last_at - INTERVAL {days} DAY")
        connection.execute(f"UPDATE segments SET written_at = written_at - INTERVAL {days} DAY")
    publish(data)


def test_retention_is_previewed_and_then_done(data: Path, nightdesk) -> None:
    """Without a setting nothing goes; with one the preview names the files, the command drops them, explain tells it."""
    grow_old(data, 40)
    assert "kept for ever" in nightdesk("retention", data=data).stdout
    with (data / "nightdesk.toml").open("a", encoding="utf-8") as file:
        file.write("keep_captures_days = 30\n")
    captures = sorted(data.glob("captures/*/*.warc.gz"))
    shown = nightdesk("retention", "--preview", data=data).stdout
    assert all(path.relative_to(data).as_posix() in shown for path in captures)
    assert sorted(data.glob("captures/*/*.warc.gz")) == captures
    nightdesk("retention", data=data)
    assert not list(data.glob("captures/*/*.warc.gz"))
    with connect(data) as connection:
        [(url,)] = connection.execute("SELECT url FROM articles LIMIT 1").fetchall()
    assert "older than 30 days" in nightdesk("explain", url, data=data, expect=2).stderr


def test_a_run_tidies_up(data: Path) -> None:
    """A takedown that was only ordered is carried out, and captures past their time are dropped."""
    with connect(data) as connection:
        [(url,)] = connection.execute("SELECT url FROM articles LIMIT 1").fetchall()
    takedown.order(data, takedown.find(data, url), "killed at once")
    grow_old(data, 3)
    said: list[str] = []
    tidy(data, Settings(keep_captures_days=2), said.append)
    assert len(said) == 2
    assert takedown.unfinished(data) == []
    assert not list(data.glob("captures/*/*.warc.gz"))
    with connect(data) as connection:
        assert connection.execute("SELECT outcome FROM urls WHERE url = ?", [url]).fetchall() == [("taken_down",)]
    tidy(data, Settings(keep_captures_days=2), said.append)
    assert len(said) == 2
