"""The store of one machine, in two files: the loader's own, which one process at a time writes, and the published copy.

An open reader would block the writer and a writer blocks every reader (DuckDB locks whole files), so they never meet in
one file: to publish is to copy the loader's file and rename the copy into place. Readers keep the copy they have open.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from storage.durable import copy, sync
from storage.errors import NotPublishedError, StoreBusyError, StoreDamagedError, StoreFullError
from storage.migrating import migrate
from storage.statements import quoted

STORE: Final = Path("store", "nightdesk.duckdb")
PUBLISHED: Final = Path("store", "published.duckdb")
LOCK: Final = Path("locks", "store.lock")
#: The oldest DuckDB that reads our files; from it on text can be compressed with zstd in every column.
STORAGE_VERSION: Final = "v1.5.0"
#: A load of 20,000 articles needs about 1 GB.
MEMORY_LIMIT: Final = "1500MB"
#: Up to so many rows that are wanted by their places are a filter that a scan asks before it unpacks: 0.25 s of CPU
#: instead of 0.4 to 0.6 for 2,400 of 1.1 million ledger rows. With more, all columns are unpacked for a join.
WANTED_ROWS: Final = 5000
#: End of the store's name while it is written anew.
_FRESH: Final = ".fresh"
# DuckDB's words for a disk, quota or file size limit that is reached, and for a file that is not what it should be.
_FULL: Final = ("No space left", "Disk quota exceeded", "File too large")
_DAMAGED: Final = (
    *("not a valid DuckDB database", "Corrupt database", "checksum", "too small", "Could not read enough bytes"),
    *("Serialization Error", "Failed to load metadata"),
)
_OPENING: Final = threading.Lock()


class FileStore:
    """The store in the files of a data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data

    @property
    def place(self) -> Path:
        """The loader's file."""
        return self._data / STORE

    @contextlib.contextmanager
    def writing(self, *, wait_s: float | None, publish: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the store for writing, in its lock; `publish` copies it when the block has ended well."""
        with locked(self._data, wait_s=wait_s), explained(self.place):
            with open_store(self.place) as connection:
                yield connection
            if publish:
                publish_locked(self._data)

    def publish(self, *, wait_s: float | None) -> None:
        """Copy the loader's file to where readers open it."""
        with locked(self._data, wait_s=wait_s):
            publish_locked(self._data)

    def compact(self) -> None:
        """Write the store anew with the rows that it has, swap it in, and publish; see `storage.takedown.compact`."""
        fresh = self.place.with_name(self.place.name + _FRESH)
        with locked(self._data), explained(self.place):
            _remove_leftovers(self.place.parent)
            with open_store(self.place) as connection:
                connection.execute(f"ATTACH {quoted(fresh)} AS fresh (STORAGE_VERSION '{STORAGE_VERSION}')")
                connection.execute("SET preserve_insertion_order = true")  # days stand together, and are skipped so
                connection.execute("COPY FROM DATABASE store TO fresh")
                connection.execute("CHECKPOINT fresh; DETACH fresh")
            sync(fresh)
            fresh.rename(self.place)
            sync(self.place.parent)
            publish_locked(self._data)

    @contextlib.contextmanager
    def as_file(self, *, wait_s: float | None) -> Iterator[Path]:
        """Yield the loader's file, in its lock, with what a crash left beside it brought in."""
        with locked(self._data, wait_s=wait_s):
            publish_locked(self._data)
            yield self.place

    def take_file(self) -> None:
        """Publish the file that was put in the loader's place."""
        publish_locked(self._data)

    def tidy(self) -> str | None:
        """Nothing gathers in a file that the next load would not use."""
        return None

    def begun(self) -> bool:
        """Whether anything was ever written."""
        return self.place.exists()

    def version(self) -> str | None:
        """Tell one published state from the next; None: nothing has been published."""
        with contextlib.suppress(FileNotFoundError):
            status = (self._data / PUBLISHED).stat()
            return f"{status.st_ino} {status.st_mtime_ns} {status.st_size}"
        return None

    def published(self) -> bool:
        """Whether there is something to read."""
        return (self._data / PUBLISHED).exists()

    def connect(self, *, memory_limit: str | None, spill_limit: str | None) -> duckdb.DuckDBPyConnection:
        """Open the published copy for reading; see `storage.database.connect`."""
        path = self._published()
        config: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": "false",
            "python_enable_replacements": "false",  # else a table's name could mean a variable of the caller's
        }
        config |= {"memory_limit": memory_limit} if memory_limit else {}
        config |= {"max_temp_directory_size": spill_limit} if spill_limit else {}
        with explained(path), _OPENING:
            connection = duckdb.connect(path, read_only=True, config=config)
            # Connections of one process to one file share its settings: a second one finds them set, and locked.
            if connection.execute("SELECT current_setting('lock_configuration')").fetchone() == (False,):
                connection.execute("SET GLOBAL TimeZone = 'UTC'; SET lock_configuration = true")
        return connection

    @contextlib.contextmanager
    def newest(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the published copy under another name: this process may have it, or the one before, open already.

        DuckDB gives a process one instance a file name, with the settings and the copy that it was first opened with.
        """
        path = self._published()
        name = path.with_suffix(".indexed")
        name.unlink(missing_ok=True)
        name.hardlink_to(path)
        try:
            with explained(path), duckdb.connect(name, read_only=True) as connection:
                yield connection
        finally:
            name.unlink(missing_ok=True)

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the published copy to a database of the caller's as `store`, read-only."""
        path = self._published()
        with explained(path):
            connection.execute(f"ATTACH {quoted(path)} AS store (READ_ONLY)")

    def _published(self) -> Path:
        path = self._data / PUBLISHED
        if not path.exists():
            raise NotPublishedError(
                f"{path} is not there: nothing has been published yet in this data folder. "
                "Run nightdesk crawl or nightdesk demo first, or name another folder with --data."
            )
        return path


@contextlib.contextmanager
def locked(data: Path, *, wait_s: float | None = None) -> Iterator[None]:
    """Hold the store's lock: one process at a time loads, publishes or migrates; the others queue.

    Args:
        data: the data folder.
        wait_s: how long to wait for another holder, seconds; None waits for ever. A holder that dies lets go at once.

    Raises:
        StoreBusyError: another process held the lock for `wait_s`.
    """
    path = data / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        _lock(file.fileno(), path, wait_s)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _lock(handle: int, path: Path, wait_s: float | None) -> None:
    if wait_s is None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = path.read_text().strip() or "unknown"
                raise StoreBusyError(
                    f"{path}: process {holder} has been loading for over {wait_s:g} s; wait for it to end"
                ) from None
            time.sleep(0.05)
        else:
            return


@contextlib.contextmanager
def open_store(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store's file for writing and migrate it; the caller holds the lock. Raises as `writer` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(":memory:")
    new = not path.exists()
    try:
        try:
            with explained(path):
                _attach(connection, path)
                migrate(connection, path)
        except Exception:
            if new:  # half a file would be taken for a damaged store
                connection.close()
                for half in (path, path.with_name(path.name + ".wal")):
                    half.unlink(missing_ok=True)
            raise
        yield connection
        with explained(path):
            connection.execute("USE memory; DETACH store")
    finally:
        connection.close()


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    # max_vacuum_tasks: a checkpoint that merges row groups stalls a load for 8 to 19 s of CPU at a million articles.
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; SET preserve_insertion_order = false")
    connection.execute(f"SET temp_directory = {quoted(path.with_name('spill'))}; SET max_vacuum_tasks = 0")
    connection.execute(f"SET dynamic_or_filter_threshold = {WANTED_ROWS}")
    connection.execute("SET autoload_known_extensions = false; SET autoinstall_known_extensions = false")
    connection.execute(f"ATTACH {quoted(path)} AS store (STORAGE_VERSION '{STORAGE_VERSION}'); USE store")


def publish_locked(data: Path) -> Path:
    """Do what `publish` does, for a caller that holds the lock."""
    store, published = data / STORE, data / PUBLISHED
    if not store.exists():
        raise NotPublishedError(f"{store}: nothing has been loaded yet; run nightdesk crawl or nightdesk demo")
    if store.with_name(store.name + ".wal").exists():  # a crash left it; opening and closing brings it into the file
        with open_store(store):
            pass
    part = published.with_name(published.name + ".part")
    try:
        with explained(store):
            copy(store, part)
            part.rename(published)
            sync(published.parent)
    except StoreFullError:
        part.unlink(missing_ok=True)
        raise
    return published


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed process left beside the store. The caller holds the lock."""
    for pattern in (f"*{_FRESH}", f"*{_FRESH}.wal", "*.part", "spill/*", "published.duckdb.tmp/*"):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                path.unlink()


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors about a file, and the system's, into ours, which name the file and the mend."""
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        if any(words in text for words in _FULL):
            raise StoreFullError(_full(path)) from error
        if any(words in text for words in _DAMAGED):
            raise StoreDamagedError(_damaged(path, text)) from error
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StoreFullError(_full(path)) from error
        raise


def _full(path: Path) -> str:
    free = shutil.disk_usage(path.parent).free
    size = path.stat().st_size if path.exists() else 0
    return (
        f"{path}: no room on the disk ({free / 1e6:,.0f} MB free). A load and its published copy need about "
        f"{(size * 1.1 + 50e6) / 1e6:,.0f} MB. Make room and run it again: nothing is lost, and nothing comes in twice."
    )


def _damaged(path: Path, text: str) -> str:
    return (
        f"{path}: DuckDB cannot read this file ({text.splitlines()[0]}). "
        f"Move it away and load again: captures/ and extracted/ hold all that was in it."
    )
