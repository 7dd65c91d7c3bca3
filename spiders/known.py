"""What the store knows of URLs, as the spider reads it: the SQLite file of docs/design.md, opened read-only."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from extraction.records import OPEN_OUTCOMES, Discovery, Outcome


@dataclass(frozen=True, slots=True)
class KnownUrl:
    """The last that the store knows of a URL; times are UTC."""

    fetched_at: datetime | None
    outcome: str
    etag: str | None
    last_modified: str | None
    next_visit: datetime | None

    def wants_visit(self, discovery: Discovery, now: datetime) -> bool:
        """Whether the URL is to be asked for again: its end is open, its source says so, or its time has come."""
        if self.outcome in OPEN_OUTCOMES or self.fetched_at is None:
            return True
        # A lastmod in the future is a clock or a lie, and would have the page fetched in each run until then.
        if discovery.lastmod and self.fetched_at < discovery.lastmod <= now:
            return True
        return self.next_visit is not None and self.next_visit <= now

    def validators(self) -> dict[str, str] | None:
        """Return the header fields that ask for the page only if it changed, None if nothing is known to compare."""
        if self.outcome not in {Outcome.LOADED, Outcome.UNCHANGED}:
            return None
        fields = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {
            name: value for name, value in fields.items() if value and value.isascii() and value.isprintable()
        } or None


class Known:
    """Looks URLs up by their key. Without a file nothing is known."""

    def __init__(self, path: Path | None) -> None:
        """Open the file. Raises OSError if it cannot be read as what it is."""
        self._rows: sqlite3.Connection | None = None
        if path is not None:
            try:
                self._rows = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
                self.find("")
            except sqlite3.Error as error:
                raise OSError(f"{path}: the file of known URLs cannot be read: {error}") from error

    def find(self, key: str) -> KnownUrl | None:
        """Return what is known of a URL key."""
        if self._rows is None:
            return None
        row = self._rows.execute(
            "SELECT fetched_at, outcome, etag, last_modified, next_visit FROM known WHERE url_key = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        return KnownUrl(_time(row[0]), row[1] or "", row[2], row[3], _time(row[4]))

    def close(self) -> None:
        """Close the file."""
        if self._rows is not None:
            self._rows.close()


def _time(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
