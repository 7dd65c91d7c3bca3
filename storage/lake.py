"""The store of several machines: DuckLake, whose catalogue is a Postgres database and whose rows are Parquet files.

The files stand in a folder that all machines share or in object storage. Every commit is a snapshot, and what readers
see: there is nothing to publish. A reader stays at the snapshot that it was opened at. Who writes holds an advisory
lock of the catalogue's database, in a session of its own that ends with the process or, within two minutes, with its
machine; all others queue. No row is kept in the catalogue itself (DATA_INLINING_ROW_LIMIT 0): a load of 50 pages is
faster so, and no text stands in Postgres but the beginnings that DuckLake keeps as least and greatest values.

Passwords and keys come from the environment alone: PGPASSWORD or ~/.pgpass, AWS_ACCESS_KEY_ID and its kin.
"""

import contextlib
import functools
import os
import socket
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import duckdb

from storage.errors import NotPublishedError, StoreBusyError, StoreDamagedError, StoreError, StoreFullError
from storage.file import MEMORY_LIMIT, STORAGE_VERSION, STORE, open_store
from storage.migrating import migrate
from storage.place import Lake
from storage.statements import quoted, sql, transaction

#: Where the wheels of DuckDB's extensions have them; loading writes nothing and asks no network.
_EXTENSION: Final = "extensions/v{version}/{name}.duckdb_extension"
#: The advisory lock of writers: two numbers of ours, within the catalogue's own database.
_LOCK: Final = "1852404836, 1"
_POLL_S: Final = 0.2
#: How long former snapshots can be asked for.
_KEPT: Final = "7 DAYS"
# A machine that loses its power says nothing: Postgres asks after 60 s of silence, and lets its lock go 30 s later.
_KEEPALIVES: Final = "-c tcp_keepalives_idle=60 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
_CONNECT_S: Final = 10
_UNREACHABLE: Final = (
    *("Unable to connect to Postgres", "could not connect to server", "server closed the connection", "connection to"),
    *("terminating connection", "Could not establish connection", "Could not connect to server", "HTTP Error"),
)
_UNMADE: Final = ("does not exist - and", "not exist", "No snapshot found")
_CHECKED: Final[set[Path]] = set()  # extensions that this process has loaded, and DuckDB has found signed
_KNOWN: Final[set[Lake]] = set()  # lakes that were seen to have something to read: that stays so


class LakeUnreachableError(StoreError):
    """Raised when the catalogue or the object storage of a lake does not answer, or not to us."""


class LakeStore:
    """The lake that a data folder's settings name."""

    def __init__(self, data: Path, lake: Lake) -> None:
        self._data, self._lake = data, lake

    @property
    def place(self) -> str:
        """How the catalogue is found."""
        return f"postgres:{self._lake.catalogue}"

    @contextlib.contextmanager
    def writing(self, *, wait_s: float | None, publish: bool) -> Iterator[duckdb.DuckDBPyConnection]:  # noqa: ARG002 -- a commit publishes
        """Open the lake for writing, in its lock, made and migrated as need be."""
        with self._explained(), self._instance() as connection:
            connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; SET preserve_insertion_order = false")
            with self._locked(connection, wait_s):
                connection.execute(
                    f"{self._attach()} (DATA_PATH {quoted(self._lake.data_path)}, {_NO_ROWS}); USE store"
                )
                if not _is_made(connection):
                    connection.execute("CALL store.set_option('parquet_compression', 'zstd')")
                migrate(connection, self.place, lake=True)
                _KNOWN.add(self._lake)
                yield connection

    def publish(self, *, wait_s: float | None) -> None:  # noqa: ARG002 -- nobody is waited for
        """Do nothing but say if there is nothing: every commit is seen."""
        if not self.published():
            raise NotPublishedError(_nothing(self.place))

    def compact(self) -> None:
        """Rewrite files that hold deleted rows, and delete every file and former snapshot that held them.

        DuckLake keeps the first 256 characters of the least and the greatest text of each column in the catalogue:
        those are told anew from the files that are left. A reader of a former snapshot meets an error.
        """
        with self.writing(wait_s=None, publish=True) as connection:
            connection.execute("CALL ducklake_rewrite_data_files('store', delete_threshold => 0)")
            connection.execute("CALL ducklake_expire_snapshots('store', older_than => now() + INTERVAL 1 DAY)")
            connection.execute("CALL ducklake_cleanup_old_files('store', cleanup_all => true)")
            connection.execute("CALL ducklake_delete_orphaned_files('store', cleanup_all => true)")
        with self._explained(), self._instance() as connection:  # the lock's session would keep the rows from going
            connection.execute(f"ATTACH {quoted(self._dsn())} AS catalogue (TYPE postgres)")
            connection.execute(f"CALL postgres_execute('catalogue', {quoted(sql('lake_extremes'))})")
            for table in ("ducklake_file_column_stats", "ducklake_table_column_stats"):
                vacuum = quoted(f"VACUUM FULL {table}")
                connection.execute(f"CALL postgres_execute('catalogue', {vacuum}, use_transaction := false)")

    @contextlib.contextmanager
    def as_file(self, *, wait_s: float | None) -> Iterator[Path]:  # noqa: ARG002 -- a snapshot waits for nobody
        """Copy the newest snapshot into a file of its own; it goes when the block ends."""
        copy = self._data / "store" / "lake.duckdb.part"
        copy.unlink(missing_ok=True)
        with open_store(copy):
            pass
        try:
            with self._explained(), self._instance() as connection:
                self._pin(connection)
                connection.execute(f"ATTACH {quoted(copy)} AS other (STORAGE_VERSION '{STORAGE_VERSION}')")
                _fill(connection, "other", "store")
                connection.execute("DETACH other")
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def take_file(self) -> None:
        """Take the rows of a file that was put in the folder into the lake, which must have no loads yet."""
        file = self._data / STORE
        with open_store(file):
            pass
        with self.writing(wait_s=None, publish=True) as connection:
            if connection.execute("SELECT 1 FROM loads LIMIT 1").fetchone():
                raise StoreError(f"{self.place}: there are loads in this lake; name an empty database and folder")
            connection.execute(f"ATTACH {quoted(file)} AS other (READ_ONLY)")
            with transaction(connection):
                _fill(connection, "store", "other")
        file.unlink()

    def tidy(self) -> str | None:
        """Merge small files, and forget snapshots of more than a week ago with the files that only they had.

        A file goes a day after the last snapshot that had it, for readers that are open.
        """
        if not self.published():
            return None
        with self.writing(wait_s=None, publish=True) as connection:
            connection.execute("CALL ducklake_rewrite_data_files('store', delete_threshold => 0.1)")
            merged = connection.execute("CALL ducklake_merge_adjacent_files('store')").fetchall()
            connection.execute(f"CALL ducklake_expire_snapshots('store', older_than => now() - INTERVAL {_KEPT})")
            gone = connection.execute("CALL ducklake_cleanup_old_files('store', older_than => now() - INTERVAL 1 DAY)")
            files = len(gone.fetchall())
            connection.execute("CALL ducklake_delete_orphaned_files('store', older_than => now() - INTERVAL 1 DAY)")
        return f"the lake: files of {len(merged)} tables merged, {files} former files deleted"

    def begun(self) -> bool:
        """Whether anything was ever written."""
        return self.published()

    def published(self) -> bool:
        """Whether there is something to read."""
        return self._lake in _KNOWN or self.version() is not None

    def version(self) -> str | None:
        """Tell one state from the next: the lake's name and its newest snapshot. None: there is no lake yet."""
        try:
            return f"{self.place} {self.newest_snapshot()}"
        except NotPublishedError:
            return None

    def newest_snapshot(self) -> int:
        """Return the number of the newest snapshot. Raises NotPublishedError where there is none."""
        with self._explained(), self._instance() as connection:
            return self._pin(connection)

    def connect(self, *, memory_limit: str | None, spill_limit: str | None) -> duckdb.DuckDBPyConnection:
        """Open the newest snapshot for reading; see `storage.database.connect`."""
        config: dict[str, str | bool | int | float | list[str]] = {"python_enable_replacements": "false"}
        config |= {"memory_limit": memory_limit} if memory_limit else {}
        config |= {"max_temp_directory_size": spill_limit} if spill_limit else {}
        connection = self._opened(config)
        try:
            with self._explained():
                self._pin(connection)
                connection.execute(f"USE store; SET allowed_directories = [{quoted(self._lake.data_path)}]")
                connection.execute("SET enable_external_access = false; SET TimeZone = 'UTC'")
                connection.execute("SET lock_configuration = true")
        except BaseException:  # Ctrl-C too leaves nothing open
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def newest(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the newest snapshot."""
        with self.connect(memory_limit=None, spill_limit=None) as connection:
            yield connection

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the newest snapshot to a database of the caller's as `store`, read-only."""
        with self._explained():
            self._prepare(connection)
            self._pin(connection)

    def _pin(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Attach the newest snapshot and no later one, and return its number."""
        connection.execute(f"{self._attach()} (READ_ONLY)")
        row = connection.execute("FROM store.current_snapshot()").fetchone()
        assert row is not None
        connection.execute("DETACH store")
        connection.execute(f"{self._attach()} (READ_ONLY, SNAPSHOT_VERSION {row[0]})")
        if not _is_made(connection):
            raise NotPublishedError(_nothing(self.place))
        _KNOWN.add(self._lake)
        return int(row[0])

    def _attach(self) -> str:
        return f"ATTACH {quoted(f'ducklake:postgres:{self._dsn()}')} AS store"

    def _dsn(self) -> str:
        return (
            self._lake.catalogue
            if "connect_timeout" in self._lake.catalogue
            else f"{self._lake.catalogue} connect_timeout={_CONNECT_S}"
        )

    @contextlib.contextmanager
    def _instance(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = self._opened({})
        try:
            yield connection
        finally:
            connection.close()

    def _opened(self, config: dict[str, str | bool | int | float | list[str]]) -> duckdb.DuckDBPyConnection:
        # Signatures are checked by the first database of the process, 0.2 s of CPU an extension. What it loaded is what
        # later ones get: the system maps a library once.
        checked = {"allow_unsigned_extensions": "true"} if self._extensions() <= _CHECKED else {}
        connection = duckdb.connect(":memory:", config={**config, **checked})
        try:
            self._prepare(connection)
            connection.execute(f"SET temp_directory = {quoted(self._data / 'store' / 'spill')}")
        except BaseException:  # Ctrl-C too leaves nothing open
            connection.close()
            raise
        return connection

    def _prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Load the extensions, and tell them how to get at object storage."""
        connection.execute("SET autoload_known_extensions = false; SET autoinstall_known_extensions = false")
        for path in sorted(self._extensions()):
            connection.execute(f"LOAD {quoted(path)}")
        _CHECKED.update(self._extensions())
        if self._lake.remote:
            connection.execute(_secret(self._lake.data_path, connection))

    def _extensions(self) -> set[Path]:
        names = ("ducklake", "postgres_scanner", *(("httpfs",) if self._lake.remote else ()))
        return {extension(name) for name in names}

    @contextlib.contextmanager
    def _locked(self, connection: duckdb.DuckDBPyConnection, wait_s: float | None) -> Iterator[None]:
        """Hold the lock of all writers, in a session of its own: in one transaction, which nothing ends but its end."""
        name = f"nightdesk-{socket.gethostname()}-{os.getpid()}"
        dsn = f"{self._dsn()} application_name={name} options='{_KEEPALIVES}'"
        deadline = None if wait_s is None else time.monotonic() + wait_s
        holder = connection.cursor()
        holder.execute(f"ATTACH {quoted(dsn)} AS lock (TYPE postgres)")
        while not self._take(holder):
            if deadline is not None and time.monotonic() >= deadline:
                raise StoreBusyError(
                    f"{self.place}: {_holder(holder)} has been writing for over {wait_s:g} s; wait for it to end"
                )
            time.sleep(_POLL_S)
        try:
            yield
        finally:
            with contextlib.suppress(duckdb.Error):  # its session is gone, and the lock with it
                holder.execute("ROLLBACK")

    def _take(self, holder: duckdb.DuckDBPyConnection) -> bool:
        holder.execute("BEGIN")
        row = holder.execute(
            f"FROM postgres_query('lock', 'SELECT pg_try_advisory_xact_lock({_LOCK}) AS held')"
        ).fetchone()
        if row == (True,):
            return True
        holder.execute("ROLLBACK")
        return False

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn DuckDB's errors about the lake into ours, which name it and the mend."""
        try:
            yield
        except duckdb.Error as error:
            text = str(error).splitlines()[0]
            if "No space left" in text or "Disk quota" in text:
                raise StoreFullError(
                    f"{self._lake.data_path}: no room: {text}. Make room and run it again: nothing is lost"
                ) from error
            if any(words in str(error) for words in _UNREACHABLE):
                raise LakeUnreachableError(
                    f"{self.place}, {self._lake.data_path}: {text}. Nothing is lost: run it again when it answers"
                ) from error
            if any(words in text for words in _UNMADE) and "DuckLake" in text:
                raise NotPublishedError(_nothing(self.place)) from error
            if "DATA_PATH" in text:
                raise StoreError(
                    f"{self.place}: {text}. Write the data path of the other machines into the settings"
                ) from error
            if "is not a Parquet file" in text or "No magic bytes" in text:
                raise StoreDamagedError(
                    f"{self._lake.data_path}: {text}. Restore the file from a copy of the bucket"
                ) from error
            raise


_NO_ROWS: Final = "DATA_INLINING_ROW_LIMIT 0"


def _fill(connection: duckdb.DuckDBPyConnection, target: str, source: str) -> None:
    """Make the rows of every table those of another store of the same schema."""
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND table_name <> 'schema_migrations'", [source]
    ).fetchall()
    for (table,) in tables:
        connection.execute(f"DELETE FROM {target}.{table}")  # noqa: S608 -- our own names
        connection.execute(f"INSERT INTO {target}.{table} BY NAME FROM {source}.{table}")


def _is_made(connection: duckdb.DuckDBPyConnection) -> bool:
    found = "SELECT 1 FROM duckdb_tables() WHERE database_name = 'store' AND table_name = 'schema_migrations'"
    return connection.execute(found).fetchone() is not None


def _nothing(place: str) -> str:
    return f"{place}: nothing has been written into this lake yet. Run nightdesk crawl or nightdesk demo first."


_HOLDER: Final = f"""SELECT application_name, coalesce(host(client_addr), 'this machine'), backend_start::TEXT
    FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted
    AND (classid, objid) = ({_LOCK})"""  # noqa: S608 -- our own numbers


def _holder(connection: duckdb.DuckDBPyConnection) -> str:
    row: Any = connection.execute(f"FROM postgres_query('lock', {quoted(_HOLDER)})").fetchone()
    return f"{row[0]} at {row[1]} (since {row[2][:19]})" if row else "another process"


@functools.cache
def extension(name: str) -> Path:
    """Return the file of an extension. Raises StoreError where its wheel is not installed."""
    spec = find_spec(f"duckdb_extension_{name}")
    for folder in spec.submodule_search_locations or () if spec else ():
        path = Path(folder, _EXTENSION.format(version=duckdb.__version__, name=name))
        if path.exists():
            return path
    raise StoreError(
        f"a lake needs DuckDB's extension {name} {duckdb.__version__}, which is not installed: "
        "pip install 'nightdesk[lake]'"
    )


def _secret(data_path: str, connection: duckdb.DuckDBPyConnection) -> str:
    """Return the statement that makes the keys of the environment known, for that path alone, in memory."""
    environment = os.environ
    parts = [f"SCOPE {quoted(data_path)}"]
    if "AWS_ACCESS_KEY_ID" in environment:
        parts += [
            f"KEY_ID {quoted(environment['AWS_ACCESS_KEY_ID'])}",
            f"SECRET {quoted(environment.get('AWS_SECRET_ACCESS_KEY', ''))}",
        ]
        parts += [f"SESSION_TOKEN {quoted(token)}"] if (token := environment.get("AWS_SESSION_TOKEN")) else []
    else:  # a profile, the role of the machine: what the tools of AWS look for
        connection.execute(f"LOAD {quoted(extension('aws'))}")
        parts += ["PROVIDER credential_chain"]
    if region := environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"):
        parts += [f"REGION {quoted(region)}"]
    if endpoint := environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL"):
        url = urlsplit(endpoint)
        parts += [
            f"ENDPOINT {quoted(url.netloc)}",
            "URL_STYLE 'path'",
            f"USE_SSL {'true' if url.scheme == 'https' else 'false'}",
        ]
    return f"CREATE OR REPLACE SECRET nightdesk (TYPE s3, {', '.join(parts)})"
