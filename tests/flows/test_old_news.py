"""Old news: what other tools archived of the newsroom comes into the store as if it had been fetched when they did."""

import asyncio
import http.client
import io
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pytest
from warcio.statusandheaders import StatusAndHeaders

from flows.desk import open_desk
from flows.run import Request, Run, side_by_side
from spiders.archives.cdxsource import Archive as PoliteArchive
from spiders.archives.cdxsource import ArchiveError
from spiders.archives.oldnews import Source, UrlList, WarcFiles, WebArchive
from tests.flows.archives import Archive, ArchiveServer, Held
from tests.flows.world import NIGHTDESK, Served, descendants, kill
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
        try:
            finished = await side_by_side(run, run.crawl(), run.ingest())
        finally:
            await run.release()
        return finished.reason

    try:
        run.record("running")
        reason = asyncio.run(line())
        run.record("finished" if reason == "finished" else reason)
    finally:
        run.close()
    return Taken(data, run.run_id, reason, logged)


def previewed(data: Path, source: Source, **asked: object) -> dict[tuple[str, date], tuple[int, int]]:
    """What a preview counts: captures by site and day, and how many of them are news to the store."""
    from flows.taking import counted  # imports Prefect: 2 s, for these tests alone

    return counted(open_desk(data), Request(kind="backfill", source=source, **asked))  # type: ignore[arg-type]


def furnished(newsroom: Served, folder: Path) -> Path:
    """A data folder for a few pages: one extraction worker is enough."""
    data = newsroom.furnish(folder / "data")
    with (data / "nightdesk.toml").open("a", encoding="utf-8") as settings:
        settings.write("workers = 1\n")
    return data


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
    data = furnished(newsroom, tmp_path)
    held = captured(newsroom, 12, AT, site=SITES[0])
    late = Held(held[0].url, AT + timedelta(days=9), 200, held[0].fields, held[0].body)
    error = Held(f"{held[0].url}gone/", AT, 404, (("Content-Type", "text/html"),), b"gone")
    days = {"first_day": AT.date(), "last_day": AT.date(), "sites": SITES}
    with ArchiveServer([*held, late, error]) as server:
        source = common_crawl(server) if kind == "common crawl" else wayback(server)
        assert previewed(data, source, **days) == {(SITES[0], AT.date()): (12, 12)}
        assert server.fetched == [], "a preview asks the index alone"
        first = take(data, source, **days)
        assert (first.reason, first.articles) == ("finished", {each.url for each in held}), first.logged
        assert len(server.fetched) == 12
        gaps = [later - before for (before, _), (later, _) in pairwise(server.log)]
        assert min(gaps) >= 0.045, "one request at a time, the delay apart"
        if kind == "wayback":
            take(data, source, **days)
            assert previewed(data, source, **days) == {(SITES[0], AT.date()): (12, 0)}
            assert len(server.fetched) == 12
    rows = first.ask("""select v.url, valid_from, f.found_by, f.found_in from article_versions v
        join fetches f using (capture_file, capture_offset) order by valid_from""")
    assert {url: at for url, at, _, _ in rows} == {each.url: each.at.replace(tzinfo=None) for each in held}
    assert {by for *_, by, _ in rows} == {"cdx"}
    assert all(found_in.startswith(server.url) for *_, found_in in rows)
    assert first.ask("select count(*) from urls where outcome <> 'loaded'") == [(0,)]


PAGE = "text/html; charset=utf-8"


def test_every_record_of_a_site_ends_in_a_page_or_an_outcome(newsroom: Served, tmp_path: Path) -> None:
    """Whatever stands in a file of warcio: each capture of a wanted site has its end, at the time of the capture."""
    data = furnished(newsroom, tmp_path)
    pages = captured(newsroom, 6, AT, site=SITES[0])
    home = pages[0].url.split("/", 3)[:3]
    at = "/".join(home)
    archive = Archive(tmp_path / "odd.warc.gz")
    first = archive.response(pages[0].url, AT, 200, list(pages[0].fields), pages[0].body)
    second = archive.response(pages[1].url, AT, 200, list(pages[1].fields), pages[1].body)
    for number, (path, status, fields) in enumerate(
        [
            ("/news/gone-for-good-14798001/", 404, [("Content-Type", PAGE)]),
            ("/news/in-trouble-14798002/", 503, [("Content-Type", PAGE), ("Retry-After", "9")]),
            ("/news/moved-on-14798003/", 301, [("Location", "/news/elsewhere-14798004/")]),
            ("/news/behind-a-wall-14798005/", 403, [("Content-Type", PAGE)]),
            ("/pictures/boat.jpg", 200, [("Content-Type", "image/jpeg")]),
            ("/news/not-to-be-kept-14798006/", 200, [("Content-Type", PAGE), ("X-Robots-Tag", "noindex")]),
            ("/news/a-film-14798007/", 200, [("Content-Type", "video/mp4")]),
        ]
    ):
        archive.response(at + path, AT + timedelta(hours=1, minutes=number), status, fields, b"<p>Nothing of use.</p>")
    write = archive.writer.write_record
    make = archive.writer.create_warc_record
    # The second page again a day later, unchanged; and at another URL, with the same bytes.
    later = {"WARC-Date": (AT + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    digest = second.rec_headers.get_header("WARC-Payload-Digest")
    empty = StatusAndHeaders("200 OK", [("Content-Type", PAGE)], protocol="HTTP/1.1")
    stamp = AT.strftime("%Y-%m-%dT%H:%M:%SZ")
    for url in (pages[1].url, f"{at}/business/the-same-again-14798777/"):
        write(archive.writer.create_revisit_record(url, digest, pages[1].url, stamp, empty, later))
    lost = {**later, "WARC-Payload-Digest": "sha1:NOWHERE"}
    write(make(f"{at}/news/of-nothing-14798778/", "revisit", http_headers=empty, warc_headers_dict=lost))
    write(make(pages[2].url, "resource", io.BytesIO(pages[2].body), warc_content_type=PAGE, warc_headers_dict=later))
    write(make(pages[3].url, "conversion", io.BytesIO(b"plain text"), warc_content_type="text/plain"))
    write(make(pages[3].url, "metadata", io.BytesIO(b"fetchTimeMs: 5"), warc_content_type="application/warc-fields"))
    cut = {**later, "WARC-Truncated": "length"}
    http_fields = StatusAndHeaders("200 OK", list(pages[3].fields), protocol="HTTP/1.1")
    write(make(pages[3].url, "response", io.BytesIO(pages[3].body), http_headers=http_fields, warc_headers_dict=cut))
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(pages[4].body), pages[4].body)
    fields = [*(f for f in pages[4].fields if f[0].lower() != "content-length"), ("Transfer-Encoding", "chunked")]
    archive.response(pages[4].url, AT, 200, fields, chunks)
    archive.response("http://elsewhere.example/a/b-c-d-1", AT, 200, [("Content-Type", PAGE)], b"<p>x</p>")
    wrong = {"WARC-Date": "0000-00-00T00:00:00Z"}
    write(make(pages[5].url, "response", io.BytesIO(pages[5].body), http_headers=http_fields, warc_headers_dict=wrong))
    taken = take(data, WarcFiles((str(archive.save()),)), sites=SITES)

    assert first.rec_type == "response"
    ends = {
        url.removeprefix(at): (outcome, when)
        for url, outcome, when in taken.ask("select url, last_outcome, outcome_at from urls")
    }
    words = {path: outcome for path, (outcome, _) in ends.items()}
    shared = "/business/the-same-again-14798777/"
    assert words.pop(shared) in {"loaded", "duplicate"}, "its page says itself whose copy it is"
    assert words == {
        pages[0].url.removeprefix(at): "loaded",
        pages[1].url.removeprefix(at): "unchanged",
        pages[2].url.removeprefix(at): "loaded",
        pages[3].url.removeprefix(at): "truncated",
        pages[4].url.removeprefix(at): "loaded",
        pages[5].url.removeprefix(at): "capture_damaged",
        "/news/gone-for-good-14798001/": "gone",
        "/news/in-trouble-14798002/": "http_error",
        "/news/moved-on-14798003/": "duplicate",
        "/news/behind-a-wall-14798005/": "blocked",
        "/pictures/boat.jpg": "excluded",
        "/news/not-to-be-kept-14798006/": "noindex",
        "/news/a-film-14798007/": "not_html",
        "/news/of-nothing-14798778/": "capture_damaged",
    }
    assert ends["/news/gone-for-good-14798001/"][1] == (AT + timedelta(hours=1)).replace(tzinfo=None)
    (reason,) = {why for (why,) in taken.ask("select reason from source_reads where found_by = 'warc'")}
    assert "1 of other sites" in reason
    assert "2 that are no pages" in reason


def test_days_are_those_of_capture_in_the_sites_zone(newsroom: Served, tmp_path: Path) -> None:
    """Only captures of the days asked for are taken, by the site's own midnight; a known page is not taken again."""
    data = furnished(newsroom, tmp_path)
    midnight = datetime(2026, 6, 1, 22, 0, tzinfo=UTC)  # of Berlin
    pages = captured(newsroom, 3, midnight, site="lindenauer-bote")
    archive = Archive(tmp_path / "days.warc.gz")
    for page, at in zip(pages, (midnight - timedelta(seconds=1), midnight, midnight + timedelta(days=1)), strict=True):
        archive.response(page.url, at, 200, list(page.fields), page.body)
    source = WarcFiles((str(archive.save()),))
    day = date(2026, 6, 2)
    taken = take(data, source, first_day=day, last_day=day)
    assert taken.articles == {pages[1].url}
    everything = take(data, source)
    assert (everything.articles, everything.fetched) == ({page.url for page in pages}, 2)


def test_an_archive_in_trouble_is_left_alone_and_gone_on_with(newsroom: Served, tmp_path: Path) -> None:
    """Retry-After is kept; what it cannot give is told, and fetched by the next run of the same days; robots.txt holds."""
    data = furnished(newsroom, tmp_path)
    held = captured(newsroom, 6, AT, site=SITES[0])
    days = {"first_day": AT.date(), "last_day": AT.date(), "sites": SITES}
    slow = (429, {"Retry-After": "1"})
    stamps = [each.stamp for each in held]
    faults = {stamps[0]: [slow], stamps[1]: [(500, {})] * 3, stamps[2]: [(404, {})]}
    moved = {stamps[3]: (AT - timedelta(days=40)).strftime("%Y%m%d%H%M%S")}
    other = Held(held[3].url, AT - timedelta(days=40), 200, held[3].fields, held[3].body)
    robots = f"User-agent: *\nDisallow: /web/{stamps[5]}id_/\n"
    with ArchiveServer([*held, other], faults=faults, moved=moved, robots=robots) as server:
        first = take(data, wayback(server), **days)
        asked = [(at, path) for at, path in server.log if stamps[0] in path]
        assert asked[1][0] - asked[0][0] >= 1.0, "Retry-After"
        ends = dict(first.ask("select url, last_outcome from urls"))
        assert [ends[each.url] for each in held] == [
            *("loaded", "server_error", "http_error", "excluded", "loaded", "robots"),
        ]
        assert not [path for path in server.asked if stamps[5] in path], "robots.txt"
        again = take(data, wayback(server), **days)
        assert dict(again.ask("select url, last_outcome from urls"))[held[1].url] == "loaded"
        assert again.fetched == 1


def test_an_archive_that_asks_for_more_patience_than_there_is_ends_the_asking() -> None:
    """It is not asked again, and who waits is told for how long it wants to be left alone."""
    faults = {"/cdx/": [(503, {"Retry-After": "900"})] * 3}
    with ArchiveServer([], faults=faults) as server:
        archive = PoliteArchive(wayback(server), "Nightdesk/test", patience_s=5, stopping=threading.Event())
        with pytest.raises(ArchiveError, match="asks us to wait 900 s"):
            archive.get(f"{server.url}/cdx/search/cdx?url=x", obey=False)
        archive.close()
        assert len(server.asked) == 1


def test_a_list_of_urls_is_fetched_and_nothing_else(own_newsroom: Served, tmp_path: Path) -> None:
    """The sites are asked for the listed pages alone: no feed, no sitemap, nothing that was pending."""
    data = furnished(own_newsroom, tmp_path)
    urls = [article.url for article in own_newsroom.truth().articles if SITES[0] in article.url][:2]
    taken = take(data, UrlList(tuple((SITES[0], url) for url in urls)), sites=SITES)
    assert taken.articles == set(urls)
    asked = {url.rpartition("localhost")[2].partition("/")[2] for url in own_newsroom.asked()}
    listed = {url.split("/", 3)[3] for url in urls}
    assert listed <= asked <= listed | {"robots.txt", ".well-known/tdmrep.json"}


@pytest.mark.crash
def test_a_run_that_is_killed_is_gone_on_with_and_takes_nothing_twice(
    newsroom: Served, wget_file: Path, tmp_path: Path
) -> None:
    """Killed with SIGKILL, all its processes at once, at several moments: in the end the store is the same."""
    data = newsroom.furnish(tmp_path / "data")
    command = [sys.executable, str(Path(__file__).with_name("old_line.py")), str(data), str(wget_file)]
    for pause in (1.2, 3.0):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            process.wait(pause)
        except subprocess.TimeoutExpired:
            kill({process.pid} | descendants(process.pid))
            process.wait(10)
    assert subprocess.run(command, check=False, timeout=120).returncode == 0
    taken = Taken(data, "", "")
    truth = newsroom.truth()
    not_asked = {url for url, outcome in truth.outcomes.items() if outcome == "robots"}
    assert taken.articles == {article.url for article in truth.articles} | not_asked
    assert taken.ask("select count(*) from (select 1 from fetches group by url_key, ended_at having count(*) > 1)") == [
        (0,)
    ]
    assert taken.ask("select count(*) from runs where state = 'running'") == [(0,)]


@pytest.mark.prefect
def test_a_terminal_previews_a_file(newsroom: Served, tmp_path: Path) -> None:
    """`nightdesk backfill --warc FILE --preview` says what is in it and stores nothing; no days, no contact needed."""
    data = newsroom.furnish(tmp_path / "data")
    archive = Archive(tmp_path / "few.warc.gz")
    for page in captured(newsroom, 3, AT, site=SITES[0]):
        archive.response(page.url, page.at, page.status, list(page.fields), page.body)
    command = [NIGHTDESK, "backfill", "--warc", str(archive.save()), "--site", SITES[0], "--data", str(data)]
    shown = subprocess.run([*command, "--preview"], capture_output=True, text=True, check=True, timeout=300).stdout
    assert "3 captures, 3 of them news to the store" in shown
    assert not (data / "store" / "published.duckdb").exists()
