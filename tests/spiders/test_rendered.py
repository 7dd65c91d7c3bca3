"""Pages that are made by scripts: opened in Debian's Chromium, which never reaches the network but through the crawl."""

import gzip
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from extraction.article import extract_page
from extraction.records import Article
from spiders.captures import closed_segments, read_page, records, warc_of
from spiders.chromium import missing
from tests.spiders.conftest import Crawled, finish, start
from tests.spiders.origin import Origin, Reply, zipped

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(missing() is not None, reason=f"{missing()}"),
]

TEXT = [
    f"Paragraph {n}: the ferry to the islands sails again from Monday, the harbour office said, after {n} weeks of repairs."
    for n in range(1, 9)
]
SHELL = (
    '<!doctype html><html lang="en"><head><title>Ferry</title><script src="/app.js"></script></head>'
    '<body><div id="app">Please enable JavaScript.</div></body></html>'
)
# The article comes from the site's own API; all else that the script asks for is to be refused.
APP = """
addEventListener("DOMContentLoaded", async () => {
  const tries = {};
  const ask = async (name, url, options) => {
    try { tries[name] = (await fetch(url, options)).status } catch (error) { tries[name] = "refused" }
  };
  const article = await (await fetch("/api" + location.pathname)).json();
  await ask("private", "http://127.0.0.1:PORT/secret");
  await ask("metadata", "http://169.254.169.254/latest/meta-data/");
  await ask("twin", "http://inner.localhost:PORT/secret");
  await ask("own, but not allowed", "http://127.0.0.2:PORT/secret");
  await ask("other", "http://other.localhost:PORT/pixel");
  await ask("disallowed", "/private/api");
  await ask("post", "/api/log", {method: "POST", body: "x"});
  await ask("file", "file:///etc/hostname");
  new Image().src = "/picture.png";
  navigator.sendBeacon("/beacon", "x");
  const frame = document.createElement("iframe"); frame.src = "/frame"; document.body.append(frame);
  tries.socket = await new Promise(done => {
    try { const s = new WebSocket("ws://127.0.0.1:PORT/socket"); s.onopen = () => done("open"); s.onclose = s.onerror = () => done("refused") }
    catch (error) { done("refused") }
  });
  document.title = article.title;
  document.getElementById("app").innerHTML = "<article><h1>" + article.title + "</h1>" +
    article.text.map(line => "<p>" + line + "</p>").join("") + "</article><pre id=tries>" + JSON.stringify(tries) + "</pre>";
});
"""
ROBOTS = Reply("User-agent: *\nDisallow: /private/\n", type="text/plain")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Origin, Crawled, Path]]:
    """One crawl: two pages made by scripts, on a site that says so; one on a site that does not."""
    data = tmp_path_factory.mktemp("rendered")
    with Origin(("127.0.0.1", "127.0.0.2")) as origin:
        origin.routes |= {
            "/robots.txt": ROBOTS,
            "/app.js": zipped(APP.replace("PORT", str(origin.port)), type="text/javascript"),
        }
        for path in ("/news/1", "/news/2"):
            origin.routes[path] = Reply(
                gzip.compress(SHELL.encode()), headers={"ETag": '"7"', "Content-Encoding": "gzip"}
            )
            origin.routes[f"/api{path}"] = Reply(
                json.dumps({"title": f"Ferry {path}", "text": TEXT}), type="application/json"
            )
        for path in ("/secret", "/pixel", "/private/api", "/api/log", "/picture.png", "/beacon", "/frame", "/socket"):
            origin.routes[path] = Reply("{}", type="application/json")
        sites = {
            "made": {
                "url": origin.url(),
                "hosts": ["site.localhost", "127.0.0.2"],
                "network": {"allow": ["127.0.0.1/32"]},
                "fetch": {"browser": True},
                "politeness": {"delay_s": 0.3},
            },
            "plain": {"url": origin.url(host="plain.localhost")},
        }
        urls = [["made", origin.url("/news/1")], ["made", origin.url("/news/2")]]
        crawled = finish(
            start(data, sites, urls=[*urls, ["plain", origin.url("/news/1", "plain.localhost")]], timeout_s=20), data
        )
        yield origin, crawled, data


def made(crawled: Crawled) -> list[str]:
    return [page.body.decode() for page in crawled.pages if page.discovery.site == "made"]


def test_what_the_scripts_made_is_the_page(rendered: tuple[Origin, Crawled, Path]) -> None:
    """The article is whole in the page that is captured; without the browser the shell is."""
    _, crawled, _ = rendered
    assert (crawled.code, crawled.errors) == (0, "")
    assert len(made(crawled)) == 2
    assert all(all(line in html for line in TEXT) for html in made(crawled))
    for page in crawled.pages:
        result = extract_page(page).result
        if page.discovery.site == "made":
            assert isinstance(result, Article)
            assert result.article_body.split("\n\n")[-8:] == TEXT
            assert result.metadata.headline == f"Ferry {page.final_url[-7:]}"
            assert dict(page.headers)["ETag"] == '"7"'
        else:
            assert not isinstance(result, Article)
    crawled.assert_sums()


def test_nothing_goes_out_but_through_the_crawl(rendered: tuple[Origin, Crawled, Path]) -> None:
    """Other hosts, private addresses, disallowed paths, POST, images, beacons, frames and sockets are never asked for."""
    origin, crawled, _ = rendered
    allowed = {"/robots.txt", "/.well-known/tdmrep.json", "/news/1", "/news/2", "/app.js", "/api/news/1", "/api/news/2"}
    assert set(origin.paths()) == allowed
    for html in made(crawled):
        tries = json.loads(html.split('<pre id="tries">')[1].split("</pre>")[0])
        assert set(tries.values()) == {"refused"}, tries
    assert {asked.headers["user-agent"] for asked in origin.asked} == {"Nightdesk/test"}


def test_the_pages_own_requests_are_polite(rendered: tuple[Origin, Crawled, Path]) -> None:
    """One at a time on the host and never closer than its delay, robots.txt first, a script once for all pages."""
    origin, _, _ = rendered
    asked = sorted((a for a in origin.asked if a.host.startswith("site.")), key=lambda a: a.at)
    assert [a.path for a in asked].count("/app.js") == 1
    assert asked[0].path == "/robots.txt"
    assert all(later.at - earlier.at >= 0.29 for earlier, later in pairwise(asked))
    assert origin.most_at_once["site.localhost"] == 1


def test_the_capture_has_both_and_is_enough(rendered: tuple[Origin, Crawled, Path]) -> None:
    """A response as received and a conversion that refers to it (WARC 1.1); the page is read again without the net."""
    _, crawled, data = rendered
    [warc] = [warc_of(journal) for journal in closed_segments(data / "captures" / "r1")]
    assert warc is not None
    with warc.open("rb") as file:
        found = {
            record.record_id: (record.record_type, record.headers.get("WARC-Refers-To"))
            for record in ArchiveIterator(file, parse_http=False)
        }
    responses = {
        f"<{key}>" if not key.startswith("<") else key
        for key, (kind, _) in found.items()
        if kind == WarcRecordType.response
    }
    conversions = [refers for kind, refers in found.values() if kind == WarcRecordType.conversion]
    assert (len(responses), len(conversions)) == (3, 2)
    assert set(conversions) < responses
    places = list(records(warc, data=data, damaged=lambda *what: pytest.fail(str(what))))
    assert [place.offset for place in places] == [page.capture.offset for page in crawled.pages]
    again = [read_page(place, data=data) for place in places]
    assert again == crawled.pages


@pytest.mark.parametrize("trouble", ["endless", "enormous"])
def test_a_page_that_never_rests_is_deferred_and_the_others_go_on(tmp_path: Path, trouble: str) -> None:
    """A script that never ends, or a page that grows without end, costs its own URL; the browser is started anew."""
    scripts = {
        "endless": "while (true) {}",
        "enormous": "const x = 'x'.repeat(1 << 20); for (let n = 0; n < 40; n++) document.write('<p>' + x);",
    }
    with Origin() as origin:
        origin.routes |= {
            "/robots.txt": ROBOTS,
            "/bad": Reply(f"<html><body><script>{scripts[trouble]}</script>"),
            "/good": Reply(f"<html><body><script>document.body.innerHTML = {json.dumps('<p>'.join(TEXT))}</script>"),
        }
        site = {"url": origin.url(), "fetch": {"browser": True}}
        shorter = "import spiders.browser as b; b.PAGE_S = 4.0"
        began = time.monotonic()
        crawled = finish(
            start(tmp_path, {"s": site}, urls=[["s", origin.url("/bad")], ["s", origin.url("/good")]], preload=shorter),
            tmp_path,
        )
        assert time.monotonic() - began < 50
    assert (crawled.code, crawled.errors) == (0, "")
    assert crawled.outcomes == {"/bad": "deferred", "/good": "page"}
    assert crawled.reasons["/bad"].startswith("the browser: the page ")
    crawled.assert_sums()
