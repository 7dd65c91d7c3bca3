"""Old news: what other tools archived of the newsroom comes into the store as if it had been fetched when they did."""

import asyncio
import http.client
import io
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pytest
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from flows.desk import open_desk
from flows.run import Request, Run, side_by_side
from spiders.oldnews import Source, WarcFiles, WebArchive
from tests.flows.archives import ArchiveServer, Held
from tests.flows.world import Served
from tests.spiders.proxy import Proxy


@dataclass
class Taken:
    """One run of the line that took old news over."""

    data: Path
    run_id: str
    reason: str
    logged: list[str] = field(default_factory=list)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.data / "store" / "published.duckdb"), read_only=True) as connection:
            return connection.execute(query, list(values)).fetchall()

    @property
    def articles(self) -> set[str]:
        return {url for (url,) in self.ask("select url from articles")}

    @property
    def fetched(self) -> int:
        return self.ask("select count(*) from fetches where run_id = ?", self.run_id)[0][0]


def take(data: Path, source: Source, **asked: object) -> Taken:
    """Run the line over a source: repair, take over, extract, load, publish."""
    logged: list[str] = []
    run = Run(
        open_desk(data),
        Request(kind="backfill", source=source, **asked),  # type: ignore[arg-type]
        lambda level, _site, message: logged.append(f"{level}: {message}"),
        lambda _board: None,
    )

    async def line() -> str:
        await run.repair()
        finished = await side_by_side(run, run.crawl(), run.ingest())
        return finished.reason

    try:
        run.record("running")
        reason = asyncio.run(line())
        run.record("finished" if reason == "finished" else reason)
    finally:
        run.close()
    return Taken(data, run.run_id, reason, logged)


@pytest.fixture(scope="module")
def wget_file(newsroom: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages of the newsroom's truth, by wget."""
    folder = tmp_path_factory.mktemp("wget")
    truth = newsroom.truth()
    urls = [article.url for article in truth.articles] + list(truth.outcomes)
    (folder / "urls.txt").write_text("\n".join(urls), "utf-8")
    with Proxy() as proxy:
        subprocess.run(
            ["wget", "-q", "--warc-file=wget", "-O", "/dev/null", "-i", "urls.txt"],
            cwd=folder, env={"http_proxy": proxy.url, "PATH": "/usr/bin:/bin"}, check=False, timeout=120,
        )  # fmt: skip
    return folder / "wget.warc.gz"


def get(newsroom: Served, url: str) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", newsroom.port, timeout=20)
    parts = urlsplit(url)
    connection.request("GET", parts.path, headers={"Host": parts.netloc, "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    fields, body = answer.getheaders(), answer.read()
    connection.close()
    return answer.status, fields, body


@dataclass
class Archive:
    """A WARC file that warcio writes."""

    path: Path
    buffer: io.BytesIO = field(default_factory=io.BytesIO)

    def __post_init__(self) -> None:
        self.writer = WARCWriter(self.buffer, gzip=True)

    def response(
        self, url: str, at: datetime, status: int, fields: list[tuple[str, str]], body: bytes
    ) -> ArcWarcRecord:
        made = self.writer.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(body),
            http_headers=StatusAndHeaders(f"{status} OK", fields, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ")},
        )
        self.writer.write_record(made)
        return made

    def save(self) -> Path:
        self.path.write_bytes(self.buffer.getvalue())
        return self.path


def test_a_file_of_wget_gives_exactly_its_articles(newsroom: Served, wget_file: Path, tmp_path: Path) -> None:
    """Every article of the newsroom comes out of wget's file and nothing else does; the same again costs nothing."""
    data = newsroom.furnish(tmp_path / "data")
    before = newsroom.asked()
    first = take(data, WarcFiles((str(wget_file),)))
    assert first.reason == "finished"
    truth = newsroom.truth()
    not_asked = {url for url, outcome in truth.outcomes.items() if outcome == "robots"}  # of us; wget has asked
    ended = dict(first.ask("select url, outcome from urls where outcome not in ('loaded', 'unchanged')"))
    assert ended == {url: outcome for url, outcome in truth.outcomes.items() if outcome not in {"robots", "off_site"}}
    assert first.articles == {article.url for article in truth.articles} | not_asked
    assert newsroom.asked() == before, "nobody was asked for anything"
    renamed = tmp_path / "another-name.warc.gz"
    renamed.write_bytes(wget_file.read_bytes())
    again = take(data, WarcFiles((str(renamed),)))
    assert again.fetched == 0
    assert any("was taken over by" in line for line in again.logged)


def captured(newsroom: Served, count: int, at: datetime, *, site: str = "") -> list[Held]:
    """Some articles of the newsroom as an archive would hold them, a minute after the other."""
    urls = [article.url for article in newsroom.truth().articles if site in article.site][:count]
    held = []
    for number, url in enumerate(urls):
        status, fields, body = get(newsroom, url)
        kept = tuple((n, v) for n, v in fields if n.lower() not in {"transfer-encoding", "connection"})
        held.append(Held(url, at + timedelta(minutes=number), status, kept, body))
    return held


def wayback(server: ArchiveServer, **more: object) -> WebArchive:
    allow = ("127.0.0.0/8",)
    return WebArchive(
        index=f"{server.url}/cdx/search/cdx", replay=f"{server.url}/web/", allow=allow, **{"delay_s": 0.05, **more}
    )  # fmt: skip


def common_crawl(server: ArchiveServer) -> WebArchive:
    return WebArchive(
        index=f"{server.url}/CC-TEST-index", data=server.url, style="pages", delay_s=0.05, allow=("127.0.0.0/8",)
    )


AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SITES = ("saltmarsh-courier",)


@pytest.mark.parametrize("kind", ["wayback", "common crawl"])
def test_an_archive_gives_the_pages_of_its_captures(newsroom: Served, tmp_path: Path, kind: str) -> None:
    """Each capture of the days is fetched once and stands in the store as of its capture; the same again fetches none."""
    data = newsroom.furnish(tmp_path / "data")
    held = captured(newsroom, 12, AT, site=SITES[0])
    late = Held(held[0].url, AT + timedelta(days=9), 200, held[0].fields, held[0].body)
    error = Held(f"{held[0].url}gone/", AT, 404, (("Content-Type", "text/html"),), b"gone")
    days = {"first_day": AT.date(), "last_day": AT.date(), "sites": SITES}
    with ArchiveServer([*held, late, error]) as server:
        source = common_crawl(server) if kind == "common crawl" else wayback(server)
        first = take(data, source, **days)
        assert (first.reason, first.articles) == ("finished", {each.url for each in held}), first.logged
        assert len(server.fetched) == 12
        gaps = [later - before for (before, _), (later, _) in pairwise(server.log)]
        assert min(gaps) >= 0.045, "one request at a time, the delay apart"
        take(data, source, **days)
        assert len(server.fetched) == 12
    rows = first.ask("""select v.url, valid_from, f.found_by, f.found_in from article_versions v
        join fetches f using (capture_file, capture_offset) order by valid_from""")
    assert {url: at for url, at, _, _ in rows} == {each.url: each.at.replace(tzinfo=None) for each in held}
    assert {by for *_, by, _ in rows} == {"cdx"}
    assert all(found_in.startswith(server.url) for *_, found_in in rows)
    assert first.ask("select count(*) from urls where outcome <> 'loaded'") == [(0,)]
