"""The demo from end to end: the command, Prefect, the spider, the workers and the store, against what was published."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from newsroom.truth import Truth, expected
from tests.conftest import DEMO_DAY
from tests.doors import Answer, by_cli, by_python, by_sqlalchemy

pytestmark = pytest.mark.prefect


def rows(data: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(data / "store" / "published.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def truth(data: Path, edition: int) -> Truth:
    room = json.loads((data / "newsroom.json").read_text(encoding="utf-8"))
    edited = datetime.fromisoformat(room["edited_at"]) if edition > 1 else None
    return expected(date.fromisoformat(room["anchor"]), edition, room["port"], started=edited)


def asked(data: Path) -> Counter[str]:
    entries = [json.loads(line) for line in (data / "newsroom.log").read_text(encoding="utf-8").splitlines()]
    return Counter(f"http://{entry['host']}{entry['path']}" for entry in entries)


@pytest.fixture(scope="module")
def second(demo_data: Path, tmp_path_factory: pytest.TempPathFactory, nightdesk: Callable[..., object]) -> Path:
    """The demo's folder after a second run."""
    data = tmp_path_factory.mktemp("second") / "demo-data"
    shutil.copytree(demo_data, data)
    nightdesk("demo", "--data", str(data), data=data, cwd=data.parent)
    return data


def test_the_store_holds_the_articles_that_were_published(demo_data: Path) -> None:
    """Exactly those: each with its headline, authors and date."""
    held = {
        url: (headline, tuple(authors), published.replace(tzinfo=UTC))
        for url, headline, authors, published in rows(
            demo_data, "select url, headline, authors, date_published from articles"
        )
    }
    assert held == {a.url: (a.headline, a.authors, a.date_published) for a in truth(demo_data, 1).articles}


def test_each_body_is_whole_and_clean(demo_data: Path) -> None:
    """Each article's text is its paragraphs, with or without the lead that its page shows; no planted line is in it."""
    bodies = dict(rows(demo_data, "select url, article_body from articles"))
    for article in truth(demo_data, 1).articles:
        body, text = bodies[article.url], "\n\n".join(article.paragraphs)
        assert body in {text, f"{article.lead}\n\n{text}"}, article.url
        assert [line for _, line in article.planted if line in body] == [], article.url


def test_every_other_url_ended_as_its_writers_meant(demo_data: Path) -> None:
    """Stubs, galleries, dead links, refused ones: each has its outcome, and nothing else is in the ledger."""
    told = truth(demo_data, 1)
    articles = {article.url for article in told.articles}
    ledger = dict(rows(demo_data, "select url, outcome from urls"))
    assert {url: word for url, word in ledger.items() if url in told.outcomes} == told.outcomes
    assert {ledger[url] for url in articles} == {"loaded"}
    assert {word for url, word in ledger.items() if url not in articles and url not in told.outcomes} <= {"duplicate"}


def test_the_second_run_fetches_nothing_twice(demo_data: Path, second: Path) -> None:
    """By the newsroom's own log: of all articles only the edited one is asked for again."""
    before, after = asked(demo_data), asked(second)
    again = {a.url for a in truth(second, 2).articles if before[a.url] and after[a.url] > before[a.url]}
    edited = {url for (url,) in rows(second, "select url from articles where version = 2")}
    assert again == edited
    assert len(edited) == 1


def test_the_second_run_keeps_both_versions(second: Path) -> None:
    """The edited article has its new text as version 2 and the old one as version 1; the new articles are there."""
    told = {article.url: article for article in truth(second, 2).articles}
    versions = rows(
        second,
        "select url, version, article_body from article_versions where url in"
        " (select url from articles where version = 2) order by version",
    )
    assert [version for _, version, _ in versions] == [1, 2]
    url, _, now = versions[1]
    assert now != versions[0][2]
    assert told[url].paragraphs[-1] in now
    assert {url for (url,) in rows(second, "select url from articles")} == set(told)


def test_the_runs_are_recorded(second: Path) -> None:
    """Both runs stand in the store as finished, and their sums hold."""
    assert rows(second, "select kind, state, count(*) from runs group by all") == [("nightly", "finished", 2)]
    assert rows(second, "select count(*) from urls where outcome = 'pending'") == [(0,)]


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
#: The questions that README asks, with the answers that it shows.
SHOWN = re.findall(r"^```sql[^\n]*\n(.*?)^```\n```text\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("query", "answer"), SHOWN, ids=range(len(SHOWN)))
def test_readme_shows_what_the_demo_answers_by_every_door(
    second: Path, nightdesk: Callable[..., object], query: str, answer: str
) -> None:
    """README's output is that of its query, but for the day of the crawl; four programs give the same rows."""
    assert plain(nightdesk("sql", query, data=second).stdout) == plain(answer)
    rows = as_text(json.loads(nightdesk("sql", "--json", query, data=second).stdout))
    assert rows
    for ask in (by_cli, by_python, by_sqlalchemy):
        assert as_text(ask(second, query)) == rows


def plain(table: str) -> list[str]:
    """A table's lines without the spaces around it, and days after the newsroom's own as one: they are the crawl's."""
    table = re.sub(r"\d{4}-\d\d-\d\d", lambda day: day[0] if day[0] <= DEMO_DAY.isoformat() else "day of crawl", table)
    return [line.strip() for line in table.strip().splitlines() if line.strip()]


def as_text(answer: Answer) -> list[dict[str, str]]:
    return [{name: str(value) for name, value in row.items()} for row in answer]


def test_readme_asks_five_questions() -> None:
    """Each with its answer."""
    assert len(SHOWN) == 5
