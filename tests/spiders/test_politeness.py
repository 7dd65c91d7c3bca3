"""Politeness: one request a host at a time, never closer than the delay, newest first, hosts in turn."""

import time
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.records import Discovery
from spiders.asks import Ask, Kind
from spiders.politeness import LONGEST_OPEN_S, OPEN_AFTER, OPEN_S, Frontier
from spiders.site import Politeness, Site


def site(delay_s: float = 1.0) -> Site:
    return Site(
        name="s",
        title="S",
        url="http://a.localhost/",
        country="be",
        languages=("en",),
        time_zone="UTC",
        politeness=Politeness(delay_s=delay_s),
    )


def ask(
    url: str, *, kind: Kind = Kind.PAGE, day: int | None = None, delay_s: float = 1.0, found_by: str = "sitemap"
) -> Ask:
    published = datetime(2026, 11, day, tzinfo=UTC) if day else None
    found = Discovery(url=url, site="s", found_in="f", found_by=found_by, published_hint=published)
    return Ask(kind=kind, url=url, site=site(delay_s), discovery=found)


def drain(frontier: Frontier, now: float = 0.0, took_s: float = 0.01) -> list[tuple[float, str]]:
    """Ask for everything, one after the other, each answered after `took_s`; returns (time, URL)."""
    asked = []
    while (wait := frontier.wait_s(now)) is not None:
        now += wait + 1e-9
        taken = frontier.take(now)
        assert taken is not None
        asked.append((now, taken.url))
        host = frontier.host(taken.url)
        host.answered(now, now + took_s, now + took_s)
        now += took_s
        frontier.release(host)
    return asked


def test_newest_first_and_robots_before_all() -> None:
    """robots.txt, then sources, then pages by their dates; pages of a feed without a date count as new."""
    frontier = Frontier()
    for number, (kind, day, found_by) in enumerate(
        [(Kind.PAGE, 3, "sitemap"), (Kind.PAGE, None, "sitemap"), (Kind.PAGE, 9, "sitemap"), (Kind.PAGE, None, "feed")]
    ):
        frontier.add(ask(f"http://a.localhost/p{number}", kind=kind, day=day, found_by=found_by))
    frontier.add(ask("http://a.localhost/feed", kind=Kind.SOURCE))
    frontier.add(ask("http://a.localhost/robots.txt", kind=Kind.ROBOTS))
    frontier.add(ask("http://a.localhost/again"), first=True)
    order = [url.rpartition("/")[2] for _, url in drain(frontier)]
    assert order == ["robots.txt", "feed", "p3", "again", "p2", "p0", "p1"]


def test_hosts_come_round_in_turn() -> None:
    """URLs given site by site are asked for round robin: no host waits for another's to be done."""
    frontier = Frontier()
    for host in "abc":
        for number in range(3):
            frontier.add(ask(f"http://{host}.localhost/{number}"))
    asked = drain(frontier)
    assert [url[7] for _, url in asked] == list("abcabcabc")
    assert asked[-1][0] < 3


def test_a_busy_host_is_not_asked() -> None:
    """Until its answer is in, a host is asked for nothing else, however long that takes."""
    frontier = Frontier()
    frontier.add(ask("http://a.localhost/1"))
    frontier.add(ask("http://a.localhost/2"))
    assert frontier.take(0.0) is not None
    assert frontier.take(1e6) is None
    assert frontier.wait_s(1e6) is None
    assert len(frontier) == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(0.0, 3.0), st.sampled_from(["ok", "error", "wait"])), max_size=60),
    st.floats(0.0, 2.0),
)
def test_never_closer_than_the_delay(events: list[tuple[int, float, str]], delay_s: float) -> None:
    """Whatever the answers and however long they take: the next request is at least a delay after the last was sent."""
    frontier = Frontier()
    for host, _, _ in events:
        frontier.add(ask(f"http://h{host}.localhost/", delay_s=delay_s))
    now = 0.0
    last: dict[str, float] = {}
    for _, took, end in events:
        wait = frontier.wait_s(now)
        assert wait is not None
        now += wait + 1e-9  # adding a difference may fall short of the sum by a rounding
        taken = frontier.take(now)
        assert taken is not None
        host = frontier.host(taken.url)
        assert now >= last.get(host.name, -1e9) + delay_s - 1e-9
        last[host.name] = now
        if end == "ok":
            host.answered(now, now + took, now + took)
        elif end == "error":
            host.failed(now + took)
        else:
            host.told_to_wait(now + took, 5.0)
            assert host.free_at >= now + took + 5.0
        now += took
        frontier.release(host)
    assert len(frontier) == 0


def test_the_circuit_opens_and_closes_by_itself() -> None:
    """After several failures in a row the host rests, longer each time, within a bound; one good answer ends it."""
    frontier = Frontier()
    host = frontier.host("http://a.localhost/")
    for _ in range(OPEN_AFTER):
        host.failed(100.0)
    assert host.free_at >= 100.0 + OPEN_S
    host.failed(200.0)
    assert host.free_at >= 200.0 + 2 * OPEN_S
    for _ in range(20):
        host.failed(300.0)
    assert host.free_at <= 300.0 + LONGEST_OPEN_S
    host.answered(400.0, 400.1, 400.1)
    host.failed(500.0)
    assert host.free_at < 500.0 + OPEN_S


def test_trouble_slows_a_host_down_and_good_answers_speed_it_up() -> None:
    """The gap grows with errors and with answers much slower than usual, and comes back to the delay."""
    frontier = Frontier()
    host = frontier.host("http://a.localhost/")
    host.delay_s = 1.0
    for _ in range(5):
        host.answered(0.0, 0.2, 0.2)
    assert host.gap_s == 1.0
    host.answered(0.0, 4.0, 4.0)
    assert host.gap_s == 2.0
    host.failed(0.0)
    assert host.gap_s == 4.0
    for _ in range(20):
        host.answered(0.0, 0.2, 0.2)
    assert host.gap_s == 1.0


def test_100_000_pending_urls_are_light() -> None:
    """Taking in 100,000 URLs over 500 hosts and handing out one of each host takes under 5 s of CPU."""
    frontier = Frontier()
    began = time.process_time()
    for number in range(100_000):
        frontier.add(ask(f"http://h{number % 500}.localhost/{number}"))
    taken = {frontier.host(found.url).name for _ in range(500) if (found := frontier.take(0.0))}
    assert len(taken) == 500
    assert frontier.take(0.0) is None
    assert time.process_time() - began < 5
