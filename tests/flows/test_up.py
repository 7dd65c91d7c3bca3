"""`nightdesk up`: a real server, worker and deployments; runs by the API as the Run button starts them; one Ctrl-C."""

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import httpx
import pytest
import yaml
from prefect.server.schemas.schedules import CronSchedule

from flows.config import Settings
from flows.up import deployments_file, rendered, schedule
from tests.flows.world import Up, descendants, is_alive, kill, serving_up, up_over, wait_for


def test_the_schedule_is_that_of_the_settings() -> None:
    """nightdesk.toml's zone and hour stand in the deployed file, and nothing else of it changes."""
    text = deployments_file().read_text(encoding="utf-8")
    settings = Settings(time_zone="Europe/Berlin", nightly_cron="15 5 * * 1-5")
    changed = rendered(text, settings)
    differing = [line for line in changed.splitlines() if line not in text.splitlines()]
    assert [line.strip() for line in differing] == ['- cron: "15 5 * * 1-5"', *["timezone: Europe/Berlin"] * 2]
    assert schedule(settings) == "15 5 * * 1-5"
    assert schedule(Settings()) == "30 4 * * *"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_the_nightly_hour_survives_the_change_of_the_clocks(zone: str) -> None:
    """A year of nights of the deployed schedule, as Prefect counts them: each day once, at 04:30 of that place."""
    text = rendered(deployments_file().read_text(encoding="utf-8"), Settings(time_zone=zone))
    nightly = yaml.safe_load(text)["deployments"][0]
    (entry,) = nightly["schedules"]
    schedule = CronSchedule(cron=entry["cron"], timezone=entry["timezone"])
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    nights = [night.astimezone(ZoneInfo(zone)) for night in asyncio.run(schedule.get_dates(365, start=start))]
    assert {night.strftime("%H:%M") for night in nights} == {"04:30"}
    days = [night.date() for night in nights]
    assert days == [days[0] + timedelta(days=number) for number in range(365)]
    assert len({night.utcoffset() for night in nights}) == 2
    assert nightly["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_a_taken_port_is_refused(tmp_path: Path, nightdesk: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    """Before anything is started: exit code 2, the port and the mend."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = nightdesk("up", "--port", str(port), data=tmp_path, expect=2).stderr
    assert f"port {port}" in said
    assert "--port" in said


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with serving_up(tmp_path_factory.mktemp("up")) as served:
        yield served


@pytest.mark.prefect
def test_the_form_has_described_fields(up: Up) -> None:
    """Backfill asks for two dates and offers the known sites; each field says what it means."""
    schema = up.api.get("/deployments/name/backfill/backfill").json()["parameter_openapi_schema"]
    fields = schema["properties"]
    assert set(schema["required"]) == {"first_day", "last_day"}
    assert fields["first_day"]["format"] == "date"
    assert schema["definitions"]["SiteName"]["enum"] == ["la-lanterne", "lindenauer-bote", "saltmarsh-courier"]
    assert all(len(field["description"]) > 20 for field in fields.values())


@pytest.mark.prefect
def test_the_nightly_run_works_from_the_api(up: Up) -> None:
    """What the Run button does: the run completes, its page has the report, the store every article."""
    run = up.start("nightly", sites=["lindenauer-bote"])
    name, message = up.ended(run)
    assert name == "Completed", up.logs(run)
    assert re.search(r"\d+ new articles", message)
    artifacts = up.api.post("/artifacts/filter", json={"artifacts": {"flow_run_id": {"any_": [run]}}}).json()
    assert any("| lindenauer-bote |" in str(artifact["data"]) for artifact in artifacts)
    assert up.articles() == {a.url for a in up.newsroom.truth().articles if a.site == "lindenauer-bote"}


@pytest.mark.prefect
def test_captures_are_read_again_from_the_api(up: Up) -> None:
    """With a rule switched off meanwhile, the run's report tells what changes; asked to, the flow promotes it."""
    file = up.data / "sites" / "lindenauer-bote.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + '\n[extraction]\nrules_off = ["related.heading"]\n', encoding="utf-8")
    before = up.newsroom.asked().total()
    run = up.start("reextract", sites=["lindenauer-bote"], promote="if the gate lets it pass")
    name, message = up.ended(run)
    file.write_text(text, encoding="utf-8")
    assert name == "Completed", up.logs(run)
    assert "16 texts change" in message
    assert message.endswith("; promoted")
    artifacts = up.api.post("/artifacts/filter", json={"artifacts": {"flow_run_id": {"any_": [run]}}}).json()
    [report] = [str(each["data"]) for each in artifacts if each["key"] == "reextract-report"]
    assert "(`related: related.heading`) Neuere Artikel" in report
    assert up.newsroom.asked().total() == before
    with duckdb.connect(str(up.data / "store" / "published.duckdb"), read_only=True) as connection:
        query = "select count(*) from articles where article_body like '%Neuere Artikel%'"
        assert connection.execute(query).fetchone() == (16,)


@pytest.mark.prefect
def test_bad_days_end_in_the_first_line(up: Up) -> None:
    """A last day before the first fails the run with its sentence, before anything is fetched."""
    before = up.newsroom.asked().total()
    run = up.start("backfill", first_day="2026-11-05", last_day="2026-11-01")
    name, message = up.ended(run)
    assert name == "Failed"
    assert "swap them" in message
    assert up.newsroom.asked().total() == before


@pytest.mark.prefect
def test_an_unknown_site_is_refused_by_the_form(up: Up) -> None:
    """The server itself refuses what is not offered."""
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        up.start("nightly", sites=["nobody"])


@pytest.mark.prefect
def test_a_cancelled_run_keeps_what_it_fetched(up: Up) -> None:
    """Cancel amid the crawl: the run is Cancelled, what was fetched is in the store, and the next run fetches the rest."""
    run = up.start("nightly", sites=["saltmarsh-courier"])
    wait_for(up.fetching, 120, "the crawl has begun")
    up.api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "CANCELLING", "name": "Cancelling"}})
    assert up.ended(run)[0] == "Cancelled"
    with duckdb.connect(str(up.data / "store" / "published.duckdb"), read_only=True) as connection:
        query = "select count(*) from articles where site = 'saltmarsh-courier'"
        assert connection.execute(query).fetchone()[0] > 0
        assert connection.execute("select count(*) from runs where state = 'cancelled'").fetchone() == (1,)
    again = up.start("nightly", sites=["saltmarsh-courier"])
    assert up.ended(again)[0] == "Completed", up.logs(again)
    articles = {a.url for a in up.newsroom.truth().articles if a.site == "saltmarsh-courier"}
    asked = up.newsroom.asked()
    assert {asked[url] for url in articles} == {1}


@pytest.mark.prefect
def test_two_machines_hold_a_host_one_after_the_other(up: Up) -> None:
    """Processes that share nothing but the server: the second has the host when the first has let go."""
    program = """if True:
        import asyncio, sys, time
        from flows.machines import hold_everywhere
        async def main():
            async with hold_everywhere(sys.argv[1:]):
                began = time.time()
                await asyncio.sleep(2)
                print(began, time.time())
        asyncio.run(main())"""
    environment = {**os.environ, "PREFECT_API_URL": str(up.api.base_url)}
    start = [
        subprocess.Popen([sys.executable, "-c", program, *hosts], env=environment, stdout=subprocess.PIPE, text=True)
        for hosts in (["a.example", "*.b.example"], ["*.b.example"])
    ]
    held = sorted(tuple(map(float, process.communicate(timeout=120)[0].split())) for process in start)
    assert held[0][1] <= held[1][0]


@pytest.mark.prefect
def test_a_machine_that_was_off_catches_up_with_one_run(up: Up) -> None:
    """Three nights that were missed all start on return: one works, the others are cancelled, and no two overlap."""
    now = datetime.now(UTC)
    runs = [up.start("nightly", due=now - timedelta(days=nights), sites=["lindenauer-bote"]) for nights in (3, 2, 1)]
    states = sorted(up.ended(run)[0] for run in runs)
    assert states == ["Cancelled", "Cancelled", "Completed"]


@pytest.mark.prefect
def test_a_killed_worker_leaves_nothing_running(up: Up) -> None:
    """Worker and flow killed amid the crawl: the run ends as crashed, no host stays taken, and the next run does the rest."""
    run = up.start("backfill", first_day="2026-10-19", last_day="2026-11-19", sites=["la-lanterne"])
    wait_for(up.fetching, 120, "the backfill fetches")
    killed = {pid for pid in descendants(up.process.pid) if b"worker" in command(pid) or b"engine" in command(pid)}
    assert len(killed) >= 2
    kill(killed)
    assert up.ended(run, 60)[0] == "Crashed"
    again = up.start("backfill", first_day="2026-10-19", last_day="2026-11-19", sites=["la-lanterne"])
    name, message = up.ended(again)
    assert name == "Completed", up.logs(again)
    assert message.startswith("32 of 32 days")
    with duckdb.connect(str(up.data / "store" / "published.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from runs where state = 'running'").fetchone() == (0,)
        assert connection.execute("select state from backfills").fetchall() == [("finished",)]
    lanterne = {a.url for a in up.newsroom.truth().articles if a.site == "la-lanterne"}
    assert lanterne <= up.articles()
    asked = up.newsroom.asked()
    assert sum(asked[url] - 1 for url in lanterne) <= 2  # the request under way, and what was being written


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.prefect
def test_a_killed_server_is_started_again_and_the_run_goes_on(up: Up) -> None:
    """SIGKILL of the server amid a crawl: the run waits for the new one and completes, and no page is fetched twice."""
    before = up.newsroom.asked()
    run = up.start("nightly", sites=["la-lanterne"], refetch=True)
    wait_for(up.fetching, 120, "the crawl has begun")
    killed = {pid for pid in descendants(up.process.pid) if b"server\0start" in command(pid)}
    assert len(killed) == 1
    kill(killed)
    assert up.ended(run)[0] == "Completed"
    lanterne = {a.url for a in up.newsroom.truth().articles if a.site == "la-lanterne"}
    asked = up.newsroom.asked() - before
    assert {asked[url] for url in lanterne} == {1}


@pytest.fixture(scope="module")
def after_power_cut(up: Up) -> Iterator[tuple[Up, str]]:
    """The same folder served again after every process was killed amid a run; with that run."""
    run = up.start("nightly", sites=["la-lanterne"], refetch=True)
    wait_for(up.fetching, 120, "the crawl has begun")
    below = descendants(up.process.pid)
    kill({up.process.pid, *below})
    wait_for(lambda: not any(map(is_alive, below)), 20, "all processes are gone")
    with up_over(up.data, up.newsroom) as again:
        yield again, run


@pytest.mark.prefect
def test_a_machine_that_lost_its_power_goes_on(after_power_cut: tuple[Up, str]) -> None:
    """Server, worker, flow, spider and `nightdesk up` killed at once: the run has crashed and says so, nothing stays held or open, the next run works."""
    up, run = after_power_cut
    name, message = up.state(run)
    assert name == "Crashed"
    assert "the next run takes up what it left" in message
    again = up.start("nightly", sites=["la-lanterne"])
    assert up.ended(again)[0] == "Completed", up.logs(again)
    assert not list(up.data.glob("captures/*/*.open"))
    with duckdb.connect(str(up.data / "store" / "published.duckdb"), read_only=True) as connection:
        query = "select state, reason like 'its process was killed%' from runs order by started_at desc limit 2"
        assert connection.execute(query).fetchall() == [("finished", None), ("failed", True)]
        assert connection.execute("select count(*) from runs where state = 'running'").fetchone() == (0,)
    assert {a.url for a in up.newsroom.truth().articles if a.site == "la-lanterne"} <= up.articles()


@pytest.mark.prefect
def test_ctrl_c_ends_it_all(after_power_cut: tuple[Up, str]) -> None:
    """Amid a run: every process below is gone, the run is told as cancelled, and its fetched pages are kept."""
    up, _ = after_power_cut
    run = up.start("nightly", sites=["la-lanterne"], refetch=True)
    wait_for(up.fetching, 120, "the crawl has begun")
    below = descendants(up.process.pid)
    assert len(below) >= 4
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(90) == 0
    wait_for(lambda: not any(map(is_alive, below)), 20, "all processes end")
    with sqlite3.connect(up.data / "prefect" / "prefect.db") as database:
        (name,) = database.execute(
            "select state_name from flow_run where id = ? or id = ?", (run, run.replace("-", ""))
        ).fetchone()
    assert name == "Cancelled"
    assert not list(up.data.glob("captures/*/*.open"))
