# ruff: noqa: T201 - a prompt speaks by printing
"""`nightdesk sql`: a query's answer as a table, JSON or CSV, and the prompt that takes one query after the other."""

import contextlib
import csv
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TextIO

from flows.plain import plain
from storage.query import QueryError, Result, Session

Form = Literal["table", "json", "csv"]

ROWS_SHOWN = 200  # of a table: more is for --csv and --json, which have no limit
CELL_CHARS = 300
FILE_COLUMNS = 4000  # a table that goes to a file or a pipe is as wide as its cells ask for, up to this
#: What a spreadsheet takes for a formula at the start of a cell (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r")

HELP = """\
SQL over the published store, each query ended by a semicolon. .tables lists the tables, .schema TABLE its columns with
their meaning, .queries the cookbook, .q NAME asks one of it, .quit or Ctrl-D leaves, Ctrl-C stops a query."""

TABLES = """SELECT table_name AS name, comment FROM duckdb_tables() UNION ALL
SELECT view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY name"""
COLUMNS = """SELECT column_name AS name, data_type AS type, comment FROM duckdb_columns() WHERE table_name = '{}'
ORDER BY column_index"""


def show(result: Result, form: Form, out: TextIO) -> None:
    """Write an answer. Text in it is data: no control character reaches a terminal, no formula a spreadsheet."""
    if form == "json":
        _json(result, out)
    elif form == "csv":
        _csv(result, out)
    else:
        _table(result, out)


def _json(result: Result, out: TextIO) -> None:
    out.write("[")
    for number, row in enumerate(result.rows):
        line = json.dumps(dict(zip(result.columns, row, strict=True)), ensure_ascii=False, default=str)
        out.write(f"{',' if number else ''}\n{line}")
    out.write("\n]\n")


def _csv(result: Result, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(result.columns)
    for row in result.rows:
        writer.writerow([_csv_cell(value) for value in row])


def _csv_cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def _table(result: Result, out: TextIO) -> None:
    from rich import box  # noqa: PLC0415 - 0.15 s that JSON and CSV do not need
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if not result.columns:
        return
    numbers = {"BIGINT", "INTEGER", "DOUBLE", "HUGEINT", "SMALLINT", "UBIGINT", "FLOAT", "NUMBER"}
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name, kind in zip(result.columns, result.types, strict=True):
        is_number = kind.upper() in numbers or kind.upper().startswith("DECIMAL")
        table.add_column(Text(plain(name)), justify="right" if is_number else "left", overflow="fold")
    shown = 0
    for row in islice(result.rows, ROWS_SHOWN):
        table.add_row(*(Text(_cell(value)) for value in row))
        shown += 1
    console = Console(file=out, highlight=False, width=None if out.isatty() else FILE_COLUMNS)
    console.print(table)
    more = next(result.rows, None) is not None
    console.print(Text(f"the first {shown} rows; --csv or --json give all" if more else _rows(shown), style="dim"))


def _rows(number: int) -> str:
    return f"{number} row{'' if number == 1 else 's'}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"
    if isinstance(value, list):
        return plain(", ".join(map(str, value)), CELL_CHARS)
    return plain(str(value), CELL_CHARS)


def interactive(data: Path, form: Form, history: Path) -> None:
    """Ask for queries until the input ends; a mistake is told and the next query asked for."""
    with _remembered(history), Session(data) as session:
        print(HELP)
        for text in _statements():
            try:
                sql = _command(text) if text.startswith(".") else text
                if sql:
                    show(session.ask(sql), form, sys.stdout)
            except QueryError as error:
                print(error, file=sys.stderr)
            except KeyboardInterrupt:
                print("stopped", file=sys.stderr)


def _statements() -> Iterator[str]:
    """Yield what was typed: a dot command is one line, a query ends with a semicolon."""
    lines: list[str] = []
    while True:
        try:
            line = input("      ...> " if lines else "nightdesk> ")
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            lines = []
            continue
        if not lines and line.strip() in {".quit", ".exit", "quit", "exit"}:
            return
        if not lines and line.startswith("."):
            yield line.strip()
        elif lines or line.strip():
            lines.append(line)
            if line.rstrip().endswith(";"):
                yield "\n".join(lines)
                lines = []


def _command(text: str) -> str | None:
    """Return the SQL of a dot command; None if it has said what it has to say."""
    from storage.query import cookbook  # noqa: PLC0415

    name, _, argument = text.partition(" ")
    recipes = {recipe.name: recipe for recipe in cookbook()}
    if name == ".tables":
        return TABLES
    if name == ".schema":
        return COLUMNS.format(argument.strip().replace("'", "''"))
    if name == ".q" and argument.strip() in recipes:
        return recipes[argument.strip()].sql
    if name in {".q", ".queries"}:
        print("\n".join(f"{recipe.name}: {recipe.question}" for recipe in recipes.values()))
        return None
    print(HELP)
    return None


@contextlib.contextmanager
def _remembered(history: Path) -> Iterator[None]:
    """Keep the lines that are typed for the next time, where the system has readline."""
    try:
        import readline  # noqa: PLC0415
    except ImportError:
        yield
        return
    with contextlib.suppress(OSError):
        readline.read_history_file(history)
    readline.set_history_length(1000)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            readline.write_history_file(history)


def as_dicts(result: Result, most: int) -> list[dict[str, Any]]:
    """Return the first rows of an answer by column name."""
    return [dict(zip(result.columns, row, strict=True)) for row in islice(result.rows, most)]
