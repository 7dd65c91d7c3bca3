"""The store's two files: the loader's own, which one process at a time writes, and the published copy that all read.

An open reader would block the writer and a writer blocks every reader (DuckDB locks whole files), so they never meet in
one file: `publish` copies the loader's file and renames the copy into place. Readers keep the copy they have open.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb

STORE: Final = Path("store", "nightdesk.duckdb")
PUBLISHED: Final = Path("store", "published.duckdb")
LOCK: Final = Path("locks", "store.lock")
#: The oldest DuckDB that reads our files; from it on text can be compressed with zstd in every column.
STORAGE_VERSION: Final = "v1.5.0"
#: Views whose columns mean what those of a table mean.
VIEWS_FROM: Final = {
    "articles": "article_versions",
    "article_history": "article_versions",
    "article_blocks": "article_versions",
    "withdrawals": "article_versions",
    "missed": "urls",
    "coverage": "urls",
    "gaps": "urls",
    "sources": "source_reads",
    "run_urls": "fetches",
    "run_outcomes": "fetches",
    "run_summary": "fetches",
    "removed_by_rule": "removed_blocks",
    "rights": "fetches",
    "story_articles": "article_versions",
    "rejections": "fetches",
    "provenance": "article_versions",
}
# DuckDB's words for a disk, quota or file size limit that is reached, and for a file that is not what it should be.
_FULL: Final = ("No space left", "Disk quota exceeded", "File too large")
_DAMAGED: Final = (
    *("not a valid DuckDB database", "Corrupt database", "checksum", "too small", "Could not read enough bytes"),
    *("Serialization Error", "Failed to load metadata"),
)
_OPENING: Final = threading.Lock()
#: A load of 20,000 articles needs about 1 GB.
MEMORY_LIMIT: Final = "1500MB"


class StoreError(Exception):
    """Anything wrong with the store that its user can mend; the message names the file and the mend."""


class NotPublishedError(StoreError):
    """Raised by `connect` before the first load was published."""


class NewerStoreError(StoreError):
    """Raised when a store was written by a newer version of the program."""


class StoreDamagedError(StoreError):
    """Raised when DuckDB cannot read the store's file."""


class StoreFullError(StoreError):
    """Raised when the disk has no room. The load is in the store as a whole or not at all; run it again."""


class StoreBusyError(StoreError):
    """Raised when another process holds the store for longer than one wanted to wait."""


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
def writer(data: Path, *, wait_s: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the loader's file for writing, created and migrated as need be, holding the store's lock.

    The connection stands in the store (`USE store`); the file is checkpointed when the block ends.

    Raises:
        StoreBusyError, NewerStoreError, StoreDamagedError, StoreFullError: see there.
    """
    with locked(data, wait_s=wait_s), open_store(data / STORE) as connection:
        yield connection


@contextlib.contextmanager
def open_store(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store's file for writing and migrate it; the caller holds the lock. Raises as `writer` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(":memory:")
    try:
        with explained(path):
            _attach(connection, path)
            migrate(connection, path)
        yield connection
        with explained(path):
            connection.execute("USE memory; DETACH store")
    finally:
        connection.close()


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    # max_vacuum_tasks: a checkpoint that merges row groups stalls a load for 8 to 19 s of CPU at a million articles.
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; SET preserve_insertion_order = false")
    connection.execute(f"SET temp_directory = {_quoted(path.with_name('spill'))}; SET max_vacuum_tasks = 0")
    connection.execute("SET autoload_known_extensions = false; SET autoinstall_known_extensions = false")
    connection.execute(f"ATTACH {_quoted(path)} AS store (STORAGE_VERSION '{STORAGE_VERSION}'); USE store")


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


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


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring the schema up to date: numbered migrations, each with its record in one transaction, then the views.

    Raises:
        NewerStoreError: the store has a migration that this program does not.
    """
    connection.execute("""CREATE TABLE IF NOT EXISTS schema_migrations (
        number INTEGER, name VARCHAR, sha256 VARCHAR, applied_at TIMESTAMP)""")
    done = dict(connection.execute("SELECT number, name FROM schema_migrations").fetchall())
    known = migrations()
    newer = max(done, default=0)
    if newer > max(known):
        raise NewerStoreError(
            f"{path}: written by a newer version (its schema is at {newer}, {done[newer]}; this program knows "
            f"{max(known)}). Update nightdesk, or use another data folder."
        )
    fresh = sorted(known.keys() - done.keys())
    for number in fresh:
        _apply(connection, number, *known[number])
    views = _resource("views.sql") + _resource("analysis.sql")
    digest = hashlib.sha256(views.encode()).hexdigest()
    row = connection.execute("SELECT sha256 FROM schema_migrations WHERE number = 0").fetchone()
    if fresh or row != (digest,):  # a view of all columns does not see one that its table was given
        _apply(connection, 0, "views", views)


def migrations() -> dict[int, tuple[str, str]]:
    """Return the migrations that this program knows: number → name and SQL. Number 0 stands for the views."""
    found = {}
    for file in files("storage").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            number, _, name = file.name.removesuffix(".sql").partition("_")
            found[int(number)] = (name, file.read_text(encoding="utf-8"))
    return found


def _pass_on_comments(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a view's columns that have no comment of their own those of the columns they come from."""
    bases = [{"view": view, "base": base} for view, base in VIEWS_FROM.items()]
    rows = connection.execute(
        """SELECT v.table_name, v.column_name, b.comment FROM (SELECT unnest($bases, recursive := true)) pair
        JOIN duckdb_columns() v ON v.table_name = pair.view AND v.comment IS NULL
        JOIN duckdb_columns() b ON b.table_name = pair.base AND b.column_name = v.column_name
        WHERE b.comment IS NOT NULL""",
        {"bases": bases},
    ).fetchall()
    for view, column, comment in rows:
        text = comment.replace("'", "''")
        connection.execute(f"COMMENT ON COLUMN {view}.\"{column}\" IS '{text}'")


def _apply(connection: duckdb.DuckDBPyConnection, number: int, name: str, sql: str) -> None:
    digest = hashlib.sha256(sql.encode()).hexdigest()
    record = (number, name, digest, datetime.now(UTC).replace(tzinfo=None))
    with transaction(connection):
        connection.execute(sql)
        if number == 0:
            _pass_on_comments(connection)
        connection.execute("DELETE FROM schema_migrations WHERE number = ?", [number])
        connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?, ?)", record)


@contextlib.contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what the block did, or roll all of it back."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        with contextlib.suppress(duckdb.Error):  # an error can have ended the transaction already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def sql(name: str) -> str:
    """Return the text of `sql/<name>.sql`."""
    return _resource("sql", f"{name}.sql")


def _resource(*names: str) -> str:
    return files("storage").joinpath(*names).read_text(encoding="utf-8")


def publish(data: Path, *, wait_s: float | None = None) -> Path:
    """Copy the loader's file to `store/published.duckdb` and return that path: copy, sync, rename.

    Readers that are open keep the copy they have; new ones open this one.

    Raises:
        NotPublishedError: nothing has been loaded yet.
        StoreBusyError, StoreFullError, StoreDamagedError, NewerStoreError: see there.
    """
    with locked(data, wait_s=wait_s):
        return publish_locked(data)


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


def copy(source: Path, target: Path) -> None:
    """Copy a file and sync the copy; on file systems that can, without copying its bytes."""
    with source.open("rb") as file, target.open("wb") as out:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            copied = os.copy_file_range(file.fileno(), out.fileno(), min(left, 1 << 30))
            if not copied:
                break
            left -= copied
        os.fsync(out.fileno())


def sync(folder: Path) -> None:
    """Make a rename in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(
    data: Path, *, memory_limit: str | None = None, spill_limit: str | None = None
) -> duckdb.DuckDBPyConnection:
    """Open the published copy for reading: no writes, no access to files or network, settings locked, times in UTC.

    Args:
        data: the data folder.
        memory_limit: as DuckDB writes it ("2GB"); None leaves its default of 80% of the machine.
        spill_limit: what queries may write to `published.duckdb.tmp` when memory is short; None leaves its default.

    Raises:
        NotPublishedError: nothing has been published yet.
        StoreDamagedError: the file cannot be read.
    """
    path = data / PUBLISHED
    if not path.exists():
        raise NotPublishedError(
            f"{path} is not there: nothing has been published yet in this data folder. "
            "Run nightdesk crawl or nightdesk demo first, or name another folder with --data."
        )
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
