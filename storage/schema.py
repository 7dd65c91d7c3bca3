"""The schema as a page: every table, view and column with its meaning, read from the comments in the store itself.

`python -m storage.schema > docs/schema.md` writes the page; a test holds the page to the schema.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from storage.database import open_store

_INTRODUCTION = """\
# The schema

Generated from the comments in the store (`python -m storage.schema`), so `SELECT comment FROM duckdb_columns()` says
the same. Every `TIMESTAMP` is in UTC. Tables are plain: no keys or indexes; the loader keeps keys unique. Query the
views where there is one: `articles` rather than `article_versions`, `missed` rather than `urls`.
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view with its meaning; `columns` are name, type and meaning."""

    name: str
    kind: str
    meaning: str
    columns: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Macro:
    """A function of ours: its name, parameters and meaning."""

    name: str
    parameters: tuple[str, ...]
    meaning: str


def relations(connection: duckdb.DuckDBPyConnection) -> list[Relation]:
    """Return the tables and views of a store, views first."""
    rows = connection.execute("""
        WITH parts AS (
            SELECT table_oid AS oid, 'table' AS kind, comment FROM duckdb_tables() WHERE NOT internal AND NOT temporary
            UNION ALL SELECT view_oid, 'view', comment FROM duckdb_views() WHERE NOT internal AND NOT temporary
        )
        SELECT c.table_name, p.kind, p.comment, c.column_name, c.data_type, c.comment
        FROM duckdb_columns() c JOIN parts p ON p.oid = c.table_oid
        WHERE c.table_name <> 'schema_migrations'
        ORDER BY p.kind DESC, c.table_name, c.column_index""").fetchall()
    found: dict[str, Relation] = {}
    for name, kind, meaning, column, data_type, comment in rows:
        before = found[name].columns if name in found else ()
        found[name] = Relation(name, kind, meaning or "", (*before, (column, data_type, comment or "")))
    return list(found.values())


def macros(connection: duckdb.DuckDBPyConnection) -> list[Macro]:
    """Return the macros of a store."""
    rows = connection.execute("""SELECT function_name, parameters, comment FROM duckdb_functions()
        WHERE NOT internal AND function_type IN ('macro', 'table_macro') ORDER BY 1""").fetchall()
    return [Macro(name, tuple(parameters), comment or "") for name, parameters, comment in rows]


def page(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the whole schema as Markdown."""
    parts = [_INTRODUCTION]
    known = relations(connection)
    for kind, title in (("view", "Views"), ("table", "Tables")):
        parts.append(f"## {title}\n")
        for relation in (relation for relation in known if relation.kind == kind):
            parts.append(f"### {relation.name}\n\n{relation.meaning}\n\n| column | type | meaning |\n|---|---|---|")
            parts += [
                f"| `{name}` | {_cell(data_type)} | {_cell(text)} |" for name, data_type, text in relation.columns
            ]
            parts.append("")
    parts.append("## Macros\n")
    parts += [f"- `{macro.name}({', '.join(macro.parameters)})`: {macro.meaning}" for macro in macros(connection)]
    return "\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def current() -> str:
    """Return the page of the schema that this program makes."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "schema.duckdb") as connection:
        return page(connection)


if __name__ == "__main__":
    print(current(), end="")  # noqa: T201 -- this is its output
