"""What a re-extraction would change, or did, as a terminal shows it and as Markdown. Pure.

Everything that a page can have written is escaped for where it is shown.
"""

from collections.abc import Iterator
from datetime import timedelta

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from flows.plain import plain
from flows.reextraction import Report
from flows.report import count, duration, inert
from storage.comparison import Case, Change, Frequent, SiteChange, Verdict

CASES_SHOWN = 5  # in a terminal; the artifact and the file show all of the report's
BLOCKS_SHOWN = 6  # of a case, lost and gained ones alike
EXPLAINED = (
    "A text counts once, however often its page was fetched;"
    " lost and gained are shares of the characters of a site's texts."
)
COLUMNS = ("pages", "same", "metadata", "text", "new", "rejected", "failed", "not here")
_NOT_HERE = (
    "Their pages stay in the store as they are. What was not dropped by retention was deleted or is damaged, or it "
    "stands on another machine that shares the store: reextract there reads it."
)
ALWAYS = frozenset(("pages", "same", "text", "lost", "gained"))
NAMES = {
    Verdict.TEXT: "text changed",
    Verdict.FIELDS: "metadata changed",
    Verdict.NEWLY_ARTICLE: "newly an article",
    Verdict.NEWLY_REJECTED: "rejected",
    Verdict.FAILED: "could not be read again",
}


def headline(report: Report) -> str:
    """Return the re-extraction in one sentence."""
    dossier = report.dossier
    changed = [count(n, one) if n == 1 else f"{n:,} {many}" for n, one, many in _changes(report) if n]
    sites = dossier.sites
    text = f"{count(sum(each.pages for each in sites), 'page')} of {count(len(sites), 'site')} read again"
    text += f" in {duration(timedelta(seconds=dossier.seconds))}: {', '.join(changed) or 'nothing changes'}"
    return text + (f"; {count(_gone(report), 'page')} without a capture here" if _gone(report) else "")


def verdict(report: Report) -> list[str]:
    """Return what the gate says and what can be done now, a line each."""
    name = report.dossier.reextraction_id
    if report.state == "promoted":
        return [f"promoted; back with: nightdesk reextract --roll-back {name}"]
    if report.dossier.stage != "compared":
        return [f"{report.dossier.stage}"]
    lines = ["the gate lets it pass"]
    if report.dossier.reasons:
        lines = ["the gate holds it:", *(f"  {reason}" for reason in report.dossier.reasons)]
    if report.state == "rolled_back":
        lines.append("it was promoted once, and rolled back")
    overrule = " --despite-gate" if report.dossier.reasons else ""
    return [
        *lines,
        f"into the store: nightdesk reextract --promote {name}{overrule}",
        f"away with it:   nightdesk reextract --discard {name}",
    ]


def terminal(report: Report) -> RenderableType:
    """Return the report for a terminal of 80 columns or more."""
    parts: list[RenderableType] = [_table(report)]
    cases = report.cases[:CASES_SHOWN]
    if report.frequent:
        parts.append(Text("blocks that come or go most often", style="bold"))
        parts += [Text(f"  {_frequent(each)}", style=_STYLES[each.gained]) for each in report.frequent]
        parts.append(Text())
    if cases:
        parts.append(Text("what loses most, first", style="bold"))
        parts += [line for case in cases for line in _case(case)]
    if len(report.cases) > len(cases):
        parts.append(Text(f"… more in reports/{report.dossier.reextraction_id}.md and cases.parquet", style="dim"))
    style = "yellow" if report.dossier.reasons else "green"
    parts += [Text(line, style=style if number == 0 else "") for number, line in enumerate(verdict(report))]
    return Group(*parts)


def markdown(report: Report) -> str:
    """Return the report as Markdown, for Prefect's artifact and for a file."""
    dossier = report.dossier
    lines = [f"**{inert(headline(report))}**", ""]
    lines += [f"{inert(line)}  " for line in verdict(report)]
    lines += [
        "",
        f"`{dossier.reextraction_id}`, begun {dossier.started_at:%Y-%m-%d %H:%M} UTC. {EXPLAINED}",
        "",
        "| site | " + " | ".join((*COLUMNS, "lost", "gained")) + " |",
        "|---|" + "--:|" * (len(COLUMNS) + 2),
    ]
    lines += [f"| {inert(each.site)} | {' | '.join((*_numbers(each), *_shares(each)))} |" for each in dossier.sites]
    if report.frequent:
        lines += ["", "## Blocks that come or go most often", ""]
        lines += [f"- {inert(_frequent(each))}" for each in report.frequent]
    if report.cases:
        lines += ["", "## What loses most, first", ""]
    for case in report.cases:
        lines += [*_markdown_case(case), ""]
    if dossier.gone:
        lines += ["", "## Captures that are not here", "", _NOT_HERE, ""]
        lines += [
            f"- `{each.capture_file}`: {count(each.pages, 'page')}" + (", dropped by retention" if each.dropped else "")
            for each in dossier.gone[:50]
        ]
    return "\n".join(lines) + "\n"


def _changes(report: Report) -> Iterator[tuple[int, str, str]]:
    for name, one, many in (
        ("text_changed", "text changes", "texts change"),
        ("fields_changed", "article changes in its metadata alone", "articles change in their metadata alone"),
        ("newly_article", "page is newly an article", "pages are newly articles"),
        ("newly_rejected", "article is rejected", "articles are rejected"),
        ("failed", "article cannot be read again", "articles cannot be read again"),
    ):
        yield sum(getattr(each, name) for each in report.dossier.sites), one, many


def _gone(report: Report) -> int:
    return sum(each.pages for each in report.dossier.gone)


def _numbers(site: SiteChange) -> tuple[str, ...]:
    numbers = (site.pages, site.same, site.fields_changed, site.text_changed, site.newly_article)
    return tuple(f"{number:,}" for number in (*numbers, site.newly_rejected, site.failed, site.gone))


def _shares(site: SiteChange) -> tuple[str, str]:
    lost, gained = (
        f"{100 * part / site.characters:.2f}%" if site.characters else "–"
        for part in (site.characters_lost, site.characters_gained)
    )
    return lost, gained


def _table(report: Report) -> Table:
    shown = Table(
        title=Text(headline(report)),
        title_style="bold",
        title_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    rows = [(*_numbers(site), *_shares(site)) for site in report.dossier.sites]
    # 80 columns hold the site and nine numbers only if those that are nothing everywhere stay away.
    names = (*COLUMNS, "lost", "gained")
    told = [place for place, name in enumerate(names) if name in ALWAYS or any(row[place] != "0" for row in rows)]
    shown.add_column("site", no_wrap=True)
    for place in told:
        shown.add_column(names[place], justify="right", no_wrap=True)
    for site, row in zip(report.dossier.sites, rows, strict=True):
        shown.add_row(Text(plain(site.site)), *(Text("·" if row[place] == "0" else row[place]) for place in told))
    return shown


def _case(case: Case) -> Iterator[Text]:
    title = Text.assemble("● ", (plain(case.headline or "(no headline)"), "bold"), f"  {_about(case)}")
    yield title
    yield Text(f"  {plain(case.url, 2000)}", style="dim")
    for sign, style, changes in (("-", "red", case.lost), ("+", "green", case.gained)):
        for change in changes[:BLOCKS_SHOWN]:
            yield Text(f"  {sign} {plain(change.text)}{_why(change)}", style=style)
        if len(changes) > BLOCKS_SHOWN:
            yield Text(f"  {sign} {len(changes) - BLOCKS_SHOWN} more", style=style)
    for name, (before, after) in case.fields.items():
        yield Text(f"  {name}: {plain(before or 'nothing')} → {plain(after or 'nothing')}", style="cyan")


def _about(case: Case) -> str:
    said = f"{plain(case.site)}: {NAMES.get(case.verdict, case.verdict)}"
    if case.verdict is Verdict.TEXT:
        said += f", {100 * case.similarity:.0f}% alike, {case.characters_lost:,} characters lost,"
        said += f" {case.characters_gained:,} gained"
    if case.reason and case.verdict is not Verdict.TEXT:
        said += f": {plain(case.reason)}"
    return said + (f" ({count(case.pages, 'fetch')[:-1]}es)" if case.pages > 1 else "")


_STYLES = {False: "red", True: "green"}


def _frequent(block: Frequent) -> str:
    sign = "+" if block.gained else "-"
    return f"{sign} {block.cases:,} × {plain(block.site)}: {plain(block.change.text, 90)}{_why(block.change)}"


def _why(change: Change) -> str:
    return f"  [{change.kind}: {change.rule}]" if change.kind else ""


def _markdown_case(case: Case) -> Iterator[str]:
    yield f"**{inert(case.headline or '(no headline)')}** – {inert(_about(case))}  "
    yield f"{inert(case.url)}"
    yield ""
    for sign, changes in (("lost", case.lost), ("gained", case.gained)):
        for change in changes[:BLOCKS_SHOWN]:
            rule = f" (`{change.kind}: {change.rule}`)" if change.kind else ""
            yield f"- **{sign}**{rule} {inert(change.text)}"
        if len(changes) > BLOCKS_SHOWN:
            yield f"- **{sign}** {len(changes) - BLOCKS_SHOWN} more"
    for name, (before, after) in case.fields.items():
        yield f"- {name}: {inert(before or 'nothing')} → {inert(after or 'nothing')}"
