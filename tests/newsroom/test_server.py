"""The server speaks HTTP as good news servers do, and dies when it should."""

import gzip
import json
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path

from newsroom.sites import write_sites
from tests.newsroom.reader import Running


def _front(newsroom: Running, site: str = "saltmarsh-courier") -> str:
    return f"http://{site}.localhost:{newsroom.port}/"


def test_a_copy_that_is_fresh_is_not_sent_again(first: Running) -> None:
    """The ETag of an answer, and its Last-Modified, bring 304 without a body; others bring the page."""
    response, body = first.get(_front(first))
    assert (response.status, len(body) > 1000) == (200, True)
    for headers in (
        {"If_None_Match": response.headers["ETag"]},
        {"If_None_Match": f'"other", W/{response.headers["ETag"]}'},
        {"If_Modified_Since": response.headers["Last-Modified"]},
    ):
        again, nothing = first.get(_front(first), **headers)
        assert (again.status, nothing) == (304, b"")
        assert again.headers["ETag"] == response.headers["ETag"]
    for headers in (
        {"If_None_Match": '"other"'},
        {"If_None_Match": '"other"', "If_Modified_Since": response.headers["Last-Modified"]},
        {"If_Modified_Since": "Mon, 01 Jan 2024 00:00:00 GMT"},
        {"If_Modified_Since": "yesterday"},
    ):
        assert first.get(_front(first), **headers)[0].status == 200


def test_pages_are_zipped_for_those_who_ask(first: Running) -> None:
    """With Accept-Encoding: gzip the same page comes zipped, and says so; a gzip file is not zipped twice."""
    plain = first.get(_front(first))[1]
    response, body = first.get(_front(first), Accept_Encoding="gzip, br")
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == plain
    assert len(body) < len(plain) / 2
    index = first.get(_front(first) + "sitemap-index.xml")[1].decode()
    (child,) = [part.partition("<")[0] for part in index.split("<loc>")[1:] if ".gz<" in part]
    response, body = first.get(child, Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] is None
    assert gzip.decompress(body).startswith(b"<?xml")


def test_one_connection_serves_many_requests(first: Running) -> None:
    """Connections are kept alive, HEAD answers as GET does without the body, and each request leaves its line in the log."""
    connection = HTTPConnection("127.0.0.1", first.port, timeout=10)
    host = f"la-lanterne.localhost:{first.port}"
    lengths = []
    ports = set()
    for method, path in (("HEAD", "/"), ("GET", "/"), ("GET", "/nowhere")):
        connection.request(method, path, headers={"Host": host, "User-Agent": "test/1 (keep-alive)"})
        response = connection.getresponse()
        ports.add(connection.sock.getsockname()[1])
        lengths.append((response.status, int(response.headers["Content-Length"]), len(response.read())))
    connection.close()
    assert len(ports) == 1
    (head, get, nowhere) = lengths
    assert head == (200, get[1], 0)
    assert get[1] == get[2]
    assert nowhere[0] == 404
    lines = [json.loads(line) for line in first.log.read_text().splitlines()]
    mine = [line for line in lines if line["user_agent"] == "test/1 (keep-alive)"]
    assert [(line["method"], line["path"], line["status"]) for line in mine] == [
        ("HEAD", "/", 200),
        ("GET", "/", 200),
        ("GET", "/nowhere", 404),
    ]
    assert all(line["host"] == host for line in mine)
    assert [line["at_monotonic"] for line in mine] == sorted(line["at_monotonic"] for line in mine)
    assert all(datetime.fromisoformat(line["at"]).utcoffset() is not None and line["ms"] >= 0 for line in mine)


def test_sites_are_told_apart_by_host(first: Running) -> None:
    """The Host header chooses the site; without a known one there is a table of contents or a refusal."""
    assert b"Lindenauer Bote" in first.get(_front(first, "lindenauer-bote"))[1]
    assert b"La Lanterne" in first.get(_front(first, "la-lanterne").upper().replace("HTTP", "http"))[1]
    assert b"Three sites" in first.get(f"http://localhost:{first.port}/")[1]
    assert first.get(f"http://elsewhere.localhost:{first.port}/")[0].status == 421


def test_it_ends_when_told_and_when_its_parent_has_gone(start: Callable[..., AbstractContextManager[Running]]) -> None:
    """SIGTERM and the end of standard input both end it, with exit code 0."""
    with start() as newsroom:
        newsroom.process.send_signal(signal.SIGTERM)
        assert newsroom.process.wait(timeout=10) == 0
    with start("--watch-parent") as newsroom:
        newsroom.process.stdin.close()
        assert newsroom.process.wait(timeout=10) == 0
        newsroom.process.stdin = None


def test_a_taken_port_is_one_clear_line(first: Running) -> None:
    """A port that is in use ends the command with code 2 and a line, without a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "newsroom", "--port", str(first.port)],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("newsroom: ")
    assert len(done.stderr.splitlines()) == 1


def test_site_files_name_sources_that_answer(first: Running, tmp_path: Path) -> None:
    """The written site files are TOML in the house's form, and each source they name is served."""
    from spiders.site import load_site

    for path in write_sites(tmp_path / "sites", first.port):
        text = tomllib.loads(path.read_text("utf-8"))
        assert text["enabled"] is True
        assert text["network"]["allow"] == ["127.0.0.0/8"]
        site = load_site(path)
        urls = [url for kind in text["sources"].values() for url in kind]
        assert site.name == path.stem
        assert urls
        for url in urls:
            assert first.get(url)[0].status == 200
