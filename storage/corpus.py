"""What the store knows of an imported corpus: which of its articles are there already, and what was not taken."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from storage.database import connect, is_published, transaction, writer

#: Problems of one import that are kept.
MOST_PROBLEMS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An article that was not taken, as `import_problems` has it."""

    source_file: str
    source_line: int | None
    url: str | None
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """What the store has of some URLs: articles, and imports as (url_key, downloaded at, UTC)."""

    articles: frozenset[str]
    imports: frozenset[tuple[str, datetime]]


def held(data: Path, url_keys: Collection[str]) -> Held:
    """Say what the published store has of these URLs."""
    if not is_published(data):
        return Held(frozenset(), frozenset())
    parameters = {"keys": list(url_keys)}
    with connect(data) as connection:
        articles = connection.execute(
            "SELECT url_key FROM article_versions WHERE url_key IN (SELECT unnest($keys))", parameters
        ).fetchall()
        imports = connection.execute(
            """SELECT url_key, ended_at FROM fetches
            WHERE found_by = 'import' AND url_key IN (SELECT unnest($keys))""",
            parameters,
        ).fetchall()
    return Held(frozenset(key for (key,) in articles), frozenset((key, at.replace(tzinfo=UTC)) for key, at in imports))


def record_problems(data: Path, run_id: str, problems: Sequence[Problem]) -> None:
    """Keep what an import did not take, in place of what it had said before; the next publication shows it."""
    rows = [(run_id, p.source_file, p.source_line, p.url, p.outcome, p.reason) for p in problems[:MOST_PROBLEMS]]
    with writer(data) as connection, transaction(connection):
        connection.execute("DELETE FROM import_problems WHERE run_id = ?", [run_id])
        if rows:
            connection.executemany("INSERT INTO import_problems VALUES (?, ?, ?, ?, ?, ?)", rows)
