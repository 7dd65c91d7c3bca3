"""The doors to what is published that need no program of ours: the DuckDB CLI, Python, a BI tool's connection."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy

from storage.database import PUBLISHED

DUCKDB = Path(sys.executable).with_name("duckdb")  # of the wheel duckdb-cli, of the same version as the library
Answer = list[dict[str, Any]]


def by_cli(data: Path, query: str) -> Answer:
    """Ask the DuckDB command line."""
    command = [DUCKDB, "-readonly", "-json", data / PUBLISHED, query]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def by_python(data: Path, query: str) -> Answer:
    """Ask DuckDB's own module."""
    with duckdb.connect(data / PUBLISHED, read_only=True) as store:
        cursor = store.execute(query)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def by_sqlalchemy(data: Path, query: str) -> Answer:
    """Ask as a BI tool does, through a connection string."""
    engine = sqlalchemy.create_engine(f"duckdb:///{data / PUBLISHED}?access_mode=read_only")
    try:
        with engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(sqlalchemy.text(query))]
    finally:
        engine.dispose()
