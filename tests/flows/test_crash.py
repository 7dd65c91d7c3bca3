"""Killed at any stage and started again, the store ends the same."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.flows.world import Served, descendants, is_alive, kill, run_line, start_line, wait_for

pytestmark = pytest.mark.crash


def content(data: Path) -> dict[str, object]:
    """All of a store that does not depend on when it was filled."""
    with duckdb.connect(str(data / "store" / "published.duckdb"), read_only=True) as connection:
        return {
            "articles": connection.execute(
                "select site, parse_path(url)[3:], version, content_hash, headline, article_body"
                " from article_versions order by all"
            ).fetchall(),
            "urls": connection.execute("select site, parse_path(url)[3:], outcome from urls order by all").fetchall(),
            "runs still running": connection.execute("select count(*) from runs where state = 'running'").fetchone(),
            "removed": connection.execute("select count(*) from removed_blocks").fetchone(),
        }


@pytest.fixture(scope="session")
def undisturbed(newsroom: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    data = newsroom.furnish(tmp_path_factory.mktemp("undisturbed"))
    run_line(data)
    return content(data)


def captured(data: Path) -> int:
    return sum(path.stat().st_size for path in data.glob("captures/*/*.warc.gz*"))


STAGES: dict[str, Callable[[Path], object]] = {
    "before the first page": lambda data: list(data.glob("captures/*/*.job.json")),
    "amid the crawl": lambda data: captured(data) > 100_000,
    "after the crawl": lambda data: list(data.glob("captures/*/*.journal.jsonl")),
    "while rows are written": lambda data: list(data.glob("extracted/*/*")),
    "while they are loaded": lambda data: (
        (data / "store" / "nightdesk.duckdb.wal").exists() and list(data.glob("extracted/*/*/manifest.json"))
    ),
}


@pytest.mark.parametrize(("stage", "everything"), list(zip(STAGES, [False, True, False, False, True], strict=True)))
def test_a_killed_run_is_made_good_by_the_next(
    stage: str, everything: bool, own_newsroom: Served, undisturbed: dict[str, object], tmp_path: Path
) -> None:
    """After SIGKILL of the flow's process, or of all of them, the next run completes the store and asks for little again."""
    data = own_newsroom.furnish(tmp_path / "data")
    process = start_line(data)
    wait_for(lambda: STAGES[stage](data) or process.poll() is not None, 120, stage)
    below = descendants(process.pid)
    kill({process.pid, *(below if everything else ())})
    process.communicate()  # an orphaned spider holds the other end until it ends
    wait_for(lambda: not any(map(is_alive, below)), 15, "an orphaned spider or worker ends by itself")
    run_line(data)

    assert content(data) == undisturbed
    articles = {article.url for article in own_newsroom.truth().articles}
    again = {url: n for url, n in own_newsroom.asked().items() if n > 1 and url in articles}
    assert len(again) <= 6, again  # three hosts, one request under way on each, and what was being written


def test_a_run_that_is_told_to_stop_keeps_what_it_fetched(
    own_newsroom: Served, undisturbed: dict[str, object], tmp_path: Path
) -> None:
    """Ctrl-C amid the crawl: it ends in 30 s with its spider, what was fetched is loaded, and the next run fetches the rest."""
    data = own_newsroom.furnish(tmp_path / "data")
    process = start_line(data)
    wait_for(lambda: captured(data) > 100_000, 60, "the crawl has begun")
    below = descendants(process.pid)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=35)
    assert not any(map(is_alive, below))
    assert not list(data.glob("captures/*/*.open"))
    fetched = len(content(data)["articles"])
    assert fetched > 0
    run_line(data)
    assert len(content(data)["articles"]) == len(undisturbed["articles"])
    articles = {article.url for article in own_newsroom.truth().articles}
    assert all(n == 1 for url, n in own_newsroom.asked().items() if url in articles)
