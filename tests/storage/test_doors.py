"""The same questions have the same answers by every door: the DuckDB CLI, Python, `nightdesk sql`, a BI tool's connection."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy

from storage.database import PUBLISHED
from storage.query import cookbook

QUESTIONS = {
    "volume": "SELECT site, count(*) AS articles, sum(characters)::BIGINT AS characters FROM articles GROUP BY site ORDER BY site",
    "changed": """SELECT headline, version, characters_more FROM article_history
        ORDER BY url, version""",
    "missed": "SELECT outcome, count(*) AS urls FROM missed GROUP BY outcome ORDER BY outcome",
    "removed": "SELECT kind, rule, sum(blocks)::BIGINT AS blocks FROM removed_by_rule GROUP BY ALL ORDER BY ALL",
    "before": "SELECT headline, version FROM article_as_of(TIMESTAMP '2026-11-20 12:00:00') ORDER BY url",
}


def by_cli(data: Path, query: str) -> list[dict[str, Any]]:
    program = Path(sys.executable).with_name("duckdb")  # of the wheel duckdb-cli, of the same version as the library
    command = [program, "-readonly", "-json", data / PUBLISHED, query]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def by_python(data: Path, query: str) -> list[dict[str, Any]]:
    with duckdb.connect(data / PUBLISHED, read_only=True) as store:
        cursor = store.execute(query)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def by_sqlalchemy(data: Path, query: str) -> list[dict[str, Any]]:
    engine = sqlalchemy.create_engine(f"duckdb:///{data / PUBLISHED}?access_mode=read_only")
    try:
        with engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(sqlalchemy.text(query))]
    finally:
        engine.dispose()


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_door_gives_the_same_answer(two_nights: Path, nightdesk, question: str) -> None:
    """Names, order and values of the rows are equal, and there are some."""
    query = QUESTIONS[question]
    answer = by_python(two_nights, query)
    assert answer
    assert json.loads(nightdesk("sql", "--json", query, data=two_nights).stdout) == answer
    assert by_cli(two_nights, query) == answer
    assert by_sqlalchemy(two_nights, query) == answer


def test_every_recipe_runs_in_the_duckdb_cli(two_nights: Path) -> None:
    """The cookbook is plain SQL: the CLI runs each file of it on the published copy, in one process."""
    program = Path(sys.executable).with_name("duckdb")
    script = "\n".join(f"{recipe.sql.rstrip().rstrip(';')};" for recipe in cookbook())
    command = [program, "-readonly", "-bail", two_nights / PUBLISHED]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_door_for_readers_can_write(two_nights: Path) -> None:
    """A read-only connection refuses changes by each program."""
    for ask in (by_python, by_sqlalchemy):
        with pytest.raises(Exception, match="read-only"):
            ask(two_nights, "DELETE FROM urls")
    with pytest.raises(subprocess.CalledProcessError):
        by_cli(two_nights, "DELETE FROM urls")
