"""Prefect's user interface as a person uses it, in a real Chromium."""

import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from flows.gaps import Mend, form_link
from newsroom.truth import ExpectedArticle
from tests.flows.world import Up, serving_up, wait_for

# Taken out: to the program every variable of this prefix is a setting, and an unknown one is refused.
CHROMIUM = os.environ.pop("NIGHTDESK_CHROMIUM", "") or shutil.which("chromium") or ""
SCREENSHOTS = os.environ.pop("NIGHTDESK_SCREENSHOTS", "")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Nothing gets out: the interface asks a host that counts its users.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
PATIENCE_MS = 90_000  # two cores, shared
ZONES = {"la-lanterne": "Europe/Paris", "lindenauer-bote": "Europe/Berlin", "saltmarsh-courier": "Europe/London"}


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


@pytest.fixture(scope="module")
def person(browser: Browser) -> Iterator[BrowserContext]:
    """Whoever has used the interface before has its scripts in the cache."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(person: BrowserContext, up: Up) -> Iterator[Page]:
    """The user interface at its address, in a window of its own that reaches this machine only."""
    page = person.new_page()
    page.goto(up.address)
    yield page
    page.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: NIGHTDESK_SCREENSHOTS, if they are to be kept."""
    folder = Path(SCREENSHOTS or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def choose_run(page: Page, deployment: str, way: str) -> None:
    page.get_by_role("link", name="Deployments").first.click()
    # Its flow has the same name, and the page before may have links to that
    page.locator("a[href*='/deployments/deployment/']").get_by_text(deployment, exact=True).first.click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=way).click()


def fill(page: Page, sites: tuple[str, ...], *, switches: tuple[str, ...] = (), **days: date) -> None:
    """Fill the form of a backfill."""
    for name, day in days.items():
        page.get_by_role("button", name=name, exact=True).click()
        field = page.get_by_role("textbox", name="Date (yyyy-MM-dd)")
        field.fill(day.isoformat())
        field.press("Enter")
        page.keyboard.press("Escape")
        expect(field).to_be_hidden()
    if sites:
        page.get_by_role("button", name="Select SiteName").click()
        for site in sites:
            page.get_by_role("option", name=site).click()
        page.keyboard.press("Escape")  # while the list is open, it takes the next click for itself
        expect(page.get_by_role("option").first).to_be_hidden()
    for name in switches:
        page.get_by_role("switch", name=name).click()


def submit(page: Page) -> str:
    """Send the form; return the run's id."""
    return started(page, page.get_by_role("button", name="Submit").click)


def started(page: Page, click: Callable[[], None]) -> str:
    """Start a run, again where the server says that its database was locked; follow the link to it; return its id."""
    for _ in range(10):
        with page.expect_response(lambda answer: answer.url.endswith("/create_flow_run")) as answer:
            click()
        if answer.value.status != httpx.codes.SERVICE_UNAVAILABLE:
            break
        page.wait_for_timeout(1000)
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
    page.get_by_role("table").first.get_by_role("cell").first.wait_for()
    cells = "table => [...table.rows].map(row => [...row.querySelectorAll('td')].map(cell => cell.innerText))"
    rows = page.get_by_role("table").first.evaluate(cells)  # at once: the page redraws a report that grows
    return {row[0]: row[1:] for row in rows if row}


def open_artifact(page: Page, key: str) -> None:
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_role("link", name=key).first.click()
    page.locator("a[href*='/artifacts/artifact/']").first.click()


@pytest.mark.browser
@pytest.mark.prefect
def test_bad_days_are_refused_on_the_page(page: Page, up: Up) -> None:
    """A last day before the first: the run's page says so and what would help, and nothing is fetched."""
    before = up.newsroom.asked().total()
    choose_run(page, "backfill", "Custom run")
    fill(page, (), first_day=date(2026, 11, 5), last_day=date(2026, 11, 1))
    run = submit(page)
    state, message = up.ended(run)
    assert state == "Failed"
    assert "last_day 2026-11-01 is before first_day 2026-11-05; swap them" in message
    page.reload()
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible()
    expect(page.get_by_text("is before first_day 2026-11-05; swap them").first).to_be_visible()
    assert up.newsroom.asked().total() == before
    assert up.articles() == set()


FIRST, LAST = date(2026, 11, 12), date(2026, 11, 13)
TWO = ("lindenauer-bote", "saltmarsh-courier")


def day_of(article: ExpectedArticle) -> date:
    return article.date_published.astimezone(ZoneInfo(ZONES[article.site])).date()


def published(up: Up, first: date, last: date, *sites: str) -> set[str]:
    """The articles that the origin published on these days."""
    return {a.url for a in up.newsroom.truth().articles if a.site in sites and first <= day_of(a) <= last}


def pages_asked(up: Up) -> Counter[str]:
    """How often each article was asked for."""
    asked = up.newsroom.asked()
    return Counter({a.url: asked[a.url] for a in up.newsroom.truth().articles if asked[a.url]})


@pytest.mark.browser
@pytest.mark.prefect
def test_a_backfill_is_previewed_from_its_form(page: Page, up: Up, pictures: Path) -> None:
    """Two sites, two days, preview: the page tells URLs, known ones and time by site and day, and no article was asked for."""
    choose_run(page, "backfill", "Custom run")
    fill(page, TWO, first_day=FIRST, last_day=LAST, switches=("preview_only",))
    photograph(page, pictures / "backfill-form.png")
    run = submit(page)
    state, message = up.ended(run)
    assert state == "Completed", up.logs(run)
    wanted = published(up, FIRST, LAST, *TWO)
    number = int(message.split(" URLs")[0])
    assert len(wanted) <= number <= len(wanted) + 4  # a gallery, a wall and a page that is gone are of these days too
    assert f"0 known, {number} to fetch" in message
    assert not pages_asked(up)
    page.reload()
    open_artifact(page, "backfill-preview")
    rows = table(page)
    assert set(rows) == set(TWO)
    assert sum(int(cells[1]) for cells in rows.values()) == number
    assert {LAST.isoformat(), FIRST.isoformat()} <= set(
        page.get_by_role("table").last.get_by_role("cell").all_inner_texts()
    )
    photograph(page, pictures / "backfill-preview.png")


@pytest.mark.browser
@pytest.mark.prefect
def test_a_backfill_is_run_from_its_form(page: Page, up: Up, pictures: Path) -> None:
    """The same form without the preview: SQL finds exactly the articles of those days, each fetched once, no index read again."""
    choose_run(page, "backfill", "Custom run")
    fill(page, TWO, first_day=FIRST, last_day=LAST)
    run = submit(page)
    state, message = up.ended(run)
    assert state == "Completed", up.logs(run)
    parameters = up.api.get(f"/flow_runs/{run}").json()["parameters"]
    assert parameters["sites"] == list(TWO)
    assert (parameters["first_day"], parameters["last_day"]) == (FIRST.isoformat(), LAST.isoformat())

    wanted = published(up, FIRST, LAST, *TWO)
    assert len(wanted) > 3
    assert up.articles() == wanted
    assert pages_asked(up) == Counter(wanted)
    assert {n for url, n in up.newsroom.asked().items() if "sitemap" in url} == {1}

    page.reload()
    newest_first(page)
    expect(page.get_by_text(message).first).to_be_visible()
    photograph(page, pictures / "backfill-run.png")
    open_artifact(page, "backfill-report")
    rows = table(page)
    assert {site: cells[0] for site, cells in rows.items()} == dict.fromkeys(TWO, "2 / 2")


@pytest.mark.browser
@pytest.mark.prefect
def test_a_cancelled_backfill_goes_on_where_it_was(page: Page, up: Up, pictures: Path) -> None:
    """Cancelled amid it from the page, the run keeps what it fetched; the same form again does the rest, nothing twice."""
    site = "saltmarsh-courier"
    file = up.data / "sites" / f"{site}.toml"
    quick = file.read_text("utf-8")
    file.write_text(re.sub("delay_s = .*", "delay_s = 1.0", quick), "utf-8")
    first, last = date(2026, 10, 19), date(2026, 11, 19)
    wanted = published(up, first, last, site)
    known = up.articles() & wanted
    parameters = {"first_day": first.isoformat(), "last_day": last.isoformat(), "sites": [site]}
    run = up.start("backfill", **parameters)
    wait_for(lambda: pause() or len(wanted & set(pages_asked(up))) >= len(known) + 12, 120, "a part is fetched")
    page.goto(f"{up.address}/v2/runs/flow-run/{run}")
    open_artifact(page, "backfill-progress")
    assert set(table(page)) == {site}
    photograph(page, pictures / "backfill-progress.png")
    page.goto(f"{up.address}/v2/runs/flow-run/{run}")
    page.get_by_role("button", name="Open menu").first.click()
    page.get_by_role("menuitem", name="Cancel").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel Flow Run").click()
    assert up.ended(run)[0] == "Cancelled"
    fetched = wanted & set(pages_asked(up))  # loaded before the run ended, or by the next one
    assert len(known) + 12 <= len(fetched) < len(wanted)

    file.write_text(quick, "utf-8")
    link = form_link(f"{up.address}/v2", deployment(up), Mend(sites=(site,), first_day=first, last_day=last))
    page.goto(link)  # the form as the look for gaps links to it, filled in
    again = submit(page)
    state, message = up.ended(again)
    assert state == "Completed", up.logs(again)
    assert message.startswith("32 of 32 days")
    assert wanted - up.articles() == set()
    assert set(pages_asked(up).values()) == {1}
    page.reload()
    open_artifact(page, "backfill-report")
    photograph(page, pictures / "backfill-report.png")


@pytest.mark.browser
@pytest.mark.prefect
def test_the_look_for_gaps_offers_the_backfill_that_fills_them(page: Page, up: Up, pictures: Path) -> None:
    """A day that is known and was not fetched: the page of the run shows the calendar, and a link to the filled-in form."""
    day = date(2026, 11, 17)
    preview = up.start(
        "backfill", first_day=day.isoformat(), last_day=day.isoformat(), sites=["la-lanterne"], preview_only=True
    )
    assert up.ended(preview)[0] == "Completed", up.logs(preview)
    run = up.start("gaps", look_back_days=3650)
    state, message = up.ended(run)
    assert state == "Completed", up.logs(run)
    assert re.search("lacks? articles", message)
    page.goto(f"{up.address}/v2/runs/flow-run/{run}")
    page.get_by_role("tab", name="Artifacts").click()
    expect(page.get_by_role("link", name="calendar")).to_be_visible()
    open_artifact(page, "gaps-report")
    expect(page.get_by_role("img", name="a calendar of the days")).to_be_visible()
    photograph(page, pictures / "gaps.png")
    page.get_by_role("row", name="la-lanterne").get_by_role("link", name="open the form").first.click()
    filled = submit(page)
    assert up.ended(filled)[0] == "Completed", up.logs(filled)
    assert published(up, day, day, "la-lanterne") <= up.articles()


def deployment(up: Up) -> str:
    return str(up.api.get("/deployments/name/backfill/backfill").json()["id"])


@pytest.mark.browser
@pytest.mark.prefect
def test_a_nightly_run_is_started_by_a_button(page: Page, up: Up, pictures: Path) -> None:
    """Run, Quick run: the page tells each site in its log, the report has all three, and SQL finds every article."""
    run = started(page, lambda: choose_run(page, "nightly", "Quick run"))
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

    open_artifact(page, "nightly-report")
    rows = table(page)
    assert set(rows) == set(ZONES)
    expect(page.get_by_text(message).first).to_be_visible()
    photograph(page, pictures / "nightly-report.png")
    assert sum(int(cells[1]) for cells in rows.values()) == int(message.split(" pages fetched")[0].rpartition(" ")[2])


def pause() -> None:
    """Wait a little between two questions to a server that has work to do."""
    time.sleep(0.5)
