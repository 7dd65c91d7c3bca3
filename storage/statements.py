"""SQL of ours and how it is run: texts from the package, values as literals, a block as one transaction."""

import contextlib
from collections.abc import Iterator
from importlib.resources import files

import duckdb


@contextlib.contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what the block did, or roll all of it back."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:  # Ctrl-C too rolls back
        with contextlib.suppress(duckdb.Error):  # an error can have ended the transaction already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def sql(name: str) -> str:
    """Return the text of `sql/<name>.sql`."""
    return resource("sql", f"{name}.sql")


def resource(*names: str) -> str:
    """Return the text of a file of this package."""
    return files("storage").joinpath(*names).read_text(encoding="utf-8")


def quoted(value: object) -> str:
    """Return a path or text as a literal of SQL, for statements that take no parameters."""
    return "'" + str(value).replace("'", "''") + "'"
