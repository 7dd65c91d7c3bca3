"""What is taken down is in no file any more, is not fetched or loaded again, and the rest is as it was."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from extraction.urls import url_key
from flows.desk import open_desk
from flows.takedown import carry_out, erase_refused
from spiders.captures import SegmentWriter, read_pages
from spiders.site import SiteError
from storage import takedown
from storage.database import connect
from storage.ledger import write_known
from storage.load import load
from storage.search import search
from tests.flows.everywhere import files_with
from tests.storage.invariants import broken
from tests.storage.made import article, extraction, folder, page

pytestmark = pytest.mark.prefect  # the demo's data come from a flow
KILLS = int(os.environ.get("FAULT_KILLS", "4"))


def ask(data: Path, query: str, **parameters: object) -> list[tuple[Any, ...]]:
    with connect(data) as connection:
        return connection.execute(query, parameters or None).fetchall()


def others(data: Path, site: str = "", url: str = "") -> dict[str, list[tuple[Any, ...]]]:
    """All rows but those of a site or URL."""
    queries = {
        "article_versions": "SELECT * FROM article_versions WHERE site <> $site AND url <> $url ORDER BY url_key, version",
        "urls": "SELECT * FROM urls WHERE site <> $site AND url <> $url ORDER BY url_key",
        "removed_blocks": """SELECT * FROM removed_blocks WHERE site <> $site AND url_key NOT IN
            (SELECT url_key FROM urls WHERE url = $url) ORDER BY ALL""",
    }
    return {name: ask(data, query, site=site, url=url) for name, query in queries.items()}


@pytest.fixture
def data(demo_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_data, tmp_path / "data"))


@pytest.fixture
def doomed(data: Path) -> tuple[str, list[str]]:
    """An article's URL and its sentences that stand in no other article."""
    url, site, body = ask(
        data, "SELECT url, site, article_body FROM articles WHERE site = 'saltmarsh-courier' ORDER BY url LIMIT 1"
    )[0]
    rest = "\n".join(text for (text,) in ask(data, "SELECT article_body FROM articles WHERE url <> $url", url=url))
    lines = [line for line in body.split("\n") if len(line) > 60 and line.isascii() and line not in rest]
    assert len(lines) >= 3, site
    return url, lines[:3]


def test_an_article_that_is_taken_down_is_in_no_file(data: Path, doomed: tuple[str, list[str]], nightdesk) -> None:
    """The preview erases nothing; then the text is in no file, raw or unpacked, and everything else is as before."""
    url, lines = doomed
    search(data, "harbour")  # so that there is an index
    shown = nightdesk("takedown", url, data=data).stdout
    assert "1 article in 1 version" in shown
    assert "nothing was erased" in shown
    before = others(data, url=url)
    places = files_with(data, lines[0])
    assert {Path(place).parts[0] for place in places} == {"captures", "extracted", "store"}, "the search finds nothing"
    done = nightdesk("takedown", url, "--yes", "--reason", "a court said so", data=data).stdout
    assert "1 version" in done
    assert [files_with(data, line) for line in lines] == [[], [], []]
    assert others(data, url=url) == before
    [(kind, target, reason, versions, erased)] = ask(
        data, "SELECT kind, target, reason, versions, erased_at IS NOT NULL FROM takedowns"
    )
    assert (kind, target, reason, versions, erased) == ("url", url, "a court said so", 1, True)
    assert "a court said so" in nightdesk("takedown", "--list", data=data).stdout
    assert ask(data, "SELECT outcome FROM urls WHERE url = $url", url=url) == [("taken_down",)]
    with connect(data) as connection:
        assert broken(connection) == []
    assert url not in [hit.url for hit in search(data, f'"{" ".join(lines[0].split()[:4])}"').hits]
    assert (
        not list(data.glob("store/*.fresh*")) + list(data.glob("store/*.part")) + list(data.glob("captures/*/*.part"))
    )


def test_the_other_pages_of_a_capture_stay_where_they_were(data: Path, doomed: tuple[str, list[str]]) -> None:
    """Every other response is read back from the file and offset that the store names, byte for byte."""
    url, _ = doomed

    def pages() -> dict[tuple[str, int], bytes]:
        found = (p for warc in sorted(data.glob("captures/*/*.warc.gz")) for p in read_pages(warc, data=data))
        return {(p.capture.file, p.capture.offset): p.body for p in found if p.discovery.url != url}

    before = pages()
    carry_out(data, takedown.order(data, takedown.find(data, url), ""), print)
    assert pages() == before
    places = set(ask(data, "SELECT capture_file, capture_offset FROM fetches WHERE capture_offset IS NOT NULL"))
    assert places == set(before)


def test_a_site_is_taken_down_as_a_whole(data: Path, nightdesk) -> None:
    """No text of it stays, the other sites are as before, and it is crawled no more until the takedown is lifted."""
    query = "SELECT string_agg(article_body, '\n') FROM articles WHERE (site = 'la-lanterne') = $of"
    [(own,)], [(rest,)] = ask(data, query, of=True), ask(data, query, of=False)
    text = next(line for line in own.split("\n") if line.isascii() and len(line) > 60 and line not in rest)
    before = others(data, site="la-lanterne")
    nightdesk("takedown", "la-lanterne", "--yes", data=data)
    assert files_with(data, text) == []
    assert others(data, site="la-lanterne") == before
    assert ask(data, "SELECT count(*) FROM articles WHERE site = 'la-lanterne'") == [(0,)]
    desk = open_desk(data)
    assert "la-lanterne" not in [site.name for site in desk.chosen()]
    with pytest.raises(SiteError, match="was taken down"):
        desk.chosen(["la-lanterne"])
    [done] = takedown.takedowns(data)
    nightdesk("takedown", "--lift", done.takedown_id, data=data)
    assert "la-lanterne" in [site.name for site in open_desk(data).chosen()]
    assert ask(data, "SELECT DISTINCT outcome FROM urls WHERE site = 'la-lanterne' AND outcome = 'taken_down'") == []


def test_what_is_neither_url_nor_site_is_named(data: Path, nightdesk) -> None:
    """The error says which sites there are."""
    wrong = nightdesk("takedown", "la-lantern", "--yes", data=data, expect=2).stderr
    assert "la-lanterne" in wrong
    assert takedown.takedowns(data) == []


def test_the_loader_refuses_what_comes_by_another_address(tmp_path: Path) -> None:
    """A page whose article was taken down under its own URL is stored as taken_down, and its capture erased."""
    url, twin = "https://harbour.example/2026/secret", "https://harbour.example/amp-7/secret"
    text = "The secret stands in this sentence and in no other one of this house."
    carry_out(tmp_path, takedown.order(tmp_path, takedown.find(tmp_path, url), "asked by letter"), print)
    writer = SegmentWriter(tmp_path / "captures" / "run-1", "a", data=tmp_path, software="test")
    found = page(twin, 1)
    capture = writer.write(
        found.discovery, final_url=twin, status=200, headers=(), body=text.encode(), fetched_at=found.fetched_at
    )
    other = page("https://harbour.example/2026/other", 2)
    kept = writer.write(
        other.discovery, final_url=other.final_url, status=200, headers=(), body=b"<p>x", fetched_at=other.fetched_at
    )
    writer.note(b"")
    writer.rotate()
    rows = [
        (page(twin, 1, capture=capture), extraction(article(url, text), "Newer articles")),
        (page(other.final_url, 2, capture=kept), extraction(article(other.final_url))),
    ]
    load(tmp_path, [folder(tmp_path, rows, segment="a-00000")], publish=True)
    assert ask(tmp_path, "SELECT url FROM articles") == [(other.final_url,)]
    assert ask(tmp_path, "SELECT outcome, article_key FROM fetches WHERE url = $url", url=twin) == [
        ("taken_down", None)
    ]
    assert erase_refused(tmp_path) == 1
    assert files_with(tmp_path, text) == []
    assert erase_refused(tmp_path) == 0
    [left] = read_pages(tmp_path / kept.file, data=tmp_path)
    assert left.capture.offset == kept.offset
    write_known(tmp_path, tmp_path / "known.sqlite", ["harbour", ""])
    known = dict(sqlite3.connect(tmp_path / "known.sqlite").execute("SELECT url_key, outcome FROM known").fetchall())
    assert known[url_key(url)] == known[url_key(twin)] == "taken_down"


@pytest.mark.crash
def test_a_takedown_that_is_killed_goes_on(data: Path, doomed: tuple[str, list[str]], tmp_path: Path) -> None:
    """Killed at random moments: readers meet a whole store, the others' rows stay, and finishing it leaves no text."""
    url, lines = doomed
    before = others(data, url=url)
    chance = random.Random(5)
    kills = finished = 0
    while kills < KILLS:
        hurt = Path(shutil.copytree(data, tmp_path / "hurt"))
        arguments: tuple[str, ...] = (url,)
        while True:
            child = start(hurt, *arguments)
            time.sleep(chance.uniform(0, 1.2))
            ended = child.poll() is not None
            child.kill()
            child.communicate()
            kills += not ended
            with connect(hurt) as connection:
                assert broken(connection) == []
            assert others(hurt, url=url) == before
            if ended or kills >= KILLS:
                break
            arguments = () if takedown.unfinished(hurt) else (url,)
        finished += ended
        child = start(hurt)
        assert child.stdout is not None
        said = child.stdout.read()  # communicate() passes over what readline() has in its buffer
        child.wait(120)
        assert (said[-5:], child.returncode) == ("done\n", 0)
        if not takedown.takedowns(hurt):  # killed before it was ordered
            carry_out(hurt, takedown.order(hurt, takedown.find(hurt, url), ""), print)
        assert files_with(hurt, lines[0]) == []
        assert others(hurt, url=url) == before
        assert all(each.erased_at for each in takedown.takedowns(hurt))
        shutil.rmtree(hurt)


def start(data: Path, *urls: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.flows.takedown_child", str(data), *urls]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child
