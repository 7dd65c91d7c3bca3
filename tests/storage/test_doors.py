"""The same questions have the same answers by every door: the DuckDB CLI, Python, `nightdesk sql`, a BI tool's connection."""

import json
import subprocess
from pathlib import Path

import pytest

from storage.database import PUBLISHED
from storage.query import cookbook
from tests.doors import DUCKDB, by_cli, by_python, by_sqlalchemy

QUESTIONS = {
    "volume": "SELECT site, count(*) AS articles, sum(characters)::BIGINT AS characters FROM articles GROUP BY site ORDER BY site",
    "changed": """SELECT headline, version, characters_more FROM article_history
        ORDER BY url, version""",
    "missed": "SELECT outcome, count(*) AS urls FROM missed GROUP BY outcome ORDER BY outcome",
    "removed": "SELECT kind, rule, sum(blocks)::BIGINT AS blocks FROM removed_by_rule GROUP BY ALL ORDER BY ALL",
    "before": "SELECT headline, version FROM article_as_of(TIMESTAMP '2026-11-20 12:00:00') ORDER BY url",
}


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
    script = "\n".join(f"{recipe.sql.rstrip().rstrip(';')};" for recipe in cookbook())
    command = [DUCKDB, "-readonly", "-bail", two_nights / PUBLISHED]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_door_for_readers_can_write(two_nights: Path) -> None:
    """A read-only connection refuses changes by each program."""
    for ask in (by_python, by_sqlalchemy):
        with pytest.raises(Exception, match="read-only"):
            ask(two_nights, "DELETE FROM urls")
    with pytest.raises(subprocess.CalledProcessError):
        by_cli(two_nights, "DELETE FROM urls")
