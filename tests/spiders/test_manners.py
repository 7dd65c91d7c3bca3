"""robots.txt and the patience that hosts ask for, in whole crawls by the real child process."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path

from tests.spiders.conftest import finish, start
from tests.spiders.origin import Asked, Origin, Reply, moved
from tests.spiders.served import PAGE, ROBOTS, Crawl


def test_robots_decides_by_its_status(origin: Origin, crawl: Crawl) -> None:
    """5xx, 429, resets and silence disallow all; 4xx and too many redirects allow all; a redirected file holds."""

    async def reset(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    cases = {
        "s500": (Reply(status=500), "robots_unreachable"),
        "s503": (Reply(status=503), "robots_unreachable"),
        "s429": (Reply(status=429), "robots_unreachable"),
        "reset": (reset, "robots_unreachable"),
        "s403": (Reply(status=403), "page"),
        "s404": (Reply(status=404), "page"),
        "html": (Reply("<html><p>Disallow: /"), "page"),
        "large": (Reply(b"User-agent: *\nDisallow: /a\n" + b"#" * (20 << 20), type="text/plain"), "robots"),
        "loop": (moved("/robots.txt"), "page"),
        "moved": (moved("/other"), "robots"),
        "other-host": (moved(origin.url("/rules", "rules.localhost")), "robots"),
    }
    origin.routes |= {
        "/a": PAGE,
        "/other": Reply("User-agent: *\nDisallow: /a", type="text/plain"),
        "/rules": Reply("User-agent: *\nDisallow: /a", type="text/plain"),
    }
    sites = {}
    for name, (route, _) in cases.items():
        origin.routes[f"{name}.localhost/robots.txt"] = route
        sites[name] = {"url": origin.url(host=f"{name}.localhost")}
    crawled = crawl(sites, urls=[[name, origin.url("/a", f"{name}.localhost")] for name in cases], patience_s=20)
    ends = {e["site"]: e["outcome"] for e in crawled.entries if e["kind"] == "outcome"}
    ends |= {page.discovery.site: "page" for page in crawled.pages}
    assert ends == {name: outcome for name, (_, outcome) in cases.items()}
    assert origin.paths("s500.localhost").count("/robots.txt") == 3
    crawled.assert_sums()


def test_robots_is_kept_for_a_day_and_beyond_while_unreachable(origin: Origin, tmp_path: Path) -> None:
    """The second crawl does not ask again; a stale copy holds while the file is unreachable."""
    origin.routes |= {"/robots.txt": ROBOTS, "/a": PAGE, "/b": PAGE}
    sites = {"s": {"url": origin.url()}}
    urls = [["s", origin.url("/a")], ["s", origin.url("/private/x")]]
    finish(start(tmp_path, sites, urls=urls), tmp_path)
    finish(start(tmp_path, sites, urls=urls, run_id="r2"), tmp_path, run_id="r2")
    assert origin.paths().count("/robots.txt") == 1
    [cached] = (tmp_path / "robots").iterdir()
    entry = json.loads(cached.read_bytes())
    cached.write_text(json.dumps({**entry, "fetched_at": "2020-01-01T00:00:00Z"}))
    origin.routes["/robots.txt"] = Reply(status=500)
    third = finish(start(tmp_path, sites, urls=urls, run_id="r3", patience_s=20), tmp_path, run_id="r3")
    assert third.outcomes == {"/a": "page", "/private/x": "robots"}
    assert origin.paths().count("/robots.txt") == 4


def test_the_whole_host_waits_as_it_asks_to(origin: Origin, crawl: Crawl) -> None:
    """After 429 with Retry-After nothing is asked for in that time; a wait beyond our patience defers the rest."""
    state = {"busy": True}

    def busy(_: Asked) -> Reply:
        first, state["busy"] = state["busy"], False
        return Reply(status=429, headers={"Retry-After": "2"}) if first else PAGE

    origin.routes |= {"/robots.txt": Reply(status=404), "/a/0": busy, "/a/1": PAGE}
    origin.routes |= {f"late.localhost/a/{n}": Reply(status=503, headers={"Retry-After": "3600"}) for n in range(5)}
    crawled = crawl(
        {"s": {"url": origin.url()}, "late": {"url": origin.url(host="late.localhost")}},
        urls=[
            *(["s", origin.url(f"/a/{n}")] for n in range(2)),
            *(["late", origin.url(f"/a/{n}", "late.localhost")] for n in range(5)),
        ],
    )
    times = [asked.at for asked in origin.asked if asked.host.startswith("site.") and asked.path.startswith("/a")]
    assert len(times) == 3
    assert times[1] - times[0] >= 2
    assert [page.attempts for page in crawled.pages if page.discovery.url.endswith("/0")] == [2]
    assert [path for path in origin.paths("late.localhost") if path.startswith("/a")] == ["/a/0"]
    ends = [e["outcome"] for e in crawled.entries if e["kind"] == "outcome" and e["site"] == "late"]
    assert ends == ["deferred"] * 5
    crawled.assert_sums()


def test_crawl_delay_holds(origin: Origin, crawl: Crawl) -> None:
    """A Crawl-delay above the site's own delay is kept, seen from the origin."""
    origin.routes |= {"/robots.txt": Reply("User-agent: *\nCrawl-delay: 0.5", type="text/plain")}
    origin.routes |= {f"/a/{n}": PAGE for n in range(4)}
    crawl({"s": {"url": origin.url()}}, urls=[["s", origin.url(f"/a/{n}")] for n in range(4)])
    times = [asked.at for asked in origin.asked]
    assert len(times) >= 5
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.5
