"""Queries: an analyst gets answers, and nothing else of the machine."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from extraction.records import OPEN_OUTCOMES, Metadata, Outcome
from storage.database import PUBLISHED, NotPublishedError
from storage.load import load
from storage.query import QueryError, Session, cookbook
from storage.runs import Run, SiteRow, record_run
from tests.storage.made import article, at, extraction, folder, outcome, page


def test_an_answer_has_names_types_and_rows(newsdesk: Path) -> None:
    """Columns come with their names and DuckDB's types, times in UTC."""
    with Session(newsdesk) as session:
        answer = session.ask("SELECT headline, valid_from, version FROM articles ORDER BY url")
        assert answer.columns == ("headline", "valid_from", "version")
        assert answer.types == ("VARCHAR", "TIMESTAMP", "INTEGER")
        assert list(answer.rows) == [
            ("Ferry sails", datetime(2026, 11, 21, 4, 31), 2),  # noqa: DTZ001 -- the store's times are UTC without a zone
            ("Pier", datetime(2026, 11, 20, 4, 32), 1),  # noqa: DTZ001
        ]
        assert list(session.ask("SELECT strftime(now(), '%Z')").rows) == [("UTC",)]


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT * FROM nothing", "Table with name nothing does not exist"),
        ("SELECT headlin FROM articles", "headline"),
        ("DELETE FROM articles", "Can only delete from base table"),
        ("DELETE FROM urls", "read-only"),
        ("INSERT INTO load_lock VALUES (1)", "read-only"),
        ("DROP TABLE urls", "read-only"),
        ("SELECT * FROM read_text('/etc/passwd')", "file system operations are disabled"),
        ("SELECT * FROM '/etc/passwd'", "does not exist"),
        ("COPY urls TO 'stolen.csv'", "file system operations are disabled"),
        ("ATTACH 'other.duckdb'", "file system operations are disabled"),
        ("SET enable_external_access = true", "configuration has been locked"),
        ("SET memory_limit = '100GB'", "configuration has been locked"),
        ("INSTALL httpfs", "disabled"),
        ("SELECT list(a.range) FROM range(1000000000) a", "Out of Memory"),
    ],
)
def test_a_query_that_may_not_or_cannot_ends_with_the_databases_words(newsdesk: Path, sql: str, says: str) -> None:
    """Errors, writes, files, settings and hunger for memory end in QueryError with DuckDB's message; the session goes on."""
    with Session(newsdesk, memory_limit="200MB", spill_limit="10MB") as session:
        with pytest.raises(QueryError, match=says):
            list(session.ask(sql).rows)
        assert list(session.ask("SELECT count(*) FROM articles").rows) == [(2,)]


@pytest.mark.parametrize("sql", ["", " \n", ";", "-- nothing"])
def test_no_query_has_no_answer(newsdesk: Path, sql: str) -> None:
    """Nothing asked, as by `nightdesk sql` with an empty input, is no error and has no rows."""
    with Session(newsdesk) as session:
        answer = session.ask(sql)
        assert (answer.columns, answer.types, list(answer.rows)) == ((), (), [])


def test_a_table_name_never_means_a_variable_of_the_program(newsdesk: Path) -> None:
    """DuckDB's habit of reading Python variables is off."""
    secret = {"a": [1]}
    with Session(newsdesk) as session, pytest.raises(QueryError, match="secret does not exist"):
        session.ask("SELECT * FROM secret")
    assert secret


def test_a_query_can_be_interrupted_from_another_thread(newsdesk: Path) -> None:
    """`interrupt` ends an endless query within seconds."""
    with Session(newsdesk) as session:
        timer = threading.Timer(0.5, session.interrupt)
        timer.start()
        began = time.monotonic()
        with pytest.raises((QueryError, KeyboardInterrupt)):
            list(
                session.ask("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t").rows
            )
        assert time.monotonic() - began < 10
        timer.join()


def test_control_c_ends_the_query_and_not_the_session(newsdesk: Path) -> None:
    """SIGINT during a query raises KeyboardInterrupt there, and the next query is answered."""
    program = f"""
import signal
from pathlib import Path
from storage.query import Session
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background jobs with it ignored
with Session(Path({str(newsdesk)!r})) as session:
    try:
        print("running", flush=True)
        list(session.ask("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t").rows)
    except KeyboardInterrupt:
        print(list(session.ask("SELECT 42").rows))
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "running\n"
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert out == "[(42,)]\n"
    assert process.returncode == 0


@pytest.mark.files
def test_before_the_first_publication_one_is_told_so(tmp_path: Path) -> None:
    """Without a published copy the error names the file and what to do."""
    with pytest.raises(NotPublishedError, match=r"published\.duckdb is not there: nothing has been published yet"):
        Session(tmp_path)


def test_each_recipe_asks_a_question_and_answers_it(newsdesk: Path) -> None:
    """Every query of the cookbook starts with its question and runs on a store."""
    recipes = cookbook()
    assert {"volume", "overnight", "edited", "missed", "coverage"} <= {recipe.name for recipe in recipes}
    with Session(newsdesk) as session:
        for recipe in recipes:
            assert recipe.question.endswith("?"), recipe.name
            assert session.ask(recipe.sql).columns, recipe.name


ANSWERS = {
    "volume": [(datetime(2026, 11, 20).date(), "harbour", 2, 31)],  # noqa: DTZ001
    "missed": [("harbour", "gone", "not_given", 1)],
    "coverage": [("harbour", 5, 1, 2, 1, 1, 25.0)],
    "boilerplate": [("related", "related-heading", 3, 1, "Newer articles")],
    "rights": [("harbour", '{"Content-Signal":"ai-train=no"}', 2, datetime(2026, 11, 21, 4, 31))],  # noqa: DTZ001
}


def test_the_store_knows_every_outcome(newsdesk: Path) -> None:
    """The view `outcomes` holds each word of the vocabulary once, open where the next crawl tries again."""
    with Session(newsdesk) as session:
        rows = list(session.ask("SELECT outcome, open FROM outcomes").rows)
    assert dict(rows) == {str(word): word in OPEN_OUTCOMES for word in Outcome}
    assert len(rows) == len(Outcome)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_recipe_answers_right(newsdesk: Path, name: str) -> None:
    """The answer of a recipe over a store that is known by heart."""
    [recipe] = [recipe for recipe in cookbook() if recipe.name == name]
    with Session(newsdesk) as session:
        assert list(session.ask(recipe.sql).rows) == ANSWERS[name]


def test_recipes_name_the_articles_they_are_about(newsdesk: Path) -> None:
    """What changed overnight, what was edited, what its site deleted, which source fell silent."""
    sql = {recipe.name: recipe.sql for recipe in cookbook()}
    with Session(newsdesk) as session:
        assert [row[1:4] for row in session.ask(sql["overnight"]).rows] == [("changed", 2, "Ferry sails")]
        assert [row[:3] for row in session.ask(sql["edited"]).rows] == [(1, "harbour", "Ferry sails")]
        assert [(row[1], row[3], row[5]) for row in session.ask(sql["withdrawn"]).rows] == [
            ("Pier", at(1442).replace(tzinfo=None), at(2).replace(tzinfo=None))
        ]
        assert [(row[1], row[2], row[4]) for row in session.ask(sql["as_of"]).rows] == [
            ("Ferry", 1, at(1441).replace(tzinfo=None))
        ]
        assert [(row[1], row[5], row[6]) for row in session.ask(sql["sources"]).rows] == [
            ("https://harbour.example/feed", 0, 1.5)
        ]


def test_coverage_counts_by_the_days_of_the_site(newsdesk: Path) -> None:
    """Each URL counts on one day, of the site's own time zone, and days between without an article are gaps."""
    url = "https://harbour.example/2026/three-days-later"
    published = at(3 * 1440 + 700)  # 16:10 UTC on the 23rd, which is the 24th in Tokyo
    late = article(url, metadata=Metadata(headline="Late", date_published=published))
    load(newsdesk, [folder(newsdesk, [(page(url, 5000), extraction(late))], run="run-3")])
    site = SiteRow(
        site="harbour", title="", url="", country="jp", languages=("en",), time_zone="Asia/Tokyo", enabled=True
    )
    run = Run(run_id="run-3", kind="nightly", state="finished", started_at=at(5000))
    record_run(newsdesk, run, [site], publish=True)
    with Session(newsdesk) as session:
        rows = list(
            session.ask(
                "SELECT day::VARCHAR, discovered, in_store, not_article, open, not_to_be_had FROM coverage ORDER BY 1"
            ).rows
        )
        assert rows == [("2026-11-20", 5, 1, 1, 2, 1), ("2026-11-24", 1, 1, 0, 0, 0)]
        gaps = list(session.ask("SELECT day::VARCHAR, discovered, missing, usually_in_store FROM gaps ORDER BY 1").rows)
        assert gaps == [("2026-11-20", 5, 2, 1.0), *((f"2026-11-{day}", 0, 0, 1.0) for day in (21, 22, 23))]


@pytest.mark.parametrize(
    ("rights", "robots", "may"),
    [
        ("NULL", "[]", None),
        ("""'{"content_signal":"search=yes, ai-train=no"}'""", "[]", False),
        ("""'{"content_signal":"search=yes,ai-train=yes"}'""", "[]", True),
        ("""'{"content_signal":"search=yes"}'""", "[]", None),
        ("""'{"tdm_reservation":"1"}'""", "[]", False),
        ("""'{"tdm_reservation":"0"}'""", "[]", True),
        ("""'{"x_robots_tag":"max-snippet:5, noai"}'""", "[]", False),
        ("""'{"content_signal":"ai-train=yes"}'""", "['noai']", False),
        ("""'{"licence":"https://example.org/rsl.xml"}'""", "NULL", False),
        ("""'{"licence":"L","licence_train":"unread"}'""", "[]", False),
        ("""'{"licence":"L","licence_train":"training","licence_search":"yes"}'""", "[]", False),
        ("""'{"licence":"L","licence_train":"yes"}'""", "[]", True),
        ("""'{"licence":"L","licence_train":"yes","robots_meta":"noai"}'""", "[]", False),
        ("""'{"robots_meta":"noarchive"}'""", "[]", None),
    ],
)
def test_a_reservation_outweighs_a_permission(newsdesk: Path, rights: str, robots: str, may: bool | None) -> None:
    """`may_train` is false if any of the site's words reserve training, true if one allows it, else null."""
    with Session(newsdesk) as session:
        assert list(session.ask(f"SELECT may_train({rights}, {robots})").rows) == [(may,)]


@pytest.mark.parametrize(
    ("rights", "may"),
    [
        ('{"content_signal":"search=no"}', False),
        ('{"content_signal":"search=yes, ai-train=no"}', True),
        ('{"licence":"L","licence_search":"crawl","content_signal":"search=yes"}', False),
        ('{"licence":"L","licence_search":"yes"}', True),
        ('{"licence":"L","licence_train":"unread"}', None),
        ('{"robots_meta":"none"}', False),
    ],
)
def test_search_is_told_apart_from_training(newsdesk: Path, rights: str, may: bool | None) -> None:
    """`may_search` goes by the words on search alone."""
    with Session(newsdesk) as session:
        assert list(session.ask(f"SELECT may_search('{rights}', [])").rows) == [(may,)]


def test_rights_stand_with_each_fetch(newsdesk: Path) -> None:
    """The view `rights` has the words of each fetch by name; nothing of fetches whose site said nothing."""
    page_of = "https://harbour.example/2026/terms"
    said = {
        "tdm_reservation": "1",
        "x_robots_tag": "noai",
        "robots_meta": "noarchive",
        "licence": "L",
        "licence_search": "yes",
    }
    entry = outcome(page_of, 6000, "licence_required", rights=said)
    load(newsdesk, [folder(newsdesk, [entry], run="run-4")], publish=True)
    with Session(newsdesk) as session:
        query = (
            "SELECT tdm_reservation, robots, licence, may_train, may_search, outcome FROM rights WHERE run_id = 'run-4'"
        )
        assert list(session.ask(query).rows) == [("1", "noai, noarchive", "L", False, True, "licence_required")]


@pytest.mark.parametrize(
    ("entries", "usual", "readings", "said"),
    [
        (0, 30, 3, "names nothing, where it usually names 30 URLs"),
        (300, 30, 3, "names 300 URLs, where it usually names 30"),
        (299, 30, 3, None),
        (1, 30, 3, None),
        (0, 30, 2, None),
        (0, 4, 9, None),
    ],
)
def test_a_sudden_change_of_a_source_is_told(
    newsdesk: Path, entries: int, usual: int, readings: int, said: str | None
) -> None:
    """Nothing, or ten times as much as ever, after three readings that knew better."""
    with Session(newsdesk) as session:
        assert list(session.ask(f"SELECT sudden_change({entries}, {usual}.0, {readings})").rows) == [(said,)]


@pytest.mark.files
def test_views_and_macros_work_wherever_the_file_is_attached(newsdesk: Path) -> None:
    """A person who attaches the published copy beside other databases can ask all of its views."""
    with duckdb.connect() as mine:
        mine.execute(f"ATTACH '{newsdesk / PUBLISHED}' AS news (READ_ONLY)")
        names = [
            row[0]
            for row in mine.execute(
                "SELECT view_name FROM duckdb_views() WHERE database_name = 'news' AND NOT internal"
            ).fetchall()
        ]
        assert len(names) > 10
        for name in names:
            mine.execute(f"SELECT * FROM news.{name}").fetchall()
        mine.execute("USE news")  # a table macro looks for its tables where the asker stands
        assert mine.execute("SELECT count(*) FROM article_as_of(TIMESTAMP '2026-11-22')").fetchone() == (2,)


def test_docs_queries_lists_the_cookbook() -> None:
    """docs/queries.md names every recipe with its question, and no other."""
    page = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
    table = page.split("| name | question |\n|---|---|\n")[1]
    assert table.splitlines() == [f"| {recipe.name} | {recipe.question} |" for recipe in cookbook()]


def test_a_search_is_a_relation(newsdesk: Path) -> None:
    """`search('…')` in a query joins with the articles, several times, quotes and all."""
    with Session(newsdesk) as session:
        joined = "SELECT headline FROM search('sailing') JOIN articles USING (url_key)"
        assert list(session.ask(joined).rows) == [("Ferry sails",)]
        both = (
            "SELECT count(*) FROM articles WHERE url_key IN (SELECT url_key FROM search ( 'pier OR \"ferry sails\"' ))"
        )
        assert list(session.ask(both).rows) == [(2,)]
        assert list(session.ask("SELECT * FROM SEARCH('nobody''s')").rows) == []
        assert list(session.ask(joined).rows) == [("Ferry sails",)]


def test_words_that_make_no_sense_are_explained_in_sql_too(newsdesk: Path) -> None:
    """The error of a bad search is the search's own, and the session goes on."""
    with Session(newsdesk) as session:
        with pytest.raises(QueryError, match="One can write words"):
            session.ask("SELECT * FROM search('AND (')")
        assert len(list(session.ask("FROM search('ferry')").rows)) == 1
        with pytest.raises(QueryError, match="between single quotes"):
            list(session.ask("SELECT * FROM search(chr(102))").rows)


@pytest.mark.files
def test_the_published_file_alone_searches_by_reading(newsdesk: Path) -> None:
    """Without the index the macro of that name finds articles that hold all the words, as they stand."""
    with duckdb.connect(newsdesk / PUBLISHED, read_only=True) as file:
        assert file.execute("SELECT headline FROM search('ferry sail') JOIN articles USING (url_key)").fetchall() == [
            ("Ferry sails",)
        ]
        assert file.execute("SELECT count(*) FROM search('ferry zebra')").fetchone() == (0,)
