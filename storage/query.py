"""A person's queries against the published copy: read-only, no files, no network, bounded memory, interruptible.

`search('…')` in a query is the search index's answer, (url_key, score), a row an article; in the published file alone
it is a macro that reads every text. And the cookbook: queries/*.sql, each with the question that it answers as its
first line.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import duckdb

from storage.database import connect

#: Memory that a query may take, and the disk that it may fill beside the published copy when that is not enough.
MEMORY_LIMIT: Final = "2GB"
SPILL_LIMIT: Final = "4GB"
_BATCH: Final = 10_000
#: `search('words')` with the words in it; DuckDB has no table functions in Python, so they are answered beforehand.
_SEARCH: Final = re.compile(r"\bsearch\s*\(\s*'((?:[^']|'')*)'\s*\)", re.IGNORECASE)
_SEARCH_MACRO: Final = """CREATE TEMP TABLE IF NOT EXISTS asked_searches (asked VARCHAR);
CREATE TEMP TABLE IF NOT EXISTS found_articles (asked VARCHAR, url_key VARCHAR, score DOUBLE);
CREATE OR REPLACE TEMP MACRO search(query) AS TABLE SELECT url_key, score FROM found_articles WHERE asked = (
    SELECT CASE WHEN count(*) > 0 THEN any_value(asked)
        ELSE error('search() takes its words between single quotes: search(''ferry -strike'')') END
    FROM asked_searches WHERE asked = query)"""

T = TypeVar("T")


class QueryError(ValueError):
    """Raised for a query that DuckDB refuses or cannot finish; the message is DuckDB's own."""


@dataclass(frozen=True, slots=True)
class Result:
    """A query's answer: names and DuckDB types of its columns, and its rows as they come (times UTC).

    The rows end with the next query. Iterating them raises as `Session.ask` does.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A query of the cookbook: its name (that of its file), the question it answers, and its SQL."""

    name: str
    question: str
    sql: str


class Session:
    """The published copy as it is now, open for queries; later publications are not seen.

    Raises:
        NotPublishedError: nothing has been published yet in the data folder.
    """

    def __init__(self, data: Path, *, memory_limit: str = MEMORY_LIMIT, spill_limit: str = SPILL_LIMIT) -> None:
        self._connection = connect(data, memory_limit=memory_limit, spill_limit=spill_limit)
        self._data = data
        self._searches: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, sql: str) -> Result:
        """Run one or more statements and return the answer of the last.

        Raises:
            QueryError: DuckDB's own message, or what is wrong with the words of a `search('…')`.
            KeyboardInterrupt: Ctrl-C came while it ran; the session can go on.
        """
        self._answer_searches(sql)
        # Of no statement at all DuckDB makes no cursor, whatever its stubs say.
        cursor: duckdb.DuckDBPyConnection | None = self._patiently(lambda: self._connection.execute(sql))
        if cursor is None:
            return Result((), (), iter(()))
        description = cursor.description or []
        columns = tuple(column[0] for column in description)
        return Result(columns, tuple(str(column[1]) for column in description), self._rows(cursor))

    def interrupt(self) -> None:
        """Stop the running query, which raises QueryError there. For another thread's use."""
        self._connection.interrupt()

    def _answer_searches(self, sql: str) -> None:
        wanted = {words.replace("''", "'") for words in _SEARCH.findall(sql)} - self._searches
        if not wanted:
            return
        from storage.search import SearchError, matches  # noqa: PLC0415 -- tantivy is for who searches

        if not self._searches:
            self._connection.execute(_SEARCH_MACRO)
        for words in sorted(wanted):
            try:
                found = matches(self._data, words)
            except SearchError as error:
                raise QueryError(str(error)) from error
            self._connection.execute("INSERT INTO asked_searches VALUES (?)", [words])
            self._connection.execute(
                "INSERT INTO found_articles SELECT ?, unnest(?::VARCHAR[]), unnest(?::DOUBLE[])",
                [words, [key for key, _ in found], [score for _, score in found]],
            )
            self._searches.add(words)

    def _rows(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
        while batch := self._patiently(lambda: cursor.fetchmany(_BATCH)):
            yield from batch

    def _patiently(self, work: Callable[[], T]) -> T:
        """Run DuckDB's work in a thread, because in the main thread some queries never look whether Ctrl-C was hit."""
        done: list[T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                done.append(work())
            except BaseException as error:  # noqa: BLE001 -- raised again by the thread that waits
                failed.append(error)

        thread = Thread(target=run, daemon=True)
        thread.start()
        try:
            thread.join()
        except KeyboardInterrupt:
            self._connection.interrupt()
            thread.join()  # a second Ctrl-C leaves it behind
            raise
        if not failed:
            return done[0]
        if isinstance(failed[0], duckdb.Error | UnicodeError):
            raise QueryError(str(failed[0])) from failed[0]
        raise failed[0]


def cookbook() -> list[Recipe]:
    """Return the queries of the cookbook, in order of name."""
    found = [
        (file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        for file in files("storage").joinpath("queries").iterdir()
        if file.name.endswith(".sql")
    ]
    return [Recipe(name, text.splitlines()[0].removeprefix("-- ").strip(), text) for name, text in sorted(found)]
