"""Loads: segments' rows into the store, any number of folders in one transaction, each segment once.

The folders are what `storage.batches` writes, `<data>/extracted/<run>/<segment>/`. A folder that is damaged is set
aside as `<segment>.damaged` and named in the result; the others are loaded.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import duckdb

from storage.database import sql, writer
from storage.manifest import MANIFEST, PART, TABLES, DamagedFolderError, Manifest, read_manifest
from storage.stories import cluster

DAMAGED: Final = ".damaged"
LATE: Final = "load_late"  # only where articles are late
#: The files of sql/ that make a load, in order. A re-extraction shares the timeline and the ledger with it.
LOAD: Final = ("load_stage", "timeline", "load_articles", LATE, "ledger", "load_record")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What a load did. `load_id` is None where there was nothing to load; counts are rows of this load."""

    load_id: str | None
    loaded: tuple[Path, ...] = ()  # folders taken by this load
    known: tuple[Path, ...] = ()  # folders whose segments the store had already
    damaged: tuple[tuple[Path, str], ...] = ()  # folders set aside (their new names) and why
    fetches: int = 0
    new_articles: int = 0
    new_versions: int = 0
    seconds: float = 0.0


def load(data: Path, folders: Sequence[Path], *, publish: bool = False, wait_s: float | None = None) -> LoadResult:
    """Load folders of rows into the store in one transaction.

    Args:
        data: the data folder; the store is created in it if there is none.
        folders: `<data>/extracted/<run>/<segment>`, in any order; ones the store knows already are skipped.
        publish: also cluster the texts that came (`storage.stories`) and publish, within the same lock.
        wait_s: how long to wait for another loader, seconds; None waits for ever.

    Raises:
        StoreBusyError, NewerStoreError, StoreDamagedError, StoreFullError: see `storage.database`; nothing was loaded.
    """
    began = time.monotonic()
    with writer(data, wait_s=wait_s, publish=publish) as connection:
        whole, damaged = _checked(folders)
        known = _known(connection, whole)
        fresh = {folder: manifest for folder, manifest in whole.items() if folder not in known}
        counts = _load(connection, data, fresh) if fresh else None
        if publish:
            cluster(connection)
    return LoadResult(
        load_id=counts[0] if counts else None,
        loaded=tuple(fresh),
        known=tuple(known),
        damaged=damaged,
        fetches=counts[1] if counts else 0,
        new_articles=counts[2] if counts else 0,
        new_versions=counts[3] if counts else 0,
        seconds=time.monotonic() - began,
    )


def pending_folders(data: Path) -> list[Path]:
    """Return the folders of extracted rows in a data folder that are whole by name, in order: what `load` can be given.

    Those in the store already are among them; `load` skips them.
    """
    found = (data / "extracted").glob(f"*/*/{MANIFEST}")
    return sorted(path.parent for path in found if not path.parent.name.endswith((PART, DAMAGED)))


def _checked(folders: Sequence[Path]) -> tuple[dict[Path, Manifest], tuple[tuple[Path, str], ...]]:
    """Tell whole folders, one a segment, from damaged ones, which are set aside."""
    whole: dict[Path, Manifest] = {}
    damaged = []
    segments = set()
    for folder in sorted(set(folders)):
        try:
            manifest = read_manifest(folder)
        except DamagedFolderError as error:
            damaged.append((_set_aside(folder), str(error)))
            continue
        if (manifest.run_id, manifest.segment) not in segments:
            segments.add((manifest.run_id, manifest.segment))
            whole[folder] = manifest
    return whole, tuple(damaged)


def _set_aside(folder: Path) -> Path:
    if not folder.is_dir():
        return folder
    for number in range(1, 1000):
        aside = folder.with_name(f"{folder.name}{DAMAGED}" if number == 1 else f"{folder.name}.{number}{DAMAGED}")
        if not aside.exists():
            return folder.rename(aside)
    raise FileExistsError(f"{folder}: damaged, and 999 of that name are set aside already; delete some")


def _known(connection: duckdb.DuckDBPyConnection, whole: dict[Path, Manifest]) -> list[Path]:
    runs = list({manifest.run_id for manifest in whole.values()})
    rows = connection.execute("SELECT run_id, segment FROM segments WHERE list_contains(?, run_id)", [runs])
    segments = set(rows.fetchall())
    return [folder for folder, manifest in whole.items() if (manifest.run_id, manifest.segment) in segments]


def _load(connection: duckdb.DuckDBPyConnection, data: Path, fresh: dict[Path, Manifest]) -> tuple[str, int, int, int]:
    load_id = uuid4().hex
    _set_variables(connection, load_id, data, fresh)
    with committed(connection, load_id):
        for part in LOAD:
            if part != LATE or connection.execute("SELECT 1 FROM late LIMIT 1").fetchone():
                connection.execute(sql(part))
        _assert_unique(connection)
    row = connection.execute(
        "SELECT load_id, fetches, new_articles, new_versions FROM loads WHERE load_id = ?", [load_id]
    ).fetchone()
    assert row is not None
    return row


def _set_variables(
    connection: duckdb.DuckDBPyConnection, load_id: str, data: Path, fresh: dict[Path, Manifest]
) -> None:
    for name in TABLES:
        connection.execute(f"SET VARIABLE {name} = ?", [[str(folder / f"{name}.parquet") for folder in fresh]])
    segments = [
        {
            "run_id": manifest.run_id,
            "segment": manifest.segment,
            "written_at": datetime.fromisoformat(manifest.written_at).astimezone(UTC).replace(tzinfo=None),
            "finished": manifest.finished,
            **{name: manifest.files[f"{name}.parquet"].rows for name in ("urls", "fetches", "articles")},
        }
        for manifest in fresh.values()
    ]
    captures = [{"capture_file": "", "bytes": 0}]  # a first row of each type, for a list that would be empty
    for manifest in fresh.values():
        file = Path("captures", manifest.run_id, f"{manifest.segment}.warc.gz")
        with contextlib.suppress(OSError):
            captures.append({"capture_file": str(file), "bytes": (data / file).stat().st_size})
    connection.execute("SET VARIABLE segments = ?", [segments])
    connection.execute("SET VARIABLE captures = ?", [captures])
    connection.execute("SET VARIABLE load_id = ?", [load_id])
    connection.execute("SET VARIABLE loaded_at = ?", [datetime.now(UTC).replace(tzinfo=None)])


@contextlib.contextmanager
def committed(connection: duckdb.DuckDBPyConnection, load_id: str) -> Iterator[None]:
    """Run a load in a transaction, which is to write its row of `loads`.

    COMMIT can raise although it is durable (disk full at the checkpoint): that row then tells.
    """
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except duckdb.Error:
        with contextlib.suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        if not _is_loaded(connection, load_id):
            raise


def _is_loaded(connection: duckdb.DuckDBPyConnection, load_id: str) -> bool:
    try:
        return connection.execute("SELECT 1 FROM loads WHERE load_id = ?", [load_id]).fetchone() is not None
    except duckdb.Error:  # the database is invalidated: the next opening tells, and a load of the same folders is safe
        return False


def _assert_unique(connection: duckdb.DuckDBPyConnection) -> None:
    """Hold the load to its keys: what was there was unique, and so is what came; raise before COMMIT if not.

    Together with the lock this keeps every key unique without an index, which would cost 5 to 20 times the load.
    """
    for table, key in (
        ("prior_urls", "url_key"),
        ("ledger", "url_key"),
        ("current_articles", "article_key"),
        ("versions", "(article_key, version)"),
    ):
        query = f"SELECT {key} FROM {table} GROUP BY ALL HAVING count(*) > 1 LIMIT 1"  # noqa: S608 -- our own names
        if (row := connection.execute(query).fetchone()) is not None:
            raise duckdb.ConstraintException(f"{table}: the key {row[0]} would stand twice; nothing was loaded")
    stored = connection.execute("""
        SELECT getvariable('versions_before') - (SELECT count(*) FROM late_texts)
            + (SELECT count(*) FROM versions WHERE NOT anchor) = (SELECT count(*) FROM article_versions)""")
    if stored.fetchone() != (True,):
        raise duckdb.ConstraintException("article_versions: not every version found its text; nothing was loaded")
