"""A poor machine: few file descriptors, no network, no temporary folder, no environment. It works, or says why in one line."""

import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from spiders.room import MOST_AT_ONCE, divided
from tests.faults.cases import NONE, PAGE
from tests.faults.desk import furnish, titles, whole
from tests.flows.world import LINE, NIGHTDESK
from tests.spiders.conftest import finish, start
from tests.spiders.origin import Origin, Reply

pytestmark = pytest.mark.faults
BARE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "TMPDIR": "/nonexistent", "PYTHONTZPATH": ""}
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="a namespace of one's own needs root")
# Makes /tmp and /var/tmp read-only but for the folder that is the next argument, and runs what follows.
NO_TMP = [
    *("unshare", "-m", "sh", "-ec"),
    (
        'for d in /tmp /var/tmp; do mount --bind $d $d; done; mount --bind "$0" "$0";'
        ' for d in /tmp /var/tmp; do mount -o remount,bind,ro $d; done; exec "$@"'
    ),
]


@pytest.mark.parametrize("limit", ["(40, 40)", "(40, 4000)"])
def test_few_file_descriptors_are_no_fault_of_the_hosts(tmp_path: Path, limit: str) -> None:
    """With forty descriptors sixty slow hosts are asked a few at a time; where the hard limit allows more, it is taken."""
    with Origin() as origin:
        origin.routes |= {"/robots.txt": NONE} | {f"/{n}": Reply(PAGE.body, delay_s=0.1) for n in range(2)}
        hosts = [f"h{n}.localhost" for n in range(60)]
        sites = {host.partition(".")[0]: {"url": origin.url(host=host)} for host in hosts}
        urls = [[host.partition(".")[0], origin.url(f"/{n}", host)] for host in hosts for n in range(2)]
        preload = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, {limit})"
        crawled = finish(start(tmp_path, sites, urls=urls, preload=preload), tmp_path)
    assert (crawled.code, crawled.errors) == (0, "")
    assert Counter(crawled.outcomes_by_url.values()) == {"page": 120}
    crawled.assert_sums()


def test_room_is_divided_between_requests_and_kept_connections() -> None:
    """Connections are kept only where there is a descriptor for each host besides those under way; one request always goes."""
    assert divided(100_000, 500) == (MOST_AT_ONCE, True)
    assert divided(MOST_AT_ONCE + 500, 500) == (MOST_AT_ONCE, True)
    assert divided(MOST_AT_ONCE + 499, 500) == (MOST_AT_ONCE, False)
    assert divided(20, 3) == (20, False)
    assert divided(-5, 3) == (1, False)


@AS_ROOT
def test_without_any_network_each_url_says_so(tmp_path: Path) -> None:
    """In a network namespace with nothing in it: exit code 0, the outcomes name what failed, all of it is tried again next time."""
    sites = {
        "near": {"url": "http://near.localhost:9/"},
        "far": {"url": "http://no-such-name.invalid/", "politeness": {"delay_s": 1}},
    }
    urls = [[name, keys["url"] + "a"] for name, keys in sites.items()]
    crawled = finish(
        start(tmp_path, sites, urls=urls, within=["unshare", "-n"], contact="mailto:desk@example.org"), tmp_path
    )
    assert (crawled.code, crawled.errors) == (0, "")
    ends = {e["site"]: (e["outcome"], e["reason"]) for e in crawled.entries if e["kind"] == "outcome"}
    assert {site: outcome for site, (outcome, _) in ends.items()} == {"near": "connection_failed", "far": "dns_failed"}
    assert "unreachable" in ends["near"][1]
    crawled.assert_sums()


@AS_ROOT
def test_a_bare_environment_is_enough(tmp_path: Path) -> None:
    """No HOME, no TERM, no PATH, no zones of the system, an ASCII locale, and /tmp and /var/tmp read-only: pages come in and hold every letter."""
    title = "Überfall in Łódź – 東京 reagiert"
    with Origin() as origin:
        item = f"<item><title>{title}</title><link>{origin.url('/ü')}</link></item>"
        origin.routes |= {
            "/robots.txt": NONE,
            "/%C3%BC": PAGE,
            "/feed": Reply(f"<rss version='2.0'><channel>{item}</channel></rss>", type="text/xml"),
        }
        site = {"url": origin.url(), "sources": {"feeds": [origin.url("/feed")]}}
        crawled = finish(start(tmp_path, {"s": site}, env=BARE, within=[*NO_TMP, str(tmp_path)]), tmp_path)
    assert (crawled.code, crawled.errors) == (0, "")
    [page] = crawled.pages
    assert page.discovery.title_hint == title


@AS_ROOT
def test_the_whole_line_works_in_a_bare_environment(tmp_path: Path) -> None:
    """As the spider alone: pages are fetched, extracted and loaded; what is asked for comes out whole in a pipe and readable on a terminal."""
    with Origin() as origin:
        data = furnish(tmp_path / "data", origin)
        within = [*NO_TMP, str(tmp_path)]
        line = subprocess.run(
            [*within, sys.executable, str(LINE), str(data)], env=BARE, capture_output=True, timeout=90, check=False
        )
        assert line.returncode == 0, line.stderr.decode()
        assert titles(data) == whole()
        query = [*within, NIGHTDESK, "sql", "--csv", "select count(*), 'Łódź – 東京' as place from articles"]
        said = subprocess.check_output([*query, "--data", str(data)], env=BARE, timeout=60)
        assert said.decode().splitlines()[1] == "24,Łódź – 東京"
        ours, terminal = pty.openpty()
        check = [*within, NIGHTDESK, "sites", "check", "north", "--data", str(data)]
        subprocess.run(check, env=BARE, stdin=terminal, stdout=terminal, stderr=terminal, timeout=60, check=True)
        assert b"12" in os.read(ours, 65536)
    os.close(ours)
    os.close(terminal)
