"""Backfills as objects of the store: a chunk a site and day, with what was planned and what has become of it.

The plan is written once; how far it is follows from the ledger, whoever fetched the URLs. The URLs of a finished chunk
are in the ledger and leave the plan.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from storage.database import NotPublishedError, connect, sql, transaction, writer

FINISHED: Final = "finished"
LEFT_OUT: Final = "left_out"
_COLUMNS: Final = "site, day, state, planned, known, fetched, in_store, rejected, open, whole, reason, planned_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A backfill; its times are aware, in UTC."""

    backfill_id: str
    sites: tuple[str, ...]
    first_day: date
    last_day: date
    state: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One day of one site in a backfill; `day` None stands for the URLs whose day is not told.

    planned = known + in_store + rejected + open.
    """

    site: str
    day: date | None
    state: str = "planned"
    planned: int = 0
    known: int = 0
    fetched: int = 0
    in_store: int = 0
    rejected: int = 0
    open: int = 0
    whole: bool = True
    reason: str | None = None
    planned_at: datetime

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do, and nothing can have been missed."""
        return self.state == FINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedUrl:
    """A URL that a chunk is to fetch; its times are aware, in UTC."""

    site: str
    day: date | None
    url_key: str
    url: str
    found_in: str
    found_by: str
    lastmod: datetime | None = None
    published_hint: datetime | None = None
    title_hint: str | None = None


def record_plan(data: Path, backfill: Backfill, chunks: Iterable[Chunk], urls: Sequence[PlannedUrl]) -> None:
    """Write a backfill with what was planned now, in place of what was planned before of the same sites and days.

    Publishes. Takes the store's lock, waiting for it. Raises as `storage.database.writer` does.
    """
    rows = [_values(chunk) for chunk in chunks]
    with writer(data, publish=True) as connection, transaction(connection):
        _write(connection, backfill)
        connection.execute("CREATE OR REPLACE TEMP TABLE chunk AS SELECT * FROM backfill_chunks LIMIT 0")
        if rows:
            connection.executemany(
                f"INSERT INTO chunk (backfill_id, {_COLUMNS}, updated_at)"  # noqa: S608 - our own names
                f" VALUES ({', '.join('?' * (2 + len(_COLUMNS.split(', '))))})",
                [[backfill.backfill_id, *row, _now()] for row in rows],
            )
        for table in ("backfill_chunks", "backfill_urls"):
            connection.execute(
                f"""DELETE FROM {table} t USING chunk c WHERE t.backfill_id = c.backfill_id AND t.site = c.site
                AND t.day IS NOT DISTINCT FROM c.day"""  # noqa: S608 - our own names
            )
        connection.execute("INSERT INTO backfill_chunks SELECT * FROM chunk")
        _insert_urls(connection, backfill.backfill_id, urls)
        _settle(connection, backfill.backfill_id)


def settle(data: Path, backfill: Backfill) -> None:
    """Write the state of a backfill and what has become of its chunks; publishes. Raises as `writer` does."""
    with writer(data, publish=True) as connection, transaction(connection):
        _write(connection, backfill)
        _settle(connection, backfill.backfill_id)


def bury(data: Path, run_id: str, reason: str) -> None:
    """Record as failed the backfill that a run worked on whose process is gone. Raises as `writer` does."""
    with writer(data) as connection:
        connection.execute(
            """UPDATE backfills SET state = 'failed', reason = $reason, updated_at = $now
            WHERE run_id = $run_id AND state = 'running'""",
            {"run_id": run_id, "reason": reason, "now": _now()},
        )


def find(data: Path, backfill_id: str) -> Backfill | None:
    """Return a backfill as the published copy has it, None if it is not there."""
    rows = _read(
        data,
        """SELECT backfill_id, sites, first_day, last_day, state, parameters, reason, run_id FROM backfills
        WHERE backfill_id = $id""",
        {"id": backfill_id},
    )
    for name, sites, first_day, last_day, state, parameters, reason, run_id in rows:
        return Backfill(
            backfill_id=name,
            sites=tuple(sites),
            first_day=first_day,
            last_day=last_day,
            state=state,
            parameters=json.loads(parameters),
            reason=reason,
            run_id=run_id,
        )
    return None


def chunks(data: Path, backfill_id: str) -> list[Chunk]:
    """Return the chunks of a backfill by site and day, counted now over the published ledger."""
    return [_chunk(row) for row in _read(data, sql("backfill_progress"), {"id": backfill_id})]


def finished_days(data: Path, sites: Sequence[str]) -> list[Chunk]:
    """Return the days of these sites that any backfill has finished, each as it was planned last.

    Backfills that fetched known pages again count like others: they left nothing out.
    """
    rows = _read(
        data,
        f"""SELECT {_COLUMNS} FROM backfill_chunks
        WHERE state = 'finished' AND day IS NOT NULL AND list_contains($sites, site)
        QUALIFY row_number() OVER (PARTITION BY site, day ORDER BY planned_at DESC) = 1 ORDER BY site, day""",  # noqa: S608 - our own names
        {"sites": list(sites)},
    )
    return [_chunk(row) for row in rows]


def open_urls(data: Path, backfill_id: str, sites: Sequence[str]) -> list[PlannedUrl]:
    """Return the URLs of these sites that a backfill has still to fetch, those of the newest day first."""
    rows = _read(data, sql("backfill_open"), {"id": backfill_id, "sites": list(sites)})
    return [
        PlannedUrl(
            site=site,
            day=day,
            url_key=url_key,
            url=url,
            found_in=found_in,
            found_by=found_by,
            lastmod=_aware(lastmod),
            published_hint=_aware(published_hint),
            title_hint=title_hint,
        )
        for site, day, url_key, url, found_in, found_by, lastmod, published_hint, title_hint in rows
    ]


def _write(connection: duckdb.DuckDBPyConnection, backfill: Backfill) -> None:
    row = connection.execute(
        "SELECT min(created_at) FROM backfills WHERE backfill_id = ?", [backfill.backfill_id]
    ).fetchone()
    connection.execute("DELETE FROM backfills WHERE backfill_id = ?", [backfill.backfill_id])
    connection.execute(
        "INSERT INTO backfills VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            backfill.backfill_id,
            list(backfill.sites),
            backfill.first_day,
            backfill.last_day,
            json.dumps(dict(backfill.parameters), ensure_ascii=False, default=str),
            backfill.state,
            backfill.reason,
            (row[0] if row else None) or _now(),
            _now(),
            backfill.run_id,
        ],
    )


def _settle(connection: duckdb.DuckDBPyConnection, backfill_id: str) -> None:
    """Write what the ledger says into the chunks, and let the URLs of finished ones go."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE progress AS {sql('backfill_progress')}", {"id": backfill_id})
    connection.execute(
        """UPDATE backfill_chunks c SET state = p.state, fetched = p.fetched, in_store = p.in_store,
            rejected = p.rejected, open = p.open, reason = p.reason, updated_at = $now
        FROM progress p WHERE c.backfill_id = $id AND c.site = p.site AND c.day IS NOT DISTINCT FROM p.day""",
        {"id": backfill_id, "now": _now()},
    )
    connection.execute(
        """DELETE FROM backfill_urls u USING backfill_chunks c
        WHERE c.backfill_id = u.backfill_id AND c.site = u.site AND c.day IS NOT DISTINCT FROM u.day
            AND c.state = 'finished' AND c.backfill_id = ?""",
        [backfill_id],
    )


def _insert_urls(connection: duckdb.DuckDBPyConnection, backfill_id: str, urls: Sequence[PlannedUrl]) -> None:
    """Hand the URLs over as Arrow: as parameters 50,000 take a minute."""
    import pyarrow as pa  # noqa: PLC0415 - 0.2 s that readers do not need

    moment = pa.timestamp("us", tz="UTC")
    types = {"day": pa.date32(), "lastmod": moment, "published_hint": moment}
    columns = {
        name: pa.array([getattr(url, name) for url in urls], types.get(name, pa.string()))
        for name in PlannedUrl.__slots__
    }
    connection.register("planned", pa.table(columns))
    connection.execute(
        """INSERT INTO backfill_urls BY NAME
        SELECT * REPLACE (lastmod AT TIME ZONE 'UTC' AS lastmod, published_hint AT TIME ZONE 'UTC' AS published_hint),
            $id AS backfill_id FROM planned""",
        {"id": backfill_id},
    )
    connection.unregister("planned")


def _read(data: Path, query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    try:
        with connect(data) as connection:
            return connection.execute(query, parameters).fetchall()
    except NotPublishedError:
        return []


def _values(chunk: Chunk) -> list[Any]:
    values = [getattr(chunk, name) for name in _COLUMNS.split(", ")]
    return [_naive(value) if isinstance(value, datetime) else value for value in values]


def _chunk(row: tuple[Any, ...]) -> Chunk:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    return Chunk(**{**values, "planned_at": _aware(values["planned_at"])})


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
