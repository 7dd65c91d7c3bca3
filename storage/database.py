"""The store's door: whoever writes or reads comes in here, whichever of its two forms the store has.

One machine's store is files (`storage.file`); several machines share a lake (`storage.lake`). The SQL is the same.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import duckdb

from storage.durable import copy, sync
from storage.errors import (
    NewerStoreError,
    NotPublishedError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
)
from storage.file import (
    LOCK,
    MEMORY_LIMIT,
    PUBLISHED,
    STORAGE_VERSION,
    STORE,
    FileStore,
    explained,
    locked,
    open_store,
    publish_locked,
)
from storage.lake import LakeStore
from storage.migrating import migrate, migrations
from storage.place import lake_of
from storage.statements import quoted, sql, transaction

__all__ = [
    "LOCK",
    "MEMORY_LIMIT",
    "PUBLISHED",
    "STORAGE_VERSION",
    "STORE",
    "NewerStoreError",
    "NotPublishedError",
    "StoreBusyError",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "copy",
    "explained",
    "locked",
    "migrate",
    "migrations",
    "open_store",
    "publish_locked",
    "quoted",
    "sql",
    "sync",
    "transaction",
]


class Store(Protocol):
    """What the two forms of the store have to say, each in its own way."""

    @property
    def place(self) -> object:
        """Where it is, for messages."""

    def writing(
        self, *, wait_s: float | None, publish: bool
    ) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open it for writing, migrated, in its lock, which goes with the process; publish when the block ends well."""

    def publish(self, *, wait_s: float | None) -> None:
        """Let readers see what was written."""

    def compact(self) -> None:
        """Write anew what holds rows that were deleted, so that their text is in no file, and publish."""

    def as_file(self, *, wait_s: float | None) -> contextlib.AbstractContextManager[Path]:
        """The whole store at one moment as a DuckDB file, for as long as the block lasts."""

    def take_file(self) -> None:
        """Make such a file, put at `store/nightdesk.duckdb`, the store. The caller holds the folder's lock."""

    def tidy(self) -> str | None:
        """Give back the room of what nobody reads any more; say what was done, None: nothing was to be done."""

    def begun(self) -> bool:
        """Whether anything was ever written."""

    def published(self) -> bool:
        """Whether there is something to read."""

    def version(self) -> str | None:
        """Tell one published state from the next; None: nothing has been published."""

    def connect(self, *, memory_limit: str | None, spill_limit: str | None) -> duckdb.DuckDBPyConnection:
        """Open what is published for reading, in one state."""

    def newest(self) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open what is published now, whatever this process has open already."""

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach what is published to a database of the caller's as `store`, read-only."""


def store_of(data: Path) -> Store:
    """Return the store of a data folder."""
    lake = lake_of(data)
    return LakeStore(data, lake) if lake else FileStore(data)


@contextlib.contextmanager
def writer(data: Path, *, wait_s: float | None = None, publish: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the store for writing, created and migrated as need be, holding its lock: one writes, the others queue.

    The connection stands in the store (`USE store`). A transaction is the caller's business.

    Args:
        data: the data folder.
        wait_s: how long to wait for another writer, seconds; None waits for ever. One that dies lets go.
        publish: let readers see it when the block has ended without an error, still within the lock.

    Raises:
        StoreBusyError, NewerStoreError, StoreDamagedError, StoreFullError: see there.
    """
    with store_of(data).writing(wait_s=wait_s, publish=publish) as connection:
        yield connection


def publish(data: Path, *, wait_s: float | None = None) -> None:
    """Let readers see what the store has. Readers that are open keep what they see; new ones see this.

    Raises:
        NotPublishedError: nothing has been loaded yet.
        StoreBusyError, StoreFullError, StoreDamagedError, NewerStoreError: see there.
    """
    store_of(data).publish(wait_s=wait_s)


def is_published(data: Path) -> bool:
    """Whether there is anything to read."""
    return store_of(data).published()


def connect(
    data: Path, *, memory_limit: str | None = None, spill_limit: str | None = None
) -> duckdb.DuckDBPyConnection:
    """Open what is published for reading: no writes, no access to files or network, settings locked, times in UTC.

    Args:
        data: the data folder.
        memory_limit: as DuckDB writes it ("2GB"); None leaves its default of 80% of the machine.
        spill_limit: what queries may write to disk when memory is short; None leaves its default.

    Raises:
        NotPublishedError: nothing has been published yet.
        StoreDamagedError: the file cannot be read.
    """
    return store_of(data).connect(memory_limit=memory_limit, spill_limit=spill_limit)


@contextlib.contextmanager
def reading(data: Path, *, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory that has what is published as `store`, read-only, and may read and write other files.

    `spill` is a folder for what does not fit in memory. Raises as `connect` does.
    """
    store = store_of(data)
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; SET temp_directory = {quoted(spill)}")
        connection.execute("SET autoload_known_extensions = false; SET autoinstall_known_extensions = false")
        store.attach(connection)
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
