"""Politeness over fifty hosts, proven from the origin's own log, whose times are the kernel's and not our program's."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tests.faults.cases import NONE, PAGE
from tests.spiders.conftest import Crawled, finish, start
from tests.spiders.origin import Asked, Origin, Reply, Route, moved

pytestmark = pytest.mark.faults
HOSTS = 50
DELAY_S, CRAWL_DELAY_S = 0.3, 0.9
WAIT_S = 3
RULES = "User-agent: *\nDisallow: /private/\n"


@dataclass
class Log:
    """What the origin saw, by host: its requests in the order in which they arrived."""

    origin: Origin
    crawled: Crawled
    by_host: dict[str, list[Asked]]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """A crawl of fifty hosts with feeds, nested sitemaps, redirects in and across hosts, slow, failing and waiting ones."""
    data = tmp_path_factory.mktemp("manners")
    with Origin() as origin:
        sites = {}
        for number in range(HOSTS):
            host = f"h{number}.localhost"
            origin.routes |= {host + path: route for path, route in routes(origin, number).items()}
            sites[f"h{number}"] = {
                "url": origin.url(host=host),
                "hosts": [host, neighbour(number)],
                "politeness": {"delay_s": DELAY_S},
                "sources": {"feeds": [origin.url("/feed", host)], "sitemaps": [origin.url("/index", host)]},
            }
        crawled = finish(start(data, sites, timeout_s=5, patience_s=8), data, timeout_s=120)
        by_host: dict[str, list[Asked]] = {}
        for asked in sorted(origin.asked, key=lambda asked: asked.at):
            by_host.setdefault(asked.host.split(":")[0], []).append(asked)
        yield Log(origin, crawled, by_host)


def neighbour(number: int) -> str:
    """The other host that a site owns: one that is a site of its own too, or serves nothing but what is moved there."""
    return f"cdn{number % 5}.localhost"


def routes(origin: Origin, number: int) -> dict[str, Route]:
    """What a host serves; the number decides its robots.txt and which trouble it makes."""
    host = f"h{number}.localhost"
    url = lambda path: origin.url(path, host)  # noqa: E731
    pages = [f"/{n}" for n in range(4)]
    origin.routes.setdefault(f"{neighbour(number)}/robots.txt", NONE)
    origin.routes[f"{neighbour(number)}/landed-{number}"] = PAGE
    rules = RULES + (f"Crawl-delay: {CRAWL_DELAY_S}\n" if number % 10 == 3 else "")
    found = [*pages, "/private/a", "/moved", "/away", "/to-private", *(["/wait"] if number % 5 == 4 else [])]
    items = "".join(f"<item><link>{url(path)}</link></item>" for path in found)
    return {
        "/robots.txt": moved("/rules") if number % 7 == 0 else Reply(rules, type="text/plain"),
        "/rules": Reply(rules, type="text/plain"),
        "/feed": moved("/feed.xml") if number % 3 == 0 else feed(items),
        "/feed.xml": feed(items),
        "/index": Reply(f"<sitemapindex><sitemap><loc>{url('/map')}</loc></sitemap></sitemapindex>", type="text/xml"),
        "/map": Reply(f"<urlset><url><loc>{url('/late')}</loc></url></urlset>", type="text/xml"),
        **dict.fromkeys(pages, Reply(PAGE.body, delay_s=0.5) if number % 5 == 1 else PAGE),
        "/late": Reply("no", status=500) if number % 5 == 2 else PAGE,
        "/moved": moved("/landed"),
        "/landed": PAGE,
        "/away": moved(origin.url(f"/landed-{number}", neighbour(number))),
        "/to-private": moved("/private/b"),
        "/wait": waiting(number),
        "/private/a": PAGE,
        "/private/b": PAGE,
    }


def feed(items: str) -> Reply:
    return Reply(f"<rss version='2.0'><channel>{items}</channel></rss>", type="text/xml")


def waiting(number: int) -> Route:
    """Ask to be left alone, in seconds or until a date; answer well the second time."""
    asked_before: list[float] = []

    def answer(asked: Asked) -> Reply:
        asked_before.append(asked.at)
        if len(asked_before) > 1:
            return PAGE
        until = datetime.fromtimestamp(int(time.time()) + WAIT_S + 1, UTC)
        after = f"{until:%a, %d %b %Y %H:%M:%S GMT}" if number % 2 else str(WAIT_S)
        return Reply("wait", status=429 if number % 3 else 503, headers={"Retry-After": after})

    return answer


def test_all_of_it_was_fetched(log: Log) -> None:
    """The crawl read every source and fetched every page that it may: being polite left nothing out."""
    assert (log.crawled.code, log.crawled.errors) == (0, "")
    log.crawled.assert_sums()
    ends = log.crawled.outcomes_by_url
    for number in range(HOSTS):
        host = f"h{number}.localhost"
        pages = ["/0", "/1", "/2", "/3", "/moved", "/away", *(["/wait"] if number % 5 == 4 else [])]
        assert {ends[log.origin.url(path, host)] for path in pages} == {"page"}, host
        assert ends[log.origin.url("/late", host)] == ("server_error" if number % 5 == 2 else "page")
        assert {ends[log.origin.url(path, host)] for path in ("/private/a", "/to-private")} == {"robots"}


def test_one_request_at_a_time(log: Log) -> None:
    """No host ever had two requests under way, whatever they were for."""
    assert len(log.by_host) == HOSTS + 5
    assert set(log.origin.most_at_once.values()) == {1}
    for row in log.by_host.values():
        assert all(
            later.at >= earlier.at + 0.4
            for earlier, later in pairwise(row)
            if earlier.path == "/0" and earlier.until - earlier.at > 0.4
        )


def test_never_closer_than_the_delay(log: Log) -> None:
    """Between any two requests at a host lies its delay at least: robots.txt, feeds, sitemaps, redirects and retries counted."""
    for host, row in log.by_host.items():
        assert len(row) > 5, host
        delay_s = CRAWL_DELAY_S if host.endswith("3.localhost") and host.startswith("h") else DELAY_S
        for earlier, later in pairwise(row):
            known = later.path != "/rules"  # where robots.txt leads: its Crawl-delay is not yet read
            assert later.at - earlier.at > (delay_s if known else DELAY_S) - 0.002, (host, earlier.path, later.path)


def test_nothing_that_robots_forbids_is_asked(log: Log) -> None:
    """No path below /private/ was asked for, neither as it was found nor where a redirect led; robots.txt came first."""
    assert not [asked.path for row in log.by_host.values() for asked in row if asked.path.startswith("/private/")]
    assert {row[0].path for row in log.by_host.values()} == {"/robots.txt"}


def test_a_host_is_left_alone_for_as_long_as_it_asks(log: Log) -> None:
    """After a Retry-After, in seconds or as a date, the host hears nothing until then, and is asked again afterwards."""
    for number in range(4, HOSTS, 5):
        row = log.by_host[f"h{number}.localhost"]
        first, second = [asked.at for asked in row if asked.path == "/wait"]
        assert second - first >= WAIT_S - 0.002
        assert not [asked.path for asked in row if first < asked.at < first + WAIT_S - 0.002]
