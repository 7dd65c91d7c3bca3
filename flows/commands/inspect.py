"""Commands that look at a data folder: report, status, explain, and the cookbook's recipes."""

import difflib
import gzip
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from rich.console import Console

from extraction.article import extract, extract_page
from extraction.explain import render
from extraction.page import MAX_PAGE_BYTES
from extraction.records import Capture, Page
from extraction.rules import SiteRules
from extraction.urls import BadUrlError, canonicalize, url_key
from flows import shell
from flows.desk import Desk, open_desk
from flows.folder import data_folder
from flows.ingest import recoverable, unextracted, unloaded
from flows.lease import holders
from flows.plain import plain
from flows.report import count
from flows.summary import summarise_past
from flows.terminal import show_summary
from spiders.captures import read_page
from storage.database import NotPublishedError, connect
from storage.learned import stored
from storage.query import Recipe, Session, cookbook
from storage.retention import why_dropped


class NotFoundError(ValueError):
    """What was named is not there; the text says what is."""


def recipe(name: str) -> Recipe:
    """Return the query of the cookbook of that name. Raises NotFoundError with the nearest right name."""
    known = {found.name: found for found in cookbook()}
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else "`nightdesk queries` lists all"
        raise NotFoundError(f"no query {name[:80]!r} in the cookbook; {hint}")
    return known[name]


def report(data: Path | None, run: str | None) -> int:
    """Print what a run came to, the last one if none is named."""
    summary = summarise_past(data_folder(data), run)
    show_summary(summary)
    return 0


def status(data: Path | None) -> int:
    """Print what is stored, what goes on, and what waits."""
    desk = open_desk(data)
    console = Console(highlight=False)
    enabled = [site for site in desk.sites if site.enabled]
    console.print(f"[bold]{desk.data}[/]: {count(len(desk.sites), 'site')} known, {len(enabled)} enabled")
    for line in _stored(desk):
        console.print(line)
    for what in holders(desk.data):
        console.print(f"[green]now:[/] {what}")
    for line in _waiting(desk.data):
        console.print(f"[yellow]waiting:[/] {line}")
    return 0


def _stored(desk: Desk) -> Iterator[str]:
    try:
        with Session(desk.data) as session:
            rows = shell.as_dicts(
                session.ask(
                    "select (select count(*) from articles) as articles,"
                    " (select count(*) from article_versions) as versions,"
                    " (select count(*) from urls) as urls, (select count(*) from missed where class = 'open') as open,"
                    " (select max(loaded_at) from loads) as loaded_at"
                ),
                1,
            )
    except NotPublishedError:
        yield "store: nothing is in it yet; `nightdesk crawl` fills it"
        return
    facts = rows[0]
    yield (
        f"store: {count(facts['articles'], 'article')} in {count(facts['versions'], 'version')},"
        f" {count(facts['urls'], 'URL')} known, {facts['open']:,} of them open; last load {_ago(facts['loaded_at'])}"
    )


def _ago(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"


def _waiting(data: Path) -> Iterator[str]:
    if number := len(recoverable(data)):
        yield f"{count(number, 'open segment')}, of crawls that go on or were killed"
    if number := len(unextracted(data)):
        yield f"{count(number, 'segment')} to be extracted"
    if number := len(unloaded(data)):
        yield f"{count(number, 'folder')} of rows to be loaded"


def explain(data: Path | None, page: str, site: str | None) -> int:
    """Print a page's article with what was removed in place. The page is a file, or a URL that was captured."""
    desk = open_desk(data)
    rules = desk.rules()
    if Path(page).is_file():
        url = f"http://{site or 'file'}.localhost/{quote(Path(page).name)}"
        extraction = extract(_bytes_of(Path(page)), url, rules=rules.get(site or "", SiteRules()))
    else:
        captured = _captured(desk.data, page)
        name = site or captured.discovery.site
        learned = stored(desk.data, [name]).get(name)
        extraction = extract_page(captured, rules=rules.get(name, SiteRules()), learned=learned)
    sys.stdout.write(render(extraction, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    return 0


def _bytes_of(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(MAX_PAGE_BYTES + 1)
    return gzip.decompress(start) if start.startswith(b"\x1f\x8b") and len(start) <= MAX_PAGE_BYTES else start


def _captured(data: Path, page: str) -> Page:
    """Read the last capture of a URL back. Raises NotFoundError."""
    try:
        key = url_key(canonicalize(page))
    except BadUrlError as error:
        raise NotFoundError(f"{plain(page)}: neither a file nor a URL: {error.reason}") from error
    with connect(data) as connection:
        row = connection.execute(
            "SELECT capture_file, capture_offset, outcome, reason FROM urls WHERE url_key = ?", [key]
        ).fetchone()
    if row is None:
        raise NotFoundError(f"{plain(page)} is not known here; save the page and give the file")
    file, offset, outcome, reason = row
    if file is None:
        raise NotFoundError(f"{plain(page)} was never captured: {outcome}: {plain(reason or '')}")
    try:
        found = read_page(Capture(file=file, offset=offset), data=data)
    except (OSError, ValueError):
        found = None
    if found is None:
        dropped = why_dropped(data, file)
        gone = f"{file} was {dropped}" if dropped else f"{data / file} holds no page at byte {offset} any more"
        raise NotFoundError(f"{gone}; crawl it again with --refetch")
    return found
