"""Promotions: the new readings of a re-extraction come into the store as a whole, and go out of it as a whole.

`promote` writes what it replaces beside it, in the same form (`before/`); to roll back is to promote that.
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import duckdb

from storage.database import connect, sql, store_of, sync, transaction, writer
from storage.load import committed
from storage.manifest import MANIFEST, PART, read_manifest
from storage.stories import cluster

BEFORE: Final = "before"
#: The files of readings: of a folder of rows, and of what a promotion replaced.
READINGS: Final = ("fetches", "articles", "removed_blocks")
_MOST_TWINS: Final = 5  # rounds in which sightings without any text are found; one is usual, two were never seen

State = str  # compared | promoted | rolled_back | discarded


class PromotionError(ValueError):
    """Raised for a promotion or roll-back that makes no sense as the store is; the message says why and the mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of `reextractions`; times are aware, in UTC."""

    reextraction_id: str
    state: State
    started_at: datetime
    compared_at: datetime
    wanted: Mapping[str, Any]
    extractor_version: str
    version: str
    pages: int
    gone: int
    verdict: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """What a promotion or a roll-back did, in rows. `versions_*` are of the articles whose pages were read again."""

    load_number: int
    fetches: int  # whose reading was replaced
    articles: int  # that were told anew
    versions_before: int
    versions_after: int
    departed: int  # articles that are none any more
    again: bool = False  # it had been done before, and nothing was changed


def states(data: Path) -> dict[str, tuple[State, datetime | None]]:
    """Return the state of each re-extraction that the loader's file knows, and when it was promoted, UTC."""
    if not store_of(data).begun():
        return {}
    with writer(data) as connection:
        return {name: (state, at and at.replace(tzinfo=UTC)) for name, state, at in _states(connection)}


def record(data: Path, row: Row, sites: Iterable[Mapping[str, Any]] = ()) -> None:
    """Write a re-extraction's row and those of its sites, replacing theirs; publish. Raises as the store does.

    Raises:
        PromotionError: it is promoted, so that what it would change can be said no more.
    """
    with writer(data, publish=True) as connection, transaction(connection):
        if _state(connection, row.reextraction_id) == "promoted":
            raise PromotionError(f"{row.reextraction_id} is promoted; roll it back first")
        _write_row(connection, row, list(sites))


def promote(data: Path, reextraction_id: str, folder: Path) -> Promoted:
    """Take the rows in `folder`/rows into the store, in one transaction, and publish.

    Done once: a second call only clusters what a kill left, and publishes. Killed at any moment it has done all or
    nothing, and can be called again.

    Raises:
        PromotionError: the store does not know the re-extraction, or has it discarded.
        DamagedFolderError: a folder of rows is not what was written.
        StoreError: as `storage.database.writer` raises it.
    """
    rows = sorted(path.parent for path in (folder / "rows").glob(f"*/*/{MANIFEST}"))
    for each in rows:
        read_manifest(each)
    files = {name: [str(each / f"{name}.parquet") for each in rows] for name in READINGS}
    with writer(data, publish=True) as connection:
        match _state(connection, reextraction_id):
            case "promoted":
                done = _done_before(connection)
            case "compared" | "rolled_back":
                done = _replace(connection, reextraction_id, files, keep=folder / BEFORE)
            case state:
                raise PromotionError(f"{reextraction_id} is {state or 'not in the store'}: run it again first")
        cluster(connection)  # also what was done before: killed after its commit, it has yet to be
    return done


def roll_back(data: Path, reextraction_id: str, folder: Path) -> Promoted:
    """Bring back what a promotion replaced, in one transaction, and publish. What was fetched since stays.

    Raises as `promote` does, and PromotionError where another promotion came after it.
    """
    before = folder / BEFORE
    files = {name: [str(before / f"{name}.parquet")] for name in READINGS}
    with writer(data, publish=True) as connection:
        match _state(connection, reextraction_id):
            case "rolled_back":
                done = _done_before(connection)
            case "promoted":
                _require_last(connection, reextraction_id)
                _require(before)
                done = _replace(connection, reextraction_id, files, keep=None)
            case state:
                raise PromotionError(
                    f"{reextraction_id} is {state or 'not in the store'}: only what is promoted can be rolled back"
                )
        cluster(connection)
    return done


def _states(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, datetime | None]]:
    return connection.execute(
        "SELECT reextraction_id, state, promoted_at FROM reextractions ORDER BY started_at"
    ).fetchall()


def _state(connection: duckdb.DuckDBPyConnection, reextraction_id: str) -> State | None:
    return next((state for name, state, _ in _states(connection) if name == reextraction_id), None)


def _require_last(connection: duckdb.DuckDBPyConnection, reextraction_id: str) -> None:
    row = connection.execute(
        "SELECT reextraction_id FROM reextractions WHERE state = 'promoted' ORDER BY load_number DESC LIMIT 1"
    ).fetchone()
    if row != (reextraction_id,):
        raise PromotionError(
            f"{row[0] if row else 'another one'} was promoted after {reextraction_id}; roll that back first"
        )


def _require(before: Path) -> None:
    for name in READINGS:
        if not (before / f"{name}.parquet").is_file():
            raise PromotionError(
                f"{before / name}.parquet is gone, with which the former readings could be brought back; "
                "read the captures again with the former program and rules instead"
            )


def _replace(
    connection: duckdb.DuckDBPyConnection,
    reextraction_id: str,
    files: Mapping[str, Sequence[str]],
    *,
    keep: Path | None,
) -> Promoted:
    """Replace readings by those in `files`; `keep` is the folder for what they replace, None for a roll-back."""
    load_id = uuid4().hex
    _prepare(connection, load_id, reextraction_id if keep else None, files)
    with committed(connection, load_id):
        connection.execute(sql("promotion_stage"))
        _tell_histories(connection)
        if keep is not None:
            connection.execute(sql("promotion_before"))
            _write_before(connection, keep)
        connection.execute(sql("promotion"))
        connection.execute(sql("ledger"))
        _mark(connection, reextraction_id, promoted=keep is not None)
        return _counted(connection)


def _prepare(
    connection: duckdb.DuckDBPyConnection, load_id: str, mark: str | None, files: Mapping[str, Sequence[str]]
) -> None:
    connection.execute("SET VARIABLE load_id = ?", [load_id])
    connection.execute("SET VARIABLE loaded_at = ?", [datetime.now(UTC).replace(tzinfo=None)])
    connection.execute("SET VARIABLE reextraction = ?::VARCHAR", [mark])
    columns = "*, getvariable('reextraction') AS reextraction_id" if mark else "*"
    names = {"fetches": "readings", "articles": "reread_articles", "removed_blocks": "reread_removed"}
    for name, view in names.items():
        connection.execute(f"SET VARIABLE {name} = ?", [list(files[name])])
        connection.execute(f"""CREATE OR REPLACE TEMP VIEW {view} AS
            SELECT {columns} FROM read_parquet(getvariable('{name}'), union_by_name := true)""")  # noqa: S608 -- ours


def _tell_histories(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the versions of the articles; sightings whose text nobody has are taken out of them."""
    for _ in range(_MOST_TWINS):
        connection.execute(sql("timeline"))
        connection.execute(sql("promotion_texts"))
        row = connection.execute("SELECT count(*) FROM orphans").fetchone()
        if row == (0,):
            return
        connection.execute("""INSERT INTO changes BY NAME SELECT * FROM orphans;
            DELETE FROM sightings WHERE (url_key, ended_at) IN (SELECT (url_key, ended_at) FROM orphans)""")
    raise duckdb.ConstraintException("article_versions: not every version found its text; nothing was changed")


def _write_before(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write what is replaced, before it is: whole under its name, whatever an earlier try left there."""
    part = folder.with_name(folder.name + PART)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for view, name in zip(("former_fetches", "former_articles", "former_removed"), READINGS, strict=True):
        path = str(part / f"{name}.parquet").replace("'", "''")
        connection.execute(f"COPY (FROM {view}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        sync(part / f"{name}.parquet")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    sync(folder.parent)


def _mark(connection: duckdb.DuckDBPyConnection, reextraction_id: str, *, promoted: bool) -> None:
    column = "promoted_at" if promoted else "rolled_back_at"
    connection.execute(
        f"""UPDATE reextractions SET state = $state, {column} = getvariable('loaded_at')::TIMESTAMP,
            load_number = getvariable('load_number') WHERE reextraction_id = $id""",  # noqa: S608 -- our own names
        {"state": "promoted" if promoted else "rolled_back", "id": reextraction_id},
    )


def _counted(connection: duckdb.DuckDBPyConnection) -> Promoted:
    """Count what was done, and hold it to its keys before it is committed."""
    row = connection.execute("""SELECT getvariable('load_number')::BIGINT, (SELECT count(*) FROM changes),
        (SELECT count(*) FROM touched), (SELECT count(*) FROM prior_versions), (SELECT count(*) FROM versions),
        (SELECT count(*) FROM departures WHERE load_number = getvariable('load_number')),
        (SELECT count(*) FROM article_versions WHERE url_key IN (SELECT article_key FROM touched)),
        (SELECT count(*) FROM (SELECT DISTINCT url_key, version FROM article_versions
            WHERE url_key IN (SELECT article_key FROM touched))),
        (SELECT count(*) FROM ledger) = (SELECT count(DISTINCT url_key) FROM ledger)""").fetchone()
    assert row is not None
    number, fetches, articles, before, after, departed, stored, distinct, ledger = row
    if not (stored == distinct == after and ledger):
        raise duckdb.ConstraintException(
            f"article_versions: {after} versions became {stored} rows of {distinct} keys; nothing was changed"
        )
    return Promoted(
        load_number=number,
        fetches=fetches,
        articles=articles,
        versions_before=before,
        versions_after=after,
        departed=departed,
    )


def _done_before(connection: duckdb.DuckDBPyConnection) -> Promoted:
    row = connection.execute("SELECT n FROM load_lock").fetchone()
    assert row is not None
    return Promoted(
        load_number=row[0], fetches=0, articles=0, versions_before=0, versions_after=0, departed=0, again=True
    )


def _write_row(connection: duckdb.DuckDBPyConnection, row: Row, sites: list[Mapping[str, Any]]) -> None:
    key = [row.reextraction_id]
    connection.execute("DELETE FROM reextractions WHERE reextraction_id = ?", key)
    connection.execute(
        """INSERT INTO reextractions BY NAME SELECT $id AS reextraction_id, $state AS state,
        $started_at::TIMESTAMP AS started_at, $compared_at::TIMESTAMP AS compared_at, $wanted AS wanted,
        $extractor AS extractor_version, $version AS version, $pages AS pages, $gone AS gone, $verdict AS verdict,
        $reasons::VARCHAR[] AS reasons""",
        {
            "id": row.reextraction_id,
            "state": row.state,
            "started_at": row.started_at.astimezone(UTC).replace(tzinfo=None),
            "compared_at": row.compared_at.astimezone(UTC).replace(tzinfo=None),
            "wanted": json.dumps(dict(row.wanted), ensure_ascii=False, default=str),
            "extractor": row.extractor_version,
            "version": row.version,
            "pages": row.pages,
            "gone": row.gone,
            "verdict": row.verdict,
            "reasons": list(row.reasons),
        },
    )
    connection.execute("DELETE FROM reextraction_sites WHERE reextraction_id = ?", key)
    for site in sites:
        names = ", ".join(site)
        marks = ", ".join("?" for _ in site)
        connection.execute(
            f"INSERT INTO reextraction_sites (reextraction_id, {names}) VALUES (?, {marks})",  # noqa: S608 -- ours
            [row.reextraction_id, *site.values()],
        )


def published_rows(data: Path) -> list[tuple[Any, ...]]:
    """Return (id, state, verdict, started_at, pages, reasons) of each re-extraction in the published copy."""
    with connect(data) as connection:
        return connection.execute("""SELECT reextraction_id, state, verdict, started_at, pages, reasons
            FROM reextractions ORDER BY started_at DESC""").fetchall()
