"""A backup is one moment's, is put back only whole, and never brings back what was taken down."""

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from flows.commands.backups import run_restore
from flows.takedown import carry_out
from storage import takedown
from storage.backup import BackupError, backup, read_backup, restore, verify
from storage.database import connect
from storage.load import load
from tests.flows.everywhere import files_with
from tests.storage.invariants import broken
from tests.storage.made import article, discovered, extraction, folder, page

HARBOUR = "https://harbour.example/2026"


def some(data: Path, number: int) -> Path:
    url = f"{HARBOUR}/story-{number}"
    run = f"run-{number:03}"
    capture = data / "captures" / run / "a-00001.warc.gz"
    capture.parent.mkdir(parents=True)
    capture.write_bytes(os.urandom(2000))
    text = f"The story of number {number} is told here and nowhere else."
    return folder(
        data, [discovered(url, number), (page(url, number + 0.5, run=run), extraction(article(url, text)))], run=run
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    load(folder, [some(folder, number) for number in range(3)], publish=True)
    (folder / "sites").mkdir()
    (folder / "sites" / "harbour.toml").write_text("name = 'harbour'")
    (folder / "captures" / "run-000" / "a-00002.warc.gz.open").write_bytes(b"being written")
    return folder


def rows(data: Path) -> dict[str, list[Any]]:
    with connect(data) as connection:
        assert broken(connection) == []
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall()
            for name in ("article_versions", "urls", "fetches", "removed_blocks", "segments", "captures")
        }


def files(data: Path) -> dict[str, bytes]:
    kept = ("captures", "extracted", "sites")
    paths = (path for name in kept for path in (data / name).rglob("*") if path.is_file() and path.suffix != ".open")
    return {path.relative_to(data).as_posix(): path.read_bytes() for path in paths}


def test_what_is_restored_is_what_was_backed_up(data: Path, tmp_path: Path, nightdesk) -> None:
    """The store, captures, rows and sites come back as they were; what was being written is left out."""
    before = rows(data), files(data)
    shown = nightdesk("backup", str(tmp_path / "b1"), data=data).stdout
    assert "MB, as of" in shown
    load(data, [some(data, 7)], publish=True)
    nightdesk("restore", str(tmp_path / "b1"), data=tmp_path / "new")
    assert (rows(tmp_path / "new"), files(tmp_path / "new")) == before
    assert not list((tmp_path / "new").rglob("*.open"))
    with connect(tmp_path / "new") as connection:
        assert connection.execute("SELECT count(*) FROM articles").fetchone() == (3,)
    load(tmp_path / "new", [some(tmp_path / "new", 8)], publish=True)
    assert len(rows(tmp_path / "new")["article_versions"]) == 4


def test_a_second_backup_links_what_has_not_changed(data: Path, tmp_path: Path) -> None:
    """Only new files take room, and each backup is whole by itself."""
    backup(data, tmp_path / "kept" / "b1")
    load(data, [some(data, 7)], publish=True)
    backup(data, tmp_path / "kept" / "b2")
    name = "captures/run-001/a-00001.warc.gz"
    one, two = (tmp_path / "kept" / each / name for each in ("b1", "b2"))
    assert one.stat().st_ino == two.stat().st_ino != (data / name).stat().st_ino
    shutil.rmtree(tmp_path / "kept" / "b1")
    restore(tmp_path / "kept" / "b2", tmp_path / "new")
    assert rows(tmp_path / "new") == rows(data)


def test_a_backup_is_one_moment_s_while_loads_go_on(data: Path, tmp_path: Path) -> None:
    """Backups taken between and during loads restore to a whole number of them."""
    ended = threading.Event()

    def go_on() -> None:
        for number in range(10, 22):
            load(data, [some(data, number)], publish=True)
        ended.set()

    writer = threading.Thread(target=go_on)
    writer.start()
    taken = 0
    while not ended.is_set() or taken < 3:
        backup(data, tmp_path / "kept" / f"b{taken}")
        taken += 1
    writer.join()
    counts = []
    for number in range(taken):
        new = tmp_path / f"new-{number}"
        restore(tmp_path / "kept" / f"b{number}", new)
        counts.append(len(rows(new)["article_versions"]))
        shutil.rmtree(new)
    assert counts == sorted(counts)
    assert counts[-1] == 15


@pytest.mark.parametrize("harm", ["changed", "missing", "cut"])
def test_a_harmed_backup_is_refused_as_a_whole(data: Path, tmp_path: Path, harm: str) -> None:
    """One flipped bit, one missing or short file: it is named, and the data folder stays as it is."""
    backup(data, tmp_path / "b1")
    victim = tmp_path / "b1" / "captures" / "run-001" / "a-00001.warc.gz"
    content = victim.read_bytes()
    if harm == "changed":
        victim.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    elif harm == "cut":
        victim.write_bytes(content[:-1])
    else:
        victim.unlink()
    before = rows(data)
    with pytest.raises(BackupError, match="run-001"):
        restore(tmp_path / "b1", data, overwrite=True)
    assert rows(data) == before
    with pytest.raises(BackupError, match="run-001"):
        verify(tmp_path / "b1")


def test_nothing_is_overwritten_unasked(data: Path, tmp_path: Path, nightdesk) -> None:
    """Neither a backup that is there, nor a data folder, nor another folder that is no backup."""
    backup(data, tmp_path / "b1")
    assert "replaces nothing" in nightdesk("backup", str(tmp_path / "b1"), data=data, expect=2).stderr
    assert "--overwrite" in nightdesk("restore", str(tmp_path / "b1"), data=data, expect=2).stderr
    with pytest.raises(BackupError, match="is in the data folder"):
        backup(data, data / "b")
    with pytest.raises(BackupError, match="name a folder that nightdesk backup made"):
        restore(tmp_path, tmp_path / "new")
    load(data, [some(data, 7)], publish=True)
    nightdesk("restore", "--overwrite", str(tmp_path / "b1"), data=data)
    assert len(rows(data)["article_versions"]) == 3
    assert not (data / "captures" / "run-007").exists()


def test_a_restore_takes_down_again_what_was_taken_down_since(data: Path, tmp_path: Path) -> None:
    """A backup from before a takedown brings the text back for no longer than the restore takes."""
    text = "The story of number 1 is told here and nowhere else."
    backup(data, tmp_path / "b1")
    carry_out(data, takedown.order(data, takedown.find(data, f"{HARBOUR}/story-1"), "asked"), print)
    backup(data, tmp_path / "b2")
    run_restore(data, tmp_path / "b1", overwrite=True)
    assert files_with(data, text) == []
    [done] = takedown.takedowns(data)
    assert done.erased_at is not None
    assert len(rows(data)["article_versions"]) == 2
    restored, again = restore(tmp_path / "b2", tmp_path / "new")
    assert (again, files_with(tmp_path / "new", text)) == ([], [])
    assert restored == read_backup(tmp_path / "b2")
