"""Migrations: numbered files, each applied once, in order; then the views, written anew whenever they change.

The same files make both kinds of store. DuckLake knows no compression by column, and comments on tables alone: `lake`
leaves those out.
"""

import hashlib
import re
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final

import duckdb

from storage.errors import NewerStoreError
from storage.statements import quoted, resource, transaction

#: Views whose columns mean what those of a table mean.
VIEWS_FROM: Final = {
    "articles": "article_versions",
    "article_history": "article_versions",
    "article_blocks": "article_versions",
    "withdrawals": "article_versions",
    "missed": "urls",
    "coverage": "urls",
    "gaps": "urls",
    "sources": "source_reads",
    "run_urls": "fetches",
    "run_outcomes": "fetches",
    "run_summary": "fetches",
    "removed_by_rule": "removed_blocks",
    "rights": "fetches",
    "story_articles": "article_versions",
    "rejections": "fetches",
    "provenance": "article_versions",
}
_COMPRESSION: Final = re.compile(r"\s+USING COMPRESSION \w+", re.IGNORECASE)
_COMMENT: Final = re.compile(
    r"(?:\s|--[^\n]*\n)*COMMENT\s+ON\s+(?:(?P<other>VIEW|MACRO)|COLUMN\s+(?P<relation>\w+)\.)", re.IGNORECASE
)
_VIEW: Final = re.compile(r"^\s*CREATE\s+OR\s+REPLACE\s+VIEW\s+(\w+)", re.IGNORECASE | re.MULTILINE)


def migrate(connection: duckdb.DuckDBPyConnection, place: object, *, lake: bool = False) -> None:
    """Bring the schema up to date: numbered migrations, each with its record in one transaction, then the views.

    Args:
        connection: stands in the store.
        place: where the store is, for the message.
        lake: the store is a lake.

    Raises:
        NewerStoreError: the store has a migration that this program does not.
    """
    connection.execute("""CREATE TABLE IF NOT EXISTS schema_migrations (
        number INTEGER, name VARCHAR, sha256 VARCHAR, applied_at TIMESTAMP)""")
    done = {number: (name, digest) for number, name, digest in _applied(connection)}
    known = migrations()
    newer = max(done, default=0)
    if newer > max(known):
        raise NewerStoreError(
            f"{place}: written by a newer version (its schema is at {newer}, {done[newer][0]}; this program knows "
            f"{max(known)}). Update nightdesk, or use another data folder."
        )
    fresh = sorted(known.keys() - done.keys())
    for number in fresh:
        _apply(connection, number, *known[number], lake=lake)
    views = resource("views.sql") + resource("analysis.sql")
    if fresh or done.get(0, ("", ""))[1] != _digest(views):  # a view of all columns does not see a new one
        _apply(connection, 0, "views", views, lake=lake)


def migrations() -> dict[int, tuple[str, str]]:
    """Return the migrations that this program knows: number → name and SQL. Number 0 stands for the views."""
    found = {}
    for file in files("storage").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            number, _, name = file.name.removesuffix(".sql").partition("_")
            found[int(number)] = (name, file.read_text(encoding="utf-8"))
    return found


def rendered(text: str) -> str:
    """Return a migration, or the views, as DuckLake takes it."""
    views = {name.lower() for name in _VIEW.findall(text)}
    kept = [statement.query for statement in duckdb.extract_statements(text)]
    return "\n".join(_COMPRESSION.sub("", query) + "\n;" for query in kept if not _comments_on(query, views))


def _comments_on(query: str, views: set[str]) -> bool:
    """Whether a statement comments on a macro, a view, or a column of one of these views."""
    found = _COMMENT.match(query)
    return found is not None and (found["other"] is not None or found["relation"].lower() in views)


def _applied(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    return connection.execute("SELECT number, name, sha256 FROM schema_migrations").fetchall()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _apply(connection: duckdb.DuckDBPyConnection, number: int, name: str, text: str, *, lake: bool) -> None:
    record = (number, name, _digest(text), datetime.now(UTC).replace(tzinfo=None))
    with transaction(connection):
        connection.execute(rendered(text) if lake else text)
        if number == 0 and not lake:
            _pass_on_comments(connection)
        connection.execute("DELETE FROM schema_migrations WHERE number = ?", [number])
        connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?, ?)", record)


def _pass_on_comments(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a view's columns that have no comment of their own those of the columns they come from."""
    bases = [{"view": view, "base": base} for view, base in VIEWS_FROM.items()]
    rows = connection.execute(
        """SELECT v.table_name, v.column_name, b.comment FROM (SELECT unnest($bases, recursive := true)) pair
        JOIN duckdb_columns() v ON v.table_name = pair.view AND v.comment IS NULL
        JOIN duckdb_columns() b ON b.table_name = pair.base AND b.column_name = v.column_name
        WHERE b.comment IS NOT NULL""",
        {"bases": bases},
    ).fetchall()
    for view, column, comment in rows:
        connection.execute(f'COMMENT ON COLUMN {view}."{column}" IS {quoted(comment)}')
