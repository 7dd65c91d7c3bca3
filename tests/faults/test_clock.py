"""Wall clocks that step, and days that are odd: what is measured in time goes by the monotonic clock, and runs stay in order."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.faults.cases import NONE, PAGE
from tests.faults.desk import TOWNS, article, furnish, titles, whole
from tests.flows.world import LINE, wait_for
from tests.spiders.conftest import finish, site_file, start
from tests.spiders.origin import Asked, Origin, Reply

pytestmark = pytest.mark.faults
DAY_S = 86_400
WITH_COMPILER = pytest.mark.skipif(not shutil.which("cc"), reason="the clock is stepped by a library that cc builds")


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that stands before libc's clock."""
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    return library


class Clock:
    """The clock of the processes that are started with `env`."""

    def __init__(self, shim: Path, folder: Path) -> None:
        self._step = folder / "step"
        self.env = {**os.environ, "LD_PRELOAD": str(shim), "CLOCK_STEP": str(self._step)}
        self.step(0)

    def step(self, seconds: int) -> None:
        part = self._step.with_suffix(".part")
        part.write_text(str(seconds))
        part.rename(self._step)


@WITH_COMPILER
def test_a_clock_that_steps_amid_a_crawl_changes_nothing(tmp_path: Path, shim: Path) -> None:
    """A day forward, then two back: every page comes in, no host is asked too soon, none waits for the old time to come again."""
    clock = Clock(shim, tmp_path)
    with Origin() as origin:
        origin.routes |= {"/robots.txt": NONE} | {f"/{n}": PAGE for n in range(12)}
        sites = {f"h{n}": {"url": origin.url(host=f"h{n}.localhost"), "politeness": {"delay_s": 0.2}} for n in range(3)}
        urls = [[name, keys["url"] + str(n)] for name, keys in sites.items() for n in range(12)]
        process = start(tmp_path, sites, urls=urls, env=clock.env)
        for asked, step in [(9, DAY_S), (24, -DAY_S)]:
            wait_for(lambda asked=asked: len(origin.asked) > asked, 30, "the crawl goes on")
            clock.step(step)
        crawled = finish(process, tmp_path)
        rows = [[a.at for a in origin.asked if a.host.startswith(f"h{n}.")] for n in range(3)]
    assert (crawled.code, crawled.errors) == (0, "")
    crawled.assert_sums()
    assert len(crawled.pages) == 36
    days = {round((page.fetched_at - datetime.now(UTC)) / timedelta(days=1)) for page in crawled.pages}
    assert days == {0, 1, -1}  # the clock did step
    gaps = [later - earlier for row in rows for earlier, later in pairwise(sorted(row))]
    assert min(gaps) >= 0.2 - 0.002
    assert max(gaps) < 5


@WITH_COMPILER
@pytest.mark.parametrize("steps", [(0, -DAY_S), (20 * 365 * DAY_S, 0)], ids=["a day back", "twenty years ahead"])
def test_runs_under_different_clocks_lose_and_double_nothing(
    tmp_path: Path, shim: Path, steps: tuple[int, int]
) -> None:
    """A run whose clock is wrong before or after one whose is right: each article is asked for once, nothing is left open, no run has a negative length."""
    clock = Clock(shim, tmp_path)
    with Origin() as origin:
        data = furnish(tmp_path / "data", origin)
        for number, step in enumerate(steps):
            add_by_sitemap(data, origin, number)
            clock.step(step)
            run_line(data, clock)
        asked = [a.path for a in origin.asked if a.path.startswith("/2026/")]
        assert len(asked) == len(set(asked)) == 26
    assert titles(data) == sorted([*whole(), *(("north", f"Late {n} votes on its harbour") for n in range(2))])
    with duckdb.connect(str(data / "store" / "published.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT outcome, count(*) FROM urls GROUP BY ALL").fetchall() == [("loaded", 26)]
        assert connection.execute("SELECT count(*) FROM runs WHERE finished_at < started_at").fetchall() == [(0,)]


@WITH_COMPILER
def test_the_text_decides_and_not_what_a_server_says_of_it(tmp_path: Path, shim: Path) -> None:
    """Visited again a week later: validators that change with every answer, of the future, or that lie; 304 to what nobody asked: versions are of texts alone."""
    clock = Clock(shim, tmp_path)
    visits: Counter[str] = Counter()
    with Origin() as origin:
        data = furnish(tmp_path / "data", origin)
        path = {town: f"/2026/north-votes-on-the-harbour-of-{town.lower()}" for town in TOWNS}

        def answer(asked: Asked) -> Reply:
            visits[asked.path] += 1
            first, town = visits[asked.path] == 1, asked.path.rpartition("-")[2].title()
            text = article("north", town, origin.url(asked.path, "north.localhost"))
            if town == "Aldermere":
                fields = {"ETag": f'"{visits[asked.path]}"', "Last-Modified": "Thu, 31 Dec 2099 00:00:00 GMT"}
                return Reply(text, headers={**fields, "Cache-Control": "no-store"})
            if town == "Brackwater":
                return Reply(text if first else text.replace("dredged", "filled in"), headers={"ETag": '"1"'})
            if town == "Coldharbour":
                return Reply(text) if first else Reply(status=304)
            known = asked.headers.get("if-none-match") == '"1"'
            return Reply(status=304) if known else Reply(text if first else "lost", headers={"ETag": '"1"'})

        for town in ("Aldermere", "Brackwater", "Coldharbour", "Dunmoor"):
            origin.routes["north.localhost" + path[town]] = answer
        run_line(data, clock)
        clock.step(8 * DAY_S)
        run_line(data, clock)
        assert [visits[path[town]] for town in ("Aldermere", "Brackwater", "Coldharbour", "Dunmoor")] == [2] * 4
    assert titles(data) == whole()
    with duckdb.connect(str(data / "store" / "published.duckdb"), read_only=True) as connection:
        versions = connection.execute(
            "SELECT headline FROM article_versions GROUP BY ALL HAVING count(*) > 2"
        ).fetchall()
        assert versions == [("Brackwater votes on its harbour",)]  # two of the north, one of the south


def add_by_sitemap(data: Path, origin: Origin, number: int) -> None:
    """Let the north have a sitemap beside its feed, that names one more late article each time, with its day."""
    host = "north.localhost"
    links = [origin.url(f"/2026/late-news-of-the-harbour-{n}", host) for n in range(number + 1)]
    for n, link in enumerate(links):
        origin.routes[f"{host}/2026/late-news-of-the-harbour-{n}"] = Reply(article("north", f"Late {n}", link))
    days = [f"{datetime.now(UTC) - timedelta(hours=6 + number - n):%Y-%m-%dT%H:%M:%SZ}" for n in range(number + 1)]
    entries = "".join(
        f"<url><loc>{link}</loc><lastmod>{day}</lastmod></url>" for link, day in zip(links, days, strict=True)
    )
    origin.routes[f"{host}/map"] = Reply(f"<urlset>{entries}</urlset>", type="text/xml")
    sources = {"feeds": [origin.url("/feed", host)], "sitemaps": [origin.url("/map", host)]}
    site_file(data / "sites", "north", origin.url(host=host), politeness={"delay_s": 0.02}, sources=sources)


def run_line(data: Path, clock: Clock) -> None:
    command = [sys.executable, str(LINE), str(data)]
    done = subprocess.run(command, env=clock.env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_schedule_fires_once_on_every_night() -> None:
    """Prefect's own reckoning of the nightly hour: once a day through both changes of the clock and a leap day, at that hour by the site's clock."""
    from prefect.server.schemas.schedules import CronSchedule  # seconds of import, for this test alone

    cron = CronSchedule(cron="30 4 * * *", timezone="Europe/Brussels")
    for first in ("2027-03-26", "2027-10-29", "2028-02-27"):
        start = datetime.fromisoformat(f"{first}T00:00:00+00:00")
        fires = asyncio.run(cron.get_dates(5, start))
        local = [at.astimezone(ZoneInfo("Europe/Brussels")) for at in fires]
        assert [f"{at:%H:%M}" for at in local] == ["04:30"] * 5
        days = [at.date() for at in local]
        assert days == [days[0] + timedelta(days=n) for n in range(5)]
        assert days[0] == start.date()
