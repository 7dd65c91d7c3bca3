"""Which captures are to be read again: a plan of captured pages (`plan.parquet`), asked of the published copy."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from storage.database import quoted, reading, sql

PLAN: Final = "plan.parquet"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which articles are to be read again: of these sites (none named: all), published on these days, newest first.

    Days are the sites' own; None is no bound. `limit_pages` bounds the pages; 0 does not.
    """

    sites: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    limit_pages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The pages of one capture file that are to be read again. `dropped`: retention has deleted the file."""

    capture_file: str
    run_id: str
    segment: str
    offsets: tuple[int, ...]
    dropped: bool


def write_plan(data: Path, wanted: Wanted, path: Path) -> tuple[int, str]:
    """Write which captured pages are to be read again; return how many, and a digest of the list.

    Raises:
        NotPublishedError: nothing has been published yet.
    """
    with reading(data, spill=path.with_name("spill")) as connection:
        parameters = {"sites": list(wanted.sites), "first_day": wanted.first_day, "last_day": wanted.last_day}
        connection.execute(sql("rereading_wanted"), parameters)
        connection.execute("SET VARIABLE limit_pages = ?::BIGINT", [wanted.limit_pages or None])
        connection.execute(sql("rereading_plan"))
        row = connection.execute(
            "SELECT count(*), coalesce(bit_xor(hash(capture_file, capture_offset)), 0) FROM plan"
        ).fetchone()
        assert row is not None
        connection.execute(f"COPY plan TO {quoted(path)} (FORMAT parquet)")
    return row[0], hashlib.blake2b(repr(row).encode(), digest_size=8).hexdigest()


def read_plan(path: Path) -> list[Planned]:
    """Return the plan by capture file, in order of their names."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            """SELECT capture_file, any_value(run_id), any_value(segment), list(capture_offset ORDER BY capture_offset),
            bool_or(dropped) FROM read_parquet($path) GROUP BY capture_file ORDER BY capture_file""",
            {"path": str(path)},
        ).fetchall()
    return [
        Planned(capture_file=file, run_id=run, segment=segment, offsets=tuple(offsets), dropped=dropped)
        for file, run, segment, offsets, dropped in rows
    ]
