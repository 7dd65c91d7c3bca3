"""What the spider is told of the ledger, as files: the known URLs (SQLite) and the pending ones (JSON lines).

The spider never opens DuckDB. Formats: docs/design.md, "The spider's child process".
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extraction.records import OPEN_OUTCOMES
from storage.database import connect, is_published, sync

_BATCH = 10_000


def write_known(data: Path, path: Path, sites: Sequence[str]) -> int:
    """Write the URLs of these sites that were ever tried as an SQLite file, and return how many.

    Read from the published copy; without one the file is empty. Written beside and renamed, so a reader finds a whole
    file or none. Times are ISO 8601 with a Z.
    """
    part = _part(path)
    file = sqlite3.connect(part)
    try:
        file.execute("PRAGMA journal_mode = OFF")
        file.execute("""CREATE TABLE known (url_key TEXT PRIMARY KEY, fetched_at TEXT, outcome TEXT, etag TEXT,
            last_modified TEXT, next_visit TEXT) WITHOUT ROWID""")
        count = 0
        for rows in _known(data, sites):
            file.executemany("INSERT INTO known VALUES (?, ?, ?, ?, ?, ?)", rows)
            count += len(rows)
        file.commit()
    finally:
        file.close()
    _into_place(part, path)
    return count


def write_pending(data: Path, path: Path, sites: Sequence[str], *, revisits: bool = False) -> int:
    """Write the URLs of these sites whose outcome is open as journal lines of kind discovered; return how many.

    With `revisits` also those whose next visit is due: most have left their feeds by then. Newest first, by the
    source's own date, else by discovery. Read from the published copy; without one the file is empty.
    """
    part = _part(path)
    count = 0
    with part.open("w", encoding="utf-8") as file:
        for rows in _pending(data, sites, datetime.now(UTC) if revisits else None):
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            count += len(rows)
    _into_place(part, path)
    return count


def last_read(data: Path, sites: Sequence[str]) -> dict[str, datetime]:
    """Return when each of these sites was last read as a whole, UTC: by a nightly crawl that came to its end, all of
    whose sources of that site answered. A site of which that was never so is left out.
    """  # noqa: D205
    rows = _batches(
        data,
        """WITH reading AS (
            SELECT site, run_id, min(read_at) AS began FROM source_reads GROUP BY site, run_id
            HAVING bool_and(outcome = 'ok')
        )
        SELECT site, max(began) FROM reading JOIN runs USING (run_id)
        WHERE list_contains($sites, site) AND kind = 'nightly' AND state IN ('finished', 'limit') GROUP BY site""",
        {"sites": list(sites)},
    )
    return {site: began.replace(tzinfo=UTC) for batch in rows for site, began in batch}


def _known(data: Path, sites: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    # A URL that was discovered again but not yet tried again keeps what its last try said. Sorted, because SQLite
    # builds a table in order of its key ten times as fast.
    return _batches(
        data,
        """SELECT url_key, strftime(coalesce(fetched_at, outcome_at), '%Y-%m-%dT%H:%M:%S.%fZ'), last_outcome, etag,
            last_modified, strftime(next_visit, '%Y-%m-%dT%H:%M:%S.%fZ')
        FROM urls WHERE list_contains($sites, site) AND last_outcome IS NOT NULL ORDER BY url_key""",
        {"sites": list(sites)},
    )


def _pending(data: Path, sites: Sequence[str], due_at: datetime | None) -> Iterator[list[dict[str, Any]]]:
    batches = _batches(
        data,
        """SELECT url, url_key, site, found_in, found_by, lastmod, published_hint, title_hint
        FROM urls WHERE list_contains($sites, site) AND (list_contains($open, outcome) OR next_visit <= $due_at)
        ORDER BY coalesce(published_hint, lastmod, last_seen_at, outcome_at) DESC, url_key""",
        {"sites": list(sites), "open": sorted(OPEN_OUTCOMES), "due_at": due_at and due_at.replace(tzinfo=None)},
    )
    names = ("url", "url_key", "site", "found_in", "found_by", "lastmod", "published_hint", "title_hint")
    now = _iso(datetime.now(UTC))
    for rows in batches:
        yield [
            {"kind": "discovered", "at": now} | {name: _iso(value) for name, value in zip(names, row, strict=True)}
            for row in rows
        ]


def _batches(data: Path, sql: str, parameters: dict[str, Any]) -> Iterator[list[tuple[Any, ...]]]:
    if not is_published(data):
        return
    with connect(data) as connection:
        cursor = connection.execute(sql, parameters)
        while rows := cursor.fetchmany(_BATCH):
            yield rows


def _iso(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return value


def _part(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    return part


def _into_place(part: Path, path: Path) -> None:
    sync(part)
    part.rename(path)
    sync(path.parent)
