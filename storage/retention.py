"""Retention: captures are kept for so long, or up to so much; the store keeps saying what was dropped, when and why.

Only captures whose pages are in the store are dropped, whole files, the oldest first. The extracted rows stay: a store
can be built anew of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.database import connect, is_published, transaction, writer


@dataclass(frozen=True, slots=True)
class Drop:
    """A capture file that is to go: its path relative to the data folder, its size in bytes, and why."""

    file: str
    bytes: int
    reason: str


def due(data: Path, *, keep_days: int = 0, keep_bytes: int = 0, now: datetime | None = None) -> list[Drop]:
    """Return the captures that are due to be dropped, oldest first.

    Args:
        data: the data folder.
        keep_days: captures that came before go, however old their pages are (an archive's can be years old when they
            come); 0 keeps them whatever their age.
        keep_bytes: the oldest go until all together are no larger; 0 keeps them whatever their size.
        now: aware; None: the clock's.
    """
    if not is_published(data) or not (keep_days or keep_bytes):
        return []
    kept = [(file, size, last_at) for file, size, last_at in _captures(data) if size is not None]
    limit = (now or datetime.now(UTC)).replace(tzinfo=None) - timedelta(days=keep_days)
    total = sum(size for _, size, _ in kept)
    drops = []
    for file, size, last_at in kept:
        if keep_days and last_at < limit:
            drops.append(Drop(file, size, f"older than {keep_days} days"))
        elif keep_bytes and total > keep_bytes:
            drops.append(Drop(file, size, f"the oldest beyond {keep_bytes / 1e9:g} GB"))
        else:
            continue
        total -= size
    return drops


def _captures(data: Path) -> list[tuple[str, int | None, datetime]]:
    with connect(data) as connection:
        rows = connection.execute(
            """SELECT capture_file, greatest(last_at, s.written_at) AS came_at
            FROM captures LEFT JOIN segments s USING (run_id, segment)
            WHERE dropped_at IS NULL ORDER BY came_at, capture_file"""
        ).fetchall()
    return [(file, _size(data / file), last_at) for file, last_at in rows if not Path(file).is_absolute()]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def drop(data: Path, reasons: Mapping[str, str]) -> None:
    """Note that these capture files (relative to the data folder) are dropped and why; publish; then delete them.

    Killed in between, the files are deleted the next time. Raises as `storage.database.writer` does.
    """
    if reasons:
        now = datetime.now(UTC).replace(tzinfo=None)
        pairs = [{"capture_file": file, "reason": reason} for file, reason in reasons.items()]
        with writer(data, publish=True) as connection, transaction(connection):
            connection.execute(
                """UPDATE captures SET dropped_at = $now, dropped_reason = p.reason
                FROM (SELECT unnest($pairs, recursive := true)) p
                WHERE captures.capture_file = p.capture_file AND dropped_at IS NULL""",
                {"now": now, "pairs": pairs},
            )
    for file in _dropped(data):
        (data / file).unlink(missing_ok=True)


def _dropped(data: Path) -> list[str]:
    if not is_published(data):
        return []
    with connect(data) as connection:
        rows = connection.execute("SELECT capture_file FROM captures WHERE dropped_at IS NOT NULL").fetchall()
    return [file for (file,) in rows if not Path(file).is_absolute() and (data / file).exists()]


def why_dropped(data: Path, file: str) -> str | None:
    """Return when and why a capture file was dropped, in words; None if it was not."""
    with connect(data) as connection:
        row = connection.execute(
            "SELECT dropped_at, dropped_reason FROM captures WHERE capture_file = ? AND dropped_at IS NOT NULL", [file]
        ).fetchone()
    return f"dropped on {row[0]:%Y-%m-%d}: {row[1]}" if row else None
