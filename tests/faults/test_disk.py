"""A disk that is full, read-only or gone under a real run: a clear error, no half file, and with room it goes on.

Each folder that a stage writes is a small file system of its own, so that the disk is full at that stage and no other.
"""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.load import load, pending_folders
from tests.conftest import Run
from tests.faults.cases import NONE
from tests.faults.desk import SmallDisk, furnish, titles, whole
from tests.flows.world import LINE, start_line, wait_for
from tests.spiders.conftest import finish, start
from tests.spiders.origin import Origin, Reply

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.geteuid() != 0, reason="a file system of one's own needs root"),
]


@pytest.fixture(scope="module", autouse=True)
def mounts(tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        SmallDisk(tmp_path_factory.mktemp("disk"), "1m").remove()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine mounts no tmpfs: {error.stderr}")


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[dict[str, SmallDisk]]:
    sizes = {"store": "300k", "captures": "16k", "extracted": "16k"}
    made = {name: SmallDisk(tmp_path / name, size) for name, size in sizes.items()}
    yield made
    for disk in made.values():
        disk.remove()


def run_line(data: Path) -> tuple[int, str]:
    """Run the line and return its exit code and the last line that it said."""
    process = start_line(data)
    _, said = process.communicate(timeout=120)
    return process.returncode, said.strip().rpartition("\n")[2]


def test_each_stage_that_finds_the_disk_full_says_so_and_goes_on_with_room(
    tmp_path: Path, disks: dict[str, SmallDisk]
) -> None:
    """Store, captures, rows and published copy in turn: exit code 1, the file and the bytes wanted, no half file; in the end all is there, asked for at most twice."""
    with Origin() as origin:
        furnish(tmp_path, origin)
        code, said = run_line(tmp_path)
        assert code == 1
        assert re.search(r"store/nightdesk\.duckdb: no room on the disk .* need about \d+ MB\. Make room", said)

        disks["store"].grow("20m")
        code, said = run_line(tmp_path)
        assert code == 1
        assert re.search(r"No space left on device: \d+ bytes more are needed: '.*captures/.*-00000\.\S+\.open'", said)
        assert not list(tmp_path.glob("captures/*/*.warc.gz"))

        disks["captures"].grow("1m")
        code, said = run_line(tmp_path)
        assert code == 1
        assert re.search(r"No space left on device: \d+ bytes at most are needed: '.*extracted/", said)
        assert not list(tmp_path.glob("extracted/*/*"))

        disks["extracted"].grow("1m")
        ballast = tmp_path / "store" / "ballast"
        with ballast.open("wb") as file:
            file.write(bytes(disks["store"].free - 1_500_000))
        code, said = run_line(tmp_path)
        assert code == 1
        assert re.search(r"store/.*: no room on the disk", said)
        assert titles(tmp_path) == []  # what was published before is still whole

        ballast.unlink()
        disks["store"].grow("100m")
        code, said = run_line(tmp_path)
        assert code == 0, said
        assert titles(tmp_path) == whole()
        asked = [asked.path for asked in origin.asked if asked.path.startswith("/2026/")]
        assert max(map(asked.count, asked)) <= 2
    assert load(tmp_path, pending_folders(tmp_path)).loaded == ()  # nothing is left to be done


@pytest.mark.parametrize("how", ["full", "read-only", "gone"])
def test_a_spider_that_cannot_write_ends_with_one_line(tmp_path: Path, how: str) -> None:
    """Exit code 1 and the path; it asks for no more than it can keep."""
    disk = SmallDisk(tmp_path / "captures", "40k")
    try:
        with Origin() as origin:
            origin.routes |= {"/robots.txt": NONE} | {f"/{n}": Reply(os.urandom(4000)) for n in range(60)}
            if how == "read-only":
                subprocess.run(["mount", "-o", "remount,ro", str(disk.folder)], check=True)
            elif how == "gone":
                disk.grow("10m")
            process = start(
                tmp_path,
                {"s": {"url": origin.url()}},
                urls=[["s", origin.url(f"/{n}")] for n in range(60)],
                segment_bytes=30_000,
            )
            if how == "gone":
                wait_for(lambda: len(origin.asked) > 3, 30, "the crawl has begun")
                shutil.rmtree(tmp_path / "captures" / "r1")
            crawled = finish(process, tmp_path)
            assert len(origin.asked) < 40
    finally:
        disk.remove()
    assert crawled.code == 1
    [line] = crawled.errors.splitlines()
    assert line.startswith("the crawl ends: ")
    assert str(disk.folder) in line
    assert {"full": "bytes more are needed", "read-only": "Read-only file system", "gone": "No such file or directory"}[
        how
    ] in line


def test_a_folder_of_somebody_else_is_named(tmp_path: Path) -> None:
    """Without the right to write where captures go, the spider says which folder that is, and asks for nothing."""
    folder = tmp_path / "captures"
    folder.mkdir(mode=0o555)
    os.chown(folder, 65534, 65534)
    lesser = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"]
    with Origin() as origin:
        process = start(tmp_path, {"s": {"url": origin.url()}}, urls=[["s", origin.url("/a")]], within=lesser)
        crawled = finish(process, tmp_path)
        assert origin.asked == []
    assert crawled.code == 1
    assert crawled.errors.splitlines() == [f"the crawl ends: [Errno 13] Permission denied: '{folder / 'r1'}'"]


@pytest.mark.parametrize(
    ("command", "how"),
    [("up", "full"), ("up", "read-only"), ("crawl", "full")],
    ids=["up, full", "up, read-only", "crawl"],
)
def test_prefects_database_without_room_is_named(tmp_path: Path, nightdesk: Run, command: str, how: str) -> None:
    """Exit code 2 and one line: the folder, what is wrong, the bytes needed; no traceback of Prefect's and no server that ends again and again."""
    disk = SmallDisk(tmp_path / "prefect", "600k")
    try:
        with Origin() as origin:
            furnish(tmp_path, origin)
            if how == "read-only":
                subprocess.run(["mount", "-o", "remount,ro", str(disk.folder)], check=True)
            said = nightdesk(command, data=tmp_path, expect=2, timeout_s=60).stderr
            assert origin.asked == []
        assert "Traceback" not in said
        reason = {"full": "No space left on device", "read-only": "Read-only file system"}[how]
        words = " ".join(said.split())
        assert f"{disk.folder}: Prefect's database cannot be kept there: {reason}; it needs about 10 MB" in words
        assert not (disk.folder / ".room").exists()
    finally:
        disk.remove()


@pytest.mark.skipif(not shutil.which("cc"), reason="the quota is that of a library that cc builds")
def test_a_quota_that_is_spent_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    """Where the disk has room and its owner has none: store, captures and rows in turn name the file and the reason; afterwards all is there once."""
    library = tmp_path / "quota.so"
    source = Path(__file__).with_name("quota.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    flag = tmp_path / "spent"
    with Origin() as origin:
        data = furnish(tmp_path / "data", origin)
        for folder, words in {
            "store": r"store/\S+: no room on the disk",
            "captures": r"Disk quota exceeded: \d+ bytes are needed: '\S+/captures/\S+/run\.json'",
            "extracted": r"Disk quota exceeded: \d+ bytes at most are needed: '\S+/extracted/",
        }.items():
            flag.touch()
            quota = {"QUOTA_FOLDER": str(data / folder), "QUOTA_SPENT": str(flag), "LD_PRELOAD": str(library)}
            line = [sys.executable, str(LINE), str(data)]
            done = subprocess.run(
                line, env={**os.environ, **quota}, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 1
            assert re.search(words, done.stderr), done.stderr
            assert not [path for path in data.rglob("*.json") if path.stat().st_size == 0]
            flag.unlink()
        code, said = run_line(data)
        assert code == 0, said
        assert titles(data) == whole()
        asked = [a.path for a in origin.asked if a.path.startswith("/2026/")]
        assert max(map(asked.count, asked)) <= 2


@pytest.mark.prefect
def test_prefects_database_that_finds_no_room_amid_a_run_loses_nothing(tmp_path: Path, nightdesk: Run) -> None:
    """The disk of Prefect's files fills up while pages come in: they are all stored, one line says where there is no room, and the next run asks for nothing again."""
    disk = SmallDisk(tmp_path / "prefect", "30m")
    try:
        with Origin() as origin:
            data = furnish(tmp_path, origin, delay_s=0.1)
            with ThreadPoolExecutor(1) as beside:
                crawling = beside.submit(nightdesk, "crawl", data=data, expect=2, timeout_s=120)
                wait_for(lambda: len(origin.asked) > 8, 60, "the crawl has begun")
                # A log that was written and read into the database keeps its length and takes more: cut it.
                (database,) = disk.folder.glob("*.db")
                with contextlib.closing(sqlite3.connect(database, timeout=10)) as cut:
                    cut_log = "PRAGMA wal_checkpoint(TRUNCATE)"
                    wait_for(lambda: cut.execute(cut_log).fetchone()[0] == 0, 10, "the log is cut")
                ballast = disk.folder / "ballast"
                with contextlib.suppress(OSError), ballast.open("wb", 0) as file:
                    while True:
                        file.write(bytes(4096))
                said = crawling.result().stderr
            assert titles(data) == whole()
            asked = len(origin.asked)
            ballast.unlink()
            code, last = run_line(data)
            assert code == 0, last
            assert [a.path for a in origin.asked[asked:] if a.path.startswith("/2026/")] == []
    finally:
        disk.remove()
    assert "Traceback" not in said
    words = " ".join(said.split())
    assert f"{disk.folder}: Prefect's database cannot be kept there: No space left on device; it needs about" in words
