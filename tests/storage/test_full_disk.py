"""A disk that fills up under the store, a real one: a clear error at whatever point, a whole store, and on with room."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import database, takedown
from storage.load import load, pending_folders
from tests.faults.desk import SmallDisk
from tests.storage.invariants import broken
from tests.storage.test_crash import SITE, contents, make_segments, unhurt

__all__ = ["unhurt"]
SEGMENTS = 12
KB = 1024


@pytest.fixture
def data(tmp_path: Path) -> Iterator[tuple[Path, SmallDisk]]:
    """A data folder whose store lies on a disk of 2 MB, with segments that wait."""
    make_segments(tmp_path, SEGMENTS)
    (tmp_path / "store").mkdir()
    try:
        disk = SmallDisk(tmp_path / "store", "2m")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this machine mounts no tmpfs: {error}")
    yield tmp_path, disk
    disk.remove()


@pytest.mark.crash
def test_the_disk_fills_at_any_point_of_a_load_and_nothing_is_lost(data: tuple[Path, SmallDisk], unhurt: Path) -> None:
    """The disk grows by 1 MB a try: each failure is a StoreFullError with what is there whole; in the end all is in."""
    folder, disk = data
    full, loads, size = 0, 0, 2 * KB
    paths = pending_folders(folder)
    for some in (paths[:4], paths[4:]):
        while not loaded(folder, some):
            full += 1
            if (folder / database.PUBLISHED).exists():
                with database.connect(folder) as connection:
                    assert broken(connection) == []
                    [now] = connection.execute("SELECT count(*) FROM loads").fetchone() or [0]
                assert now >= loads
                loads = now
            size += KB
            disk.grow(f"{size}k")
    assert full > 3, "the disk was never full: the test shows nothing"
    assert contents(folder) == contents(unhurt)
    with database.connect(folder) as connection:
        assert broken(connection) == []


def loaded(data: Path, folders: list[Path]) -> bool:
    """Load and publish; False where the disk was full, and the error said so."""
    try:
        load(data, folders, publish=True)
    except database.StoreFullError as error:
        assert re.search(r"store/.*: no room on the disk .* Make room", str(error))  # noqa: PT017 -- it need not come
        return False
    return True


@pytest.mark.crash
def test_the_disk_fills_under_a_takedown_and_it_goes_on(data: tuple[Path, SmallDisk]) -> None:
    """Writing the store anew needs its room a second time: without it the old one stands, and with room it is done."""
    folder, disk = data
    disk.grow("20m")
    load(folder, pending_folders(folder), publish=True)
    url = f"{SITE}/2026/story-1-of-the-day"
    ordered = takedown.order(folder, takedown.find(folder, url), "asked")
    takedown.register(folder, ordered)
    used = 20 * KB - disk.free // KB
    for spare in (64, 512, 1024):
        disk.grow(f"{used + spare}k")
        with pytest.raises(database.StoreFullError, match="Make room"):
            takedown.compact(folder)
        with database.connect(folder) as connection:
            assert broken(connection) == []
            assert connection.execute("SELECT count(*) FROM articles WHERE url = ?", [url]).fetchone() == (0,)
    disk.grow("20m")
    takedown.compact(folder)
    with database.connect(folder) as connection:
        assert broken(connection) == []
    assert sorted(path.name for path in (folder / "store").iterdir()) == ["nightdesk.duckdb", "published.duckdb"]
