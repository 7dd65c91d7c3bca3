"""Gaps: days of which articles are missing, a picture of all days, and the backfills that would fill them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.folder import data_folder
from flows.heatmap import Day, heatmap
from flows.plain import plain
from flows.report import count, inert
from storage.database import NotPublishedError
from storage.query import Session

DAYS_SHOWN = 366  # of the calendar, up to the newest day that has anything
COVERAGE = (
    "SELECT site, day, in_store, missing FROM coverage WHERE day BETWEEN DATE '{}' AND DATE '{}' ORDER BY site, day"
)
GAPS = "SELECT site, day, missing FROM gaps WHERE day >= DATE '{}' ORDER BY site, day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """A backfill that would fill gaps: the days of a span, of sites that lack the same days."""

    sites: tuple[str, ...]
    first_day: date
    last_day: date
    missing: int = 0  # URLs that are known and not had; 0 where nothing is known of these days

    @property
    def days(self) -> int:
        """How many days it spans."""
        return (self.last_day - self.first_day).days + 1

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the backfill, as the deployment takes them."""
        return {
            "sites": list(self.sites),
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
        }

    def command(self) -> str:
        """Return the backfill as it is typed."""
        sites = " ".join(f"--site {site}" for site in self.sites)
        return f"nightdesk backfill --first-day {self.first_day} --last-day {self.last_day} {sites}"


def mends(gaps: Sequence[tuple[str, date, int]]) -> list[Mend]:
    """Return the backfills that fill these gaps (site, day, missing URLs), newest first: a span of days each."""
    by_span: dict[tuple[date, date], list[tuple[str, int]]] = {}
    for site, first, last, missing in _spans(gaps):
        by_span.setdefault((first, last), []).append((site, missing))
    found = [
        Mend(
            sites=tuple(site for site, _ in sites),
            first_day=first,
            last_day=last,
            missing=sum(missing for _, missing in sites),
        )
        for (first, last), sites in by_span.items()
    ]
    return sorted(found, key=lambda mend: (mend.last_day, mend.first_day, mend.sites), reverse=True)


def _spans(gaps: Sequence[tuple[str, date, int]]) -> Iterator[tuple[str, date, date, int]]:
    """Join the neighbouring days of a site."""
    site, first, last, total = "", date.min, date.min, 0
    for name, day, missing in sorted(gaps):
        if name == site and day == last + timedelta(days=1):
            last, total = day, total + missing
            continue
        if site:
            yield site, first, last, total
        site, first, last, total = name, day, day, missing
    if site:
        yield site, first, last, total


def read_gaps(data: Path, since: date) -> list[tuple[str, date, int]]:
    """Return the gaps from a day on: site, day, URLs that are missing. Nothing before the first load."""
    try:
        with Session(data) as session:
            return [(site, day, missing) for site, day, missing in session.ask(GAPS.format(since)).rows]
    except NotPublishedError:
        return []


def calendar(data: Path) -> str:
    """Return the picture of the last year of days, up to the newest. Raises NotPublishedError."""
    with Session(data) as session:
        (last,) = next(iter(session.ask("SELECT max(day) FROM coverage WHERE in_store > 0").rows))
        last = last or date.today()  # noqa: DTZ011 - an empty picture of any day
        rows = session.ask(COVERAGE.format(last - timedelta(days=DAYS_SHOWN - 1), last)).rows
        sites: dict[str, dict[date, Day]] = {}
        for site, day, in_store, missing in rows:
            sites.setdefault(site, {})[day] = Day(in_store, missing)
    first = min((day for days in sites.values() for day in days), default=last)
    return heatmap(sites, first, last)


def headline(found: Sequence[Mend]) -> str:
    """Return the gaps in a sentence."""
    if not found:
        return "no gaps: every day that a site names is in the store"
    sites = {site for mend in found for site in mend.sites}
    days = sum(mend.days * len(mend.sites) for mend in found)
    missing = sum(mend.missing for mend in found)
    known = f", {count(missing, 'URL')} known of them" if missing else ""
    return f"{count(days, 'day')} of {count(len(sites), 'site')} {'lacks' if days == 1 else 'lack'} articles{known}"


def markdown(found: Sequence[Mend], picture: str, links: Mapping[Mend, str]) -> str:
    """Return the gaps as Markdown: each with the backfill that fills it, as a link to its form where there is one."""
    lines = [f"**{headline(found)}.**", "", picture]
    if found:
        lines += ["", "| days | sites | known URLs | fill them |", "|---|---|--:|---|"]
    for mend in found:
        days = f"{mend.first_day}" + (f" to {mend.last_day}" if mend.days > 1 else "")
        sites = ", ".join(map(inert, mend.sites))
        way = f"[open the form]({links[mend]})" if mend in links else f"`{mend.command()}`"
        lines.append(f"| {days} | {sites} | {mend.missing:,} | {way} |")
    return "\n".join(lines) + "\n"


def form_link(ui: str, deployment: str, mend: Mend) -> str:
    """Return the address of the backfill's form with the fields of a mend filled in."""
    fields = quote(json.dumps(mend.parameters()), safe="")
    return f"{ui}/deployments/deployment/{deployment}/run?parameters={fields}"


def show(data: Path | None, since: date) -> int:
    """Print the gaps from a day on, and the commands that fill them."""
    found = mends(read_gaps(data_folder(data), since))
    console = Console(highlight=False)
    console.print(Text(headline(found), "bold"))
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_header=False)
    for mend in found:
        table.add_row(Text(plain(mend.command(), 1000)))
    if found:
        console.print(table)
    return 0


def write_calendar(data: Path | None, path: Path) -> int:
    """Write the picture of the days as an SVG file."""
    path.write_text(calendar(data_folder(data)), encoding="utf-8")
    Console(highlight=False).print(Text(f"{path} is written: open it in a browser, and point at a day"))
    return 0
