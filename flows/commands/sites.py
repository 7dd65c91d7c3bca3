"""`nightdesk sites`: list, show, add and check the sites that are crawled."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extraction.urls import BadUrlError, canonicalize, host
from flows.config import FILE_NAME
from flows.desk import Desk, open_desk, require_contact, require_writable
from flows.folder import SettingsError
from flows.plain import plain
from flows.report import count
from spiders.fetcher import Fetcher
from spiders.finder import SourceReport, check_site, find_sources
from spiders.guard import is_loopback_host
from spiders.site import Site, SiteError
from spiders.sitefiles import find_site
from spiders.sitewriter import write_site

LOOPBACK = ("127.0.0.0/8", "::1/128")
PROBLEMS_SHOWN = 3  # of a source: the rest are of the same kind


def list_sites(data: Path | None, *, everything: bool) -> int:
    """Print the enabled sites, or all."""
    desk = open_desk(data)
    shown = [site for site in desk.sites if everything or site.enabled]
    table = _table("site", "title", "country", "languages", "sources", "state", "file")
    for site in shown:
        state = Text("enabled", "green") if site.enabled else Text("off", "dim")
        own = "yours" if desk.files[site.name].is_relative_to(desk.data) else "catalogue"
        languages = ", ".join(site.languages)
        cells = (site.name, site.title, site.country, languages, str(len(list(site.seeds()))))
        table.add_row(*map(_text, cells), state, own)
    for name in sorted(desk.broken):
        table.add_row(_text(name), "", "", "", "", Text("broken", "red"), "yours")
    console = Console(highlight=False)
    console.print(table)
    _print_broken(console, desk.broken)
    rest = len(desk.sites) - len(shown)
    console.print(count(len(shown), "site") + (f"; {rest} more are off: --all shows them" if rest else ""))
    return 0


def show_site(data: Path | None, name: str) -> int:
    """Print a site's file and where it is."""
    desk = open_desk(data)
    path = desk.files[name] if name in desk.broken else desk.files[find_site(desk.sites, name).name]
    console = Console(highlight=False)
    console.print(Text(f"# {path}", "dim"), soft_wrap=True)
    console.print(Text(path.read_text(encoding="utf-8-sig")), soft_wrap=True)
    return 0


def add_site(data: Path | None, url: str, name: str | None) -> int:
    """Find the sources of the site at a URL and write its file into <data>/sites, enabled."""
    desk = open_desk(data)
    try:
        home = canonicalize(url if "://" in url else f"https://{url}")
    except BadUrlError as error:
        raise SiteError(f"{plain(url)!r}: {error.reason}; give a home page, for example www.politico.eu") from error
    if taken := [site for site in desk.sites if site.owns(home)]:
        raise SiteError(f"{host(home)} belongs to site {taken[0].name!r} already ({desk.files[taken[0].name]})")
    # Whoever names this machine means it; any other private network has to be written into the file by hand.
    allow = LOOPBACK if is_loopback_host(host(home)) else ()
    if not allow and not desk.settings.contact:
        raise SettingsError(
            f"{desk.data / FILE_NAME}: contact is not set; the user agent must say who asks:"
            ' write contact = "desk@example.org" (an e-mail or http address of yours) or set NIGHTDESK_CONTACT'
        )
    require_writable(desk.data)
    console = Console(highlight=False)
    with closing(Fetcher(_user_agent(desk), allow=allow)) as fetch:
        found = find_sources(home, fetch, name=name, network_allow=allow)
    console.print(_reports(found.reports))
    if not found.reports:
        tried = "; ".join(plain(text) for text in found.tried)
        raise SiteError(f"{home}: no feed and no sitemap found (tried {tried}); write the site's file by hand")
    path = write_site(found.site, desk.data / "sites")
    console.print(Text(f"{path} is written and enabled; `nightdesk crawl --site {found.site.name}` tries it"))
    return 0


def check_sites(data: Path | None, names: list[str]) -> int:
    """Read each source of the sites as a crawl would tonight; return 1 if any of them is not sound."""
    desk = open_desk(data)
    unfit = desk.unfit(names)
    console = Console(highlight=False)
    _print_broken(console, unfit)
    if unfit and set(names) <= unfit.keys() and names:
        return 1
    sites = desk.chosen(names)
    require_contact(desk, sites)
    sound = not unfit
    for site in sites:
        reports = _check(desk, site)
        sound = sound and not any(report.outcome for report in reports)
        console.print(Text(f"{site.name}: {plain(site.title)}", "bold"))
        console.print(_reports(reports))
    return 0 if sound else 1


def _print_broken(console: Console, reasons: Mapping[str, str]) -> None:
    for name, reason in sorted(reasons.items()):
        console.print(Text.assemble((name, "bold red"), f" cannot be crawled: {plain(reason)}"), soft_wrap=True)


def _check(desk: Desk, site: Site) -> list[SourceReport]:
    delay_s = site.politeness.delay_s
    with closing(Fetcher(_user_agent(desk), allow=site.network.allow, delay_s=delay_s)) as fetch:
        return check_site(site, fetch)


def _user_agent(desk: Desk) -> str:
    contact = f" (+{desk.settings.contact})" if desk.settings.contact else ""
    return f"Nightdesk/{version('nightdesk')}{contact}"


def _reports(reports: Iterable[SourceReport]) -> Table:
    table = _table("source", "kind", "articles", "newest", "state")
    for report in reports:
        state = Text(report.outcome.value, "red") if report.outcome else Text("ok", "green")
        for problem in report.problems[:PROBLEMS_SHOWN]:
            state.append(f"; {plain(problem)}", "yellow")
        number = f"{report.articles:,}" + (f" + {count(report.sitemaps, 'sitemap')}" if report.sitemaps else "")
        table.add_row(_text(report.url), report.found_by, number, _age(report.newest), state)
    return table


def _age(moment: datetime | None) -> str:
    if moment is None:
        return "–"
    hours = (datetime.now(UTC) - moment).total_seconds() / 3600
    return f"{hours:.0f} h ago" if hours < 48 else f"{hours / 24:.0f} days ago"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in columns:
        justify: Literal["left", "right"] = "right" if name in {"sources", "articles"} else "left"
        table.add_column(name, overflow="fold", justify=justify, no_wrap=name == "site")
    return table


def _text(text: str) -> Text:
    return Text(plain(text))
