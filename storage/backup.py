"""Backups: a folder of copies with a checksum each, taken while runs go on, and put back only as a whole.

The store is copied first, in the lock that loads take, so it is one moment's; captures and rows are copied after it and
are never older than it: what is newer, the next run extracts and loads. Files that are being written are left out.
What can be made anew is not copied: the published copy, the search index, what Prefect knows of its runs.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from storage.database import STORE, StoreError, explained, locked, store_of, sync
from storage.takedown import FOLDER as TAKEDOWNS
from storage.takedown import Takedown, takedowns, write

MANIFEST: Final = "backup.json"
FORMAT: Final = 1
#: What of a data folder is kept, besides the store; the rest can be made anew.
KEPT: Final = ("nightdesk.toml", "sites", "captures", "extracted", str(TAKEDOWNS))
_UNFINISHED: Final = (".open", ".part", ".wal")
_CHUNK: Final = 1 << 20

Say = Callable[[str], None]


class BackupError(StoreError):
    """A backup that cannot be made or put back; the message names the file and the mend."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: its size in bytes, when it was changed, and its BLAKE2b checksum of 32 bytes."""

    bytes: int
    mtime_ns: int
    blake2b: str


class Backup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a backup says of itself: when the store was copied, UTC, and its files by their path in the data folder."""

    format: int
    made_at: datetime
    files: dict[str, Entry]


def backup(data: Path, target: Path, *, wait_s: float | None = None) -> Backup:
    """Back a data folder up, and return what the backup holds.

    Args:
        data: the data folder.
        target: a folder that is not there yet, outside the data folder. Files that the newest backup beside it has
            as they are now are linked, not copied, so that one a night costs what the night brought.
        wait_s: how long to wait for a load that goes on, seconds; None waits for ever.

    Raises:
        BackupError: the target is there already, or in the data folder; or there is nothing to back up.
        StoreFullError, StoreBusyError: see there. Nothing is left under the target's name.
    """
    target = target.expanduser().absolute()
    if target.is_relative_to(data.absolute()):
        raise BackupError(f"{target} is in the data folder; name another place, better on another disk")
    if target.exists():
        raise BackupError(f"{target} is there already; a backup replaces nothing: name a new folder")
    store = store_of(data)
    if not store.begun():
        raise BackupError(f"{store.place}: nothing has been loaded yet, so there is nothing to back up")
    earlier = _newest(target.parent)
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        with explained(part):
            with store.as_file(wait_s=wait_s) as file:
                made_at = datetime.now(UTC)
                files = {str(STORE): _copy(file, part / STORE)}
            for path in _files(data):
                name = path.relative_to(data).as_posix()
                if (entry := _linked(path, name, earlier, part) or _taken(path, part / name)) is not None:
                    files[name] = entry
            made = Backup(format=FORMAT, made_at=made_at, files=files)
            (part / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(made)))
            sync(part / MANIFEST)
    except BaseException:  # Ctrl-C too leaves no half backup
        shutil.rmtree(part, ignore_errors=True)
        raise
    part.rename(target)
    sync(target.parent)
    return made


def _files(data: Path) -> Iterator[Path]:
    for name in KEPT:
        root = data / name
        paths = sorted(root.rglob("*")) if root.is_dir() else [root]
        for path in paths:
            unfinished = any(part.endswith(_UNFINISHED) for part in path.relative_to(data).parts)
            if not unfinished and path.is_file() and not path.is_symlink():
                yield path


def _newest(folder: Path) -> tuple[Path, Backup] | None:
    found = []
    for path in folder.glob(f"*/{MANIFEST}") if folder.is_dir() else ():
        try:
            found.append((path.parent, read_backup(path.parent)))
        except BackupError:
            continue
    return max(found, key=lambda each: each[1].made_at, default=None)


def _linked(path: Path, name: str, earlier: tuple[Path, Backup] | None, part: Path) -> Entry | None:
    """Link the file of the backup before, if it is the same by size and time, and return its entry."""
    if earlier is None or (entry := earlier[1].files.get(name)) is None:
        return None
    now = path.stat()
    if (now.st_size, now.st_mtime_ns) != (entry.bytes, entry.mtime_ns):
        return None
    try:
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(earlier[0] / name, part / name)
    except OSError:
        return None
    return entry


def _taken(path: Path, target: Path) -> Entry | None:
    """Copy a file; None if it was renamed away or deleted meanwhile."""
    try:
        return _copy(path, target)
    except FileNotFoundError:
        return None


def _copy(source: Path, target: Path) -> Entry:
    with source.open("rb") as file:
        target.parent.mkdir(parents=True, exist_ok=True)
        stat = os.fstat(file.fileno())
        digest = hashlib.blake2b(digest_size=32)
        with target.open("wb") as out:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
            size = out.tell()
    os.utime(target, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    return Entry(size, stat.st_mtime_ns, digest.hexdigest())


def read_backup(source: Path) -> Backup:
    """Return what a backup says of itself. Raises BackupError if the folder is none."""
    path = source / MANIFEST
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Backup)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{path}: {error}; name a folder that nightdesk backup made") from error
    if found.format != FORMAT:
        raise BackupError(f"{path}: format {found.format}, this program reads {FORMAT}; update nightdesk")
    return found


def verify(source: Path) -> Backup:
    """Hold every file of a backup against its size and checksum. Raises BackupError naming the first that fails."""
    found = read_backup(source)
    for name, entry in found.files.items():
        path = source / name
        if not path.resolve().is_relative_to(source.resolve()):
            raise BackupError(f"{source / MANIFEST}: {name} leads out of the backup")
        if not path.is_file():
            raise BackupError(f"{path}: missing; this backup is not whole, take another")
        if path.stat().st_size != entry.bytes or _digest(path) != entry.blake2b:
            raise BackupError(f"{path}: not as it was when it was backed up; this backup is not whole, take another")
    return found


def _digest(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=32)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def restore(source: Path, data: Path, *, overwrite: bool = False) -> tuple[Backup, list[Takedown]]:
    """Put a backup in the place of a data folder, once every checksum is right.

    Args:
        source: the backup.
        data: the data folder; it need not be there.
        overwrite: also where there is something in it; what the backup does not hold goes.

    Returns:
        What the backup holds, and the takedowns that it came before: they stand on record as unfinished and are to be
        carried out again, for the backup brought their texts back.

    Raises:
        BackupError: the backup is not whole, or the folder holds something and `overwrite` is not set. Nothing was
            changed. Killed in between, do it again with `overwrite`.
    """
    if not overwrite and data.is_dir() and any(data.iterdir()):
        raise BackupError(f"{data} is not empty; name an empty folder, or replace what is there with --overwrite")
    found = verify(source)
    data.mkdir(parents=True, exist_ok=True)
    with locked(data), explained(data):
        staged = data / ".restoring"
        shutil.rmtree(staged, ignore_errors=True)
        for name in found.files:
            _copy(source / name, staged / name)
        again = _reopened(data, staged / TAKEDOWNS, found.made_at)
        for name in (*KEPT, str(STORE.parent), "known", "reextractions"):
            if name != str(TAKEDOWNS):
                _remove(data / name)
        for path in sorted(staged.iterdir()):
            if path.name != str(TAKEDOWNS):
                path.rename(data / path.name)
        shutil.rmtree(staged)
        sync(data)
        store_of(data).take_file()
    return found, again


def _reopened(data: Path, backed_up: Path, made_at: datetime) -> list[Takedown]:
    """Put the takedowns of a backup on record beside those that are, reopen what it does not know, and return that.

    Before anything is replaced: a kill must not lose a takedown.
    """
    (data / TAKEDOWNS).mkdir(exist_ok=True)
    for path in backed_up.glob("*.json"):
        if not (data / TAKEDOWNS / path.name).exists():
            path.rename(data / TAKEDOWNS / path.name)
    found = takedowns(data)
    again = [each for each in found if not each.lifted_at and (each.erased_at is None or each.erased_at > made_at)]
    again = [msgspec.structs.replace(each, erased_at=None) for each in again]
    for each in again:
        write(data, each)
    return again


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
