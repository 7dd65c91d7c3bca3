"""Captures go by age or by size, the oldest first, and the store keeps saying what went, when and why."""

from pathlib import Path

import pytest

from storage import database
from storage.database import connect
from storage.load import load
from storage.retention import drop, due, why_dropped
from tests.storage.made import article, at, discovered, extraction, folder, page

DAY = 24 * 60


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Five nights of one page each, with a capture of 1,000 bytes, and one that is not loaded."""
    folders = []
    for night in range(6):
        run, url = f"run-{night}", f"https://harbour.example/2026/story-{night}"
        capture = tmp_path / "captures" / run / "a-00001.warc.gz"
        capture.parent.mkdir(parents=True)
        capture.write_bytes(b"x" * 1000)
        minutes = night * DAY
        rows = [discovered(url, minutes), (page(url, minutes + 1, run=run), extraction(article(url)))]
        if night < 5:
            folders.append(folder(tmp_path, rows, run=run))
    load(tmp_path, folders)
    with database.writer(tmp_path) as connection:  # as if each had been written in its night
        connection.execute("UPDATE segments SET written_at = last_at FROM captures c WHERE c.run_id = segments.run_id")
    database.publish(tmp_path)
    return tmp_path


def files(data: Path) -> list[str]:
    return sorted(path.parent.name for path in data.glob("captures/*/*.warc.gz"))


def test_without_a_setting_nothing_is_due(data: Path) -> None:
    """Captures are kept for ever unless one says otherwise."""
    assert due(data, now=at(1000 * DAY)) == []


def test_the_older_ones_go(data: Path) -> None:
    """Those whose last page is older than so many days are dropped and explained; what is not loaded stays."""
    drops = due(data, keep_days=2, now=at(4 * DAY + 10))
    assert [(each.file, each.bytes) for each in drops] == [
        (f"captures/run-{n}/a-00001.warc.gz", 1000) for n in (0, 1, 2)
    ]
    drop(data, {each.file: each.reason for each in drops})
    assert files(data) == ["run-3", "run-4", "run-5"]
    with connect(data) as connection:
        rows = connection.execute("SELECT run_id, dropped_reason FROM captures WHERE dropped_at IS NOT NULL ORDER BY 1")
        assert rows.fetchall() == [(f"run-{n}", "older than 2 days") for n in (0, 1, 2)]
        assert connection.execute("SELECT count(*) FROM articles").fetchone() == (5,)
    assert why_dropped(data, drops[0].file).endswith("older than 2 days")
    assert why_dropped(data, "captures/run-4/a-00001.warc.gz") is None
    assert due(data, keep_days=2, now=at(4 * DAY + 10)) == []


def test_the_oldest_go_until_the_rest_fits(data: Path) -> None:
    """By size the oldest are dropped, no more than needed."""
    assert [each.file.split("/")[1] for each in due(data, keep_bytes=2500)] == ["run-0", "run-1", "run-2"]
    assert due(data, keep_bytes=5000) == []
    both = due(data, keep_days=4, keep_bytes=3000, now=at(4 * DAY + 10))
    assert [each.reason.split()[0] for each in both] == ["older", "the"]


def test_a_drop_that_was_killed_is_gone_on_with(data: Path) -> None:
    """A file that the store calls dropped and that is still there is deleted by the next drop."""
    name = "captures/run-0/a-00001.warc.gz"
    drop(data, {name: "older than 1 days"})
    (data / name).write_bytes(b"x")
    drop(data, {})
    assert not (data / name).exists()


def test_pages_of_an_archive_are_as_old_as_their_coming(data: Path) -> None:
    """A capture that came today with pages of years ago is not due tomorrow."""
    with database.writer(data) as connection:
        connection.execute("UPDATE captures SET last_at = '2009-01-01'")
    database.publish(data)
    assert len(due(data, keep_days=2, now=at(4 * DAY + 10))) == 3


def test_an_unloaded_capture_is_never_due(data: Path) -> None:
    """Its pages are nowhere else."""
    assert "captures/run-5/a-00001.warc.gz" not in [each.file for each in due(data, keep_days=1, now=at(9999 * DAY))]
