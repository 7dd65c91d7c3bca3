"""Prefect's user interface as a person uses it, in a real Chromium; and a schedule that fires by itself."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from flows.config import Settings
from flows.up import deployments_file, rendered
from tests.flows.world import (
    Served,
    Up,
    descendants,
    free_port,
    is_alive,
    kill,
    serving_up,
    stored_articles,
    wait_for,
)

# Taken out: to the program every variable of this prefix is a setting, and an unknown one is refused.
CHROMIUM = os.environ.pop("NIGHTDESK_CHROMIUM", "") or shutil.which("chromium") or ""
SCREENSHOTS = os.environ.pop("NIGHTDESK_SCREENSHOTS", "")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
PATIENCE_MS = 90_000  # two cores, shared
ZONES = {"la-lanterne": "Europe/Paris", "lindenauer-bote": "Europe/Berlin", "saltmarsh-courier": "Europe/London"}
PREFECT = (sys.executable, "-m", "prefect")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).is_file():
        pytest.skip(f"no Chromium ({CHROMIUM or 'none in the PATH'}); NIGHTDESK_CHROMIUM names one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def up(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with serving_up(tmp_path_factory.mktemp("browser")) as served:
        yield served


@pytest.fixture
def page(browser: Browser, up: Up) -> Iterator[Page]:
    """The user interface at its address, in a window of its own that reaches this machine only."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    context.route("**/*", on_this_machine)
    page = context.new_page()
    page.goto(up.address)
    yield page
    context.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: NIGHTDESK_SCREENSHOTS, if they are to be kept."""
    folder = Path(SCREENSHOTS or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def on_this_machine(route: Route) -> None:
    """Let nothing out: the interface asks a host that counts its users."""
    if urlsplit(route.request.url).hostname in {"127.0.0.1", "localhost"}:
        route.continue_()
    else:
        route.abort()


def choose_run(page: Page, deployment: str, way: str) -> None:
    page.get_by_role("link", name="Deployments").click()
    page.get_by_role("link", name=deployment, exact=True).first.click()  # the second is its flow, of the same name
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=way).click()


def fill(page: Page, sites: tuple[str, ...], **days: date) -> None:
    """Fill the form of a backfill."""
    for name, day in days.items():
        page.get_by_role("button", name=name, exact=True).click()
        field = page.get_by_role("textbox", name="Date (yyyy-MM-dd)")
        field.fill(day.isoformat())
        field.press("Enter")
        page.keyboard.press("Escape")
        expect(field).to_be_hidden()
    page.get_by_role("button", name="Select SiteName").click()
    for site in sites:
        page.get_by_role("option", name=site).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("option").first).to_be_hidden()


def view_run(page: Page) -> str:
    """Follow the link to the run that was started; return its id."""
    page.get_by_role("link", name="View run").click()
    page.wait_for_url("**/runs/flow-run/*")
    return urlsplit(page.url).path.rpartition("/")[2]


def newest_first(page: Page) -> None:
    page.get_by_role("combobox", name="log sort order").click()
    page.get_by_role("option", name="Newest to oldest").click()


def photograph(page: Page, path: Path) -> None:
    page.wait_for_timeout(2000)  # the timeline moves until it stands
    page.screenshot(path=path)
    assert path.stat().st_size > 10_000


def table(page: Page) -> dict[str, list[str]]:
    """The report's rows, by site."""
    page.get_by_role("table").wait_for()
    rows = [row.get_by_role("cell").all_inner_texts() for row in page.get_by_role("row").all()]
    return {cells[0]: cells[1:] for cells in rows if cells}


def open_report(page: Page, kind: str) -> None:
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_role("link", name=f"{kind}-report").click()
    page.locator("a[href*='/artifacts/artifact/']").first.click()


@pytest.mark.browser
@pytest.mark.prefect
def test_bad_days_are_refused_on_the_page(page: Page, up: Up) -> None:
    """A last day before the first: the run's page says so and what would help, and nothing is fetched."""
    before = up.newsroom.asked().total()
    choose_run(page, "backfill", "Custom run")
    fill(page, (), first_day=date(2026, 11, 5), last_day=date(2026, 11, 1))
    page.get_by_role("button", name="Submit").click()
    run = view_run(page)
    state, message = up.ended(run)
    assert state == "Failed"
    assert "last_day 2026-11-01 is before first_day 2026-11-05; swap them" in message
    page.reload()
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible()
    expect(page.get_by_text("is before first_day 2026-11-05; swap them").first).to_be_visible()
    assert up.newsroom.asked().total() == before
    assert up.articles() == set()


@pytest.mark.browser
@pytest.mark.prefect
def test_a_backfill_is_started_from_its_form(page: Page, up: Up, pictures: Path) -> None:
    """Two sites and two days: every article of those days is stored, each fetched once; the third site is left alone."""
    first, last = date(2026, 11, 12), date(2026, 11, 13)
    sites = ("lindenauer-bote", "saltmarsh-courier")
    choose_run(page, "backfill", "Custom run")
    fill(page, sites, first_day=first, last_day=last)
    photograph(page, pictures / "backfill-form.png")
    page.get_by_role("button", name="Submit").click()
    run = view_run(page)
    state, message = up.ended(run)
    assert state == "Completed", up.logs(run)
    parameters = up.api.get(f"/flow_runs/{run}").json()["parameters"]
    assert parameters["sites"] == list(sites)
    assert (parameters["first_day"], parameters["last_day"]) == (first.isoformat(), last.isoformat())

    truth = up.newsroom.truth().articles
    wanted = {
        a.url
        for a in truth
        if a.site in sites and first <= a.date_published.astimezone(ZoneInfo(ZONES[a.site])).date() <= last
    }
    asked = up.newsroom.asked()
    assert len(wanted) > 3
    assert wanted - up.articles() == set()
    assert {asked[url] for url in wanted} == {1}
    assert not [a.url for a in truth if a.site == "la-lanterne" and asked[a.url]]

    page.reload()
    newest_first(page)
    expect(page.get_by_text(message).first).to_be_visible()
    photograph(page, pictures / "backfill-run.png")
    open_report(page, "backfill")
    assert set(table(page)) == set(sites)


@pytest.mark.browser
@pytest.mark.prefect
def test_a_nightly_run_is_started_by_a_button(page: Page, up: Up, pictures: Path) -> None:
    """Run, Quick run: the page tells each site in its log, the report has all three, and SQL finds every article."""
    choose_run(page, "nightly", "Quick run")
    run = view_run(page)
    state, message = up.ended(run)
    assert state == "Completed", up.logs(run)
    truth = up.newsroom.truth().articles
    assert up.articles() == {article.url for article in truth}

    page.reload()
    newest_first(page)
    log = page.get_by_role("log")
    for site in ZONES:
        expect(log.get_by_text(f"{site}: ")).to_be_visible()
    photograph(page, pictures / "nightly-run.png")

    open_report(page, "nightly")
    rows = table(page)
    assert set(rows) == set(ZONES)
    expect(page.get_by_text(message).first).to_be_visible()
    photograph(page, pictures / "nightly-report.png")
    assert sum(int(cells[1]) for cells in rows.values()) == int(message.split(" pages fetched")[0].rpartition(" ")[2])


@contextmanager
def running(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[None]:
    """One of Prefect's own commands, and all that it starts, until the block is left."""
    with log.open("wb") as file:
        process = subprocess.Popen([*PREFECT, *arguments], env=environment, stdout=file, stderr=file)
        try:
            yield
        finally:
            below = descendants(process.pid)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            kill({pid for pid in below if is_alive(pid)})


def answers(api: httpx.Client, path: str) -> bool:
    try:
        return api.get(path).is_success
    except httpx.HTTPError:
        return False


def scheduled_runs(api: httpx.Client) -> list[dict[str, Any]]:
    wanted = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}, "sort": "END_TIME_DESC"}
    return [run for run in api.post("/flow_runs/filter", json=wanted).json() if run["auto_scheduled"]]


@pytest.mark.prefect
def test_the_schedule_fires_on_any_prefect_server(own_newsroom: Served, tmp_path: Path) -> None:
    """`prefect deploy --all` from a checkout, a plain server and worker: the cron's run comes by itself and loads all."""
    data = own_newsroom.furnish(tmp_path / "data")
    address = f"http://127.0.0.1:{(port := free_port())}/api"
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("PREFECT_", "NIGHTDESK_"))}
    environment |= {"NIGHTDESK_DATA": str(data), "PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_API_URL": address}
    environment |= {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "NO_COLOR": "1"}
    every_minute = tmp_path / "prefect.yaml"
    text = deployments_file().read_text(encoding="utf-8")
    every_minute.write_text(rendered(text, Settings(nightly_cron="* * * * *")), encoding="utf-8")
    deploy = [*PREFECT, "--no-prompt", "deploy", "--all", "--prefect-file", str(every_minute)]
    with (
        running(environment, tmp_path / "server.log", "server", "start", "--host", "127.0.0.1", "--port", str(port)),
        httpx.Client(base_url=address, timeout=60) as api,
    ):
        wait_for(lambda: pause() or answers(api, "/health"), 150, "the server answers")
        worker = ("worker", "start", "--pool", "nightdesk", "--type", "process")
        with running(environment, tmp_path / "worker.log", *worker):
            wait_for(lambda: pause() or answers(api, "/work_pools/nightdesk"), 150, "the worker makes its pool")
            subprocess.run(deploy, env=environment, cwd=deployments_file().parent, check=True, capture_output=True)
            wait_for(lambda: pause() or scheduled_runs(api), 240, "a scheduled run ends")
            run = scheduled_runs(api)[-1]
            assert run["state"]["name"] == "Completed", run["state"]
    articles = {article.url for article in own_newsroom.truth().articles}
    assert stored_articles(data) == articles
    asked = own_newsroom.asked()
    assert {asked[url] for url in articles} == {1}


def pause() -> None:
    """Wait a little between two questions to a server that has work to do."""
    time.sleep(0.5)
