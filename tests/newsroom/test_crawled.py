"""The real spider crawls the newsroom: every URL that a source names comes in or ends as the truth says."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from newsroom.sites import write_sites
from newsroom.truth import Truth, expected
from spiders.captures import closed_segments, read_pages, warc_of
from spiders.journal import read_journal
from tests.newsroom.reader import Running, running

# Pages that come in with status 200 and are told by extraction, not by the spider.
LEFT_TO_EXTRACTION = {"live", "script_only", "index", "paywall", "gallery"}


class Crawled:
    """What a crawl left behind."""

    def __init__(self, data: Path, newsroom: Running, truth: Truth) -> None:
        journals = closed_segments(data / "captures" / "r1")
        entries = [entry for journal in journals for entry in read_journal(journal)]
        warcs = [warc for journal in journals if (warc := warc_of(journal)) is not None]
        self.pages = {page.discovery.url: page for warc in warcs for page in read_pages(warc, data=data)}
        self.outcomes = {entry["url"]: entry["outcome"] for entry in entries if entry["kind"] == "outcome"}
        self.truth = truth
        self.asked: list[dict[str, Any]] = [json.loads(line) for line in newsroom.log.read_text().splitlines()]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, anchor: date) -> Crawled:
    data = tmp_path_factory.mktemp("crawled")
    captures = data / "captures" / "r1"
    captures.mkdir(parents=True)
    with running(data / "access.jsonl") as newsroom:
        job = {
            "run_id": "r1",
            "shard": "a",
            "data": str(data),
            "captures": str(captures),
            "sites": [str(path) for path in write_sites(data / "sites", newsroom.port)],
            "user_agent": "Nightdesk/test",
        }
        (data / "job.json").write_text(json.dumps(job))
        command = [sys.executable, "-m", "spiders", str(data / "job.json")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as spider:
            assert spider.wait(timeout=120) == 0
        return Crawled(data, newsroom, expected(anchor, 1, newsroom.port))


def test_every_article_comes_in(crawled: Crawled) -> None:
    """Each article is captured under its own URL, tracking parameters dropped, and nothing else but what extraction tells."""
    left = {url for url, outcome in crawled.truth.outcomes.items() if outcome in LEFT_TO_EXTRACTION}
    assert crawled.pages.keys() == {article.url for article in crawled.truth.articles} | left


def test_every_other_url_ends_as_told(crawled: Crawled) -> None:
    """Disallowed, off-site, moved, gone and noindex URLs have their outcome in the journal."""
    told = {url: word for url, word in crawled.truth.outcomes.items() if word not in LEFT_TO_EXTRACTION}
    assert crawled.outcomes == told


def test_nothing_forbidden_is_asked_for(crawled: Crawled) -> None:
    """The newsroom's own log holds no request below what robots.txt closes, none to the advertiser, and no page twice."""
    assert [line["path"] for line in crawled.asked if line["path"].startswith("/members/")] == []
    assert [line["host"] for line in crawled.asked if "adverts" in line["host"]] == []
    pages = [(line["host"], line["path"]) for line in crawled.asked if line["status"] == 200]
    assert len(pages) == len(set(pages))
