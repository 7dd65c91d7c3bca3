"""Runs and sites: what a crawl was asked to do and how it ended, beside the rows that it made."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from storage.database import connect, transaction, writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run: its times are aware, in UTC; `finished_at` is None while it goes on."""

    run_id: str
    kind: str  # nightly, backfill, import, …
    state: str  # running, finished, cancelled, failed
    started_at: datetime
    finished_at: datetime | None = None
    reason: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A site as its file describes it."""

    site: str
    title: str
    url: str
    country: str
    languages: tuple[str, ...]
    time_zone: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSummary:
    """How a run ended at one site, in URLs: discovered = loaded + unchanged + duplicate + open + rejected.

    `reasons` are the outcomes of the open and rejected ones with their counts, most first.
    """

    site: str
    discovered: int
    fetched: int
    loaded: int
    unchanged: int
    duplicate: int
    open: int
    rejected: int
    reasons: Mapping[str, int]


def record_run(
    data: Path, run: Run, sites: Iterable[SiteRow] = (), *, publish: bool = False, wait_s: float | None = None
) -> None:
    """Write a run's row, replacing the one with its run_id, and the rows of its sites, replacing theirs.

    Takes the store's lock, waiting for it; creates the store if there is none. `publish` also publishes, in the lock.
    Raises as `storage.database.writer` does.
    """
    with writer(data, wait_s=wait_s, publish=publish) as connection, transaction(connection):
        _write_run(connection, run)
        _write_sites(connection, sites)


def _write_run(connection: duckdb.DuckDBPyConnection, run: Run) -> None:
    connection.execute("DELETE FROM runs WHERE run_id = ?", [run.run_id])
    connection.execute(
        """INSERT INTO runs BY NAME SELECT $run_id AS run_id, $kind AS kind, $state AS state,
        $started_at::TIMESTAMP AS started_at, $finished_at::TIMESTAMP AS finished_at, $reason AS reason,
        $parameters AS parameters, $version AS version""",
        {
            "run_id": run.run_id,
            "kind": run.kind,
            "state": run.state,
            "started_at": _naive(run.started_at),
            "finished_at": _naive(run.finished_at),
            "reason": run.reason,
            "parameters": json.dumps(dict(run.parameters), ensure_ascii=False, default=str),
            "version": run.version,
        },
    )


def _write_sites(connection: duckdb.DuckDBPyConnection, sites: Iterable[SiteRow]) -> None:
    now = _naive(datetime.now(UTC))
    for site in sites:
        connection.execute("DELETE FROM sites WHERE site = ?", [site.site])
        connection.execute(
            "INSERT INTO sites VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [site.site, site.title, site.url, site.country, [*site.languages], site.time_zone, site.enabled, now],
        )


def summarise(data: Path, run_id: str) -> list[SiteSummary]:
    """Return how a run ended at each site, in order of name, read from the published copy.

    Raises:
        NotPublishedError: nothing has been published yet.
    """
    with connect(data) as connection:
        rows = connection.execute(
            """SELECT site, discovered, fetched, loaded, unchanged, duplicate, open, rejected, reasons
            FROM run_summary WHERE run_id = ? ORDER BY site""",
            [run_id],
        ).fetchall()
    names = SiteSummary.__slots__
    return [SiteSummary(**dict(zip(names, row, strict=True))) for row in rows]


def _naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None
