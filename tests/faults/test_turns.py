"""Two spiders side by side that need the same hosts: by the origin's log never two requests at once, none too soon."""

from itertools import pairwise
from pathlib import Path

import pytest

from spiders.turns import LONGEST_S, Turns
from tests.faults.cases import PAGE
from tests.spiders.conftest import finish, start
from tests.spiders.origin import Origin, Reply

pytestmark = pytest.mark.faults
DELAY_S = 0.3
FREE = '<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license><permits type="usage">all</permits></license></content></rsl>'


def test_two_shards_take_turns_at_a_host_that_both_need(tmp_path: Path) -> None:
    """The licences of all sites stand on one host, and so do pages that sites of both shards own: each is asked for once, one after the other."""
    with Origin() as origin:
        origin.routes["shared.localhost/robots.txt"] = Reply(status=404, delay_s=0.2)
        shards = {}
        for number in range(6):
            host = f"h{number}.localhost"
            licence, page = f"/licence-{number}.xml", f"/shared-{number}"
            origin.routes |= {
                f"{host}/robots.txt": Reply(
                    f"License: {origin.url(licence, 'licences.localhost')}\n", type="text/plain"
                ),
                f"licences.localhost{licence}": Reply(FREE, type="application/rsl+xml", delay_s=0.2),
                f"{host}/a": PAGE,
                f"shared.localhost{page}": Reply(PAGE.body, delay_s=0.2),
            }
            site = {
                "url": origin.url(host=host),
                "hosts": [host, "shared.localhost"],
                "politeness": {"delay_s": DELAY_S},
            }
            sites, urls = shards.setdefault(f"s{number % 2}", ({}, []))
            sites[f"h{number}"] = site
            urls += [[f"h{number}", origin.url("/a", host)], [f"h{number}", origin.url(page, "shared.localhost")]]
        running = [
            start(tmp_path, sites, run_id=shard, urls=urls, timeout_s=20, patience_s=20)
            for shard, (sites, urls) in shards.items()
        ]
        crawls = [finish(process, tmp_path, run_id=shard) for process, shard in zip(running, shards, strict=True)]
        assert set(origin.most_at_once.values()) == {1}
        for host, requests in (("licences.localhost", 6), ("shared.localhost", 6)):
            times = sorted(
                a.at
                for a in origin.asked
                if a.host.startswith(host) and "/robots.txt" not in a.path and "/." not in a.path
            )
            assert len(times) == requests
            assert min(later - earlier for earlier, later in pairwise(times)) >= DELAY_S - 0.002
    for crawled in crawls:
        assert (crawled.code, crawled.errors) == (0, "")
        assert set(crawled.outcomes_by_url.values()) == {"page"}
        assert {page.rights.get("licence_terms") for page in crawled.pages if page.final_url.endswith("/a")} != {None}
        crawled.assert_sums()


def test_a_turn_is_given_back_with_the_time_of_the_next(tmp_path: Path) -> None:
    """Of one spider: another host's turn is free meanwhile; a moment that no request can have left behind holds nobody up."""
    turns = Turns(tmp_path)
    assert turns.take("a.example", 1.0) == 0.0
    assert turns.take("b.example", 1.0) == 0.0
    assert turns.take("a.example", 1.0) > 0.0
    turns.give("b.example", 0.0)
    assert turns.take("b.example", 1.0) == 0.0
    turns.give("a.example", 1e12)
    assert LONGEST_S - 1 < turns.take("a.example", 1.0) <= LONGEST_S
    turns.close()
    file = tmp_path / "locks" / "turns"
    file.write_bytes(b"\x7f\xef" * (file.stat().st_size // 2))  # of another machine's run, or none at all
    turns = Turns(tmp_path)
    assert turns.take("a.example", 1.0) == 0.0
    turns.close()
