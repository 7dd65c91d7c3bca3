"""What a run came to, as a terminal table and as Markdown. Pure: the store gives the figures, the caller shows them.

Everything a site can have written (its title, a reason with a URL in it) is escaped for where it is shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rich import box
from rich.markup import escape
from rich.table import Table

from extraction.records import OPEN_OUTCOMES, Outcome
from flows.plain import plain

#: Outcomes that say the article is in the store.
IN_STORE = frozenset({Outcome.LOADED, Outcome.UNCHANGED, Outcome.DUPLICATE})
#: Outcomes of extraction: a page was fetched for them.
NOT_ARTICLES = frozenset(
    {
        *(Outcome.INDEX, Outcome.LIVE, Outcome.GALLERY, Outcome.TEASER, Outcome.CONSENT_WALL, Outcome.PAYWALL),
        *(Outcome.ERROR_PAGE, Outcome.SCRIPT_ONLY, Outcome.EMPTY, Outcome.NOT_HTML),
        *(Outcome.UNDECODABLE, Outcome.EXTRACTION_TIMEOUT, Outcome.EXTRACTION_FAILED),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSummary:
    """One site in one run. `outcomes` sums to `discovered`: each discovered URL has exactly one."""

    site: str
    title: str
    outcomes: Mapping[str, int] = field(default_factory=dict)
    fetched: int = 0  # pages captured
    extracted: int = 0  # pages that were articles
    new: int = 0  # articles that were not in the store
    versions: int = 0  # articles of which the store has one version more
    sources_read: int = 0  # feeds, sitemaps and sections that answered
    problems: tuple[str, ...] = ()  # sources that could not be read, or not whole, in sentences

    @property
    def discovered(self) -> int:
        """URLs that this run was to fetch or refuse."""
        return sum(self.outcomes.values())

    @property
    def rejected(self) -> dict[str, int]:
        """Outcomes that are final and not in the store, most frequent first."""
        done = IN_STORE | OPEN_OUTCOMES
        return _sorted({word: n for word, n in self.outcomes.items() if word not in done})

    @property
    def open(self) -> dict[str, int]:
        """Outcomes that the next crawl takes up again, most frequent first."""
        return _sorted({word: n for word, n in self.outcomes.items() if word in OPEN_OUTCOMES})

    @property
    def failed(self) -> bool:
        """Whether nothing could be had: no source read, not one URL answered, or every page a failure of ours."""
        answered = self.discovered - sum(self.open.values())
        if self.fetched and self.outcomes.get(Outcome.EXTRACTION_FAILED, 0) >= self.fetched:
            return True
        return not answered and (not self.sources_read or self.discovered > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run, when it is over or stopped."""

    run_id: str
    kind: str
    started_at: datetime  # UTC
    took: timedelta
    ended: str  # finished | cancelled | limit | failed
    sites: tuple[SiteSummary, ...]
    problem: str | None = None  # what the run as a whole suffered

    @property
    def worked(self) -> bool:
        """Whether the run did something for anybody: at least one site that has not failed."""
        return self.problem is None and not all(site.failed for site in self.sites) if self.sites else False

    def total(self, name: str) -> int:
        """Sum one of the numbers of SiteSummary over the sites."""
        return sum(int(getattr(site, name)) for site in self.sites)

    @property
    def headline(self) -> str:
        """The run in one sentence."""
        failed = [site.site for site in self.sites if site.failed]
        parts = [
            f"{count(self.total('new'), 'new article')}",
            f"{count(self.total('versions'), 'new version')}",
            f"{count(self.total('fetched'), 'page')} fetched",
            f"from {count(len(self.sites), 'site')} in {duration(self.took)}",
        ]
        text = f"{parts[0]}, {parts[1]}, {parts[2]} {parts[3]}"
        if failed:
            text += f"; {count(len(failed), 'site')} failed: {', '.join(failed[:5])}" + (
                " …" if len(failed) > 5 else ""
            )
        return text + (f"; {self.ended}" if self.ended != "finished" else "")


def table(summary: RunSummary) -> Table:
    """Return the run as a table for a terminal of 80 columns or more."""
    shown = Table(
        title=_terminal(summary.headline),
        title_style="bold",
        title_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_footer=len(summary.sites) > 1,
    )
    shown.add_column("site", no_wrap=True, footer="all")
    for name in ("discovered", "fetched", "extracted"):
        shown.add_column(name, justify="right", footer=f"{summary.total(name):,}")
    shown.add_column("loaded", justify="right", footer=_loaded(summary.total("new"), summary.total("versions")))
    shown.add_column("rejected, and why", overflow="fold")
    for site in summary.sites:
        style = "red" if site.failed else "yellow" if site.problems else ""
        numbers = (f"{number:,}" for number in (site.discovered, site.fetched, site.extracted))
        shown.add_row(_terminal(site.site), *numbers, _loaded(site.new, site.versions), _why(site), style=style)
    return shown


def problems(summary: RunSummary) -> list[str]:
    """Return the sentences about what went wrong, a line each, as rich markup."""
    lines = [f"[red]{_terminal(summary.problem)}[/]"] if summary.problem else []
    return lines + [f"[yellow]{_terminal(s.site)}:[/] {_terminal(text)}" for s in summary.sites for text in s.problems]


def markdown(summary: RunSummary) -> str:
    """Return the run as Markdown for Prefect's artifact."""
    lines = [
        f"**{inert(summary.headline)}**",
        "",
        f"Run `{inert(summary.run_id)}`, started {summary.started_at:%Y-%m-%d %H:%M:%S} UTC.",
        "",
        "| site | discovered | fetched | extracted | new | new versions | rejected, and why | open, next crawl |",
        "|---|--:|--:|--:|--:|--:|---|---|",
    ]
    for site in summary.sites:
        numbers = (site.discovered, site.fetched, site.extracted, site.new, site.versions)
        cells = [inert(site.site), *map(str, numbers), _counts(site.rejected) or "–", _counts(site.open) or "–"]
        lines.append("| " + " | ".join(cells) + " |")
    said = [f"- {inert(site.site)}: {inert(text)}" for site in summary.sites for text in site.problems]
    if summary.problem:
        said.insert(0, f"- {inert(summary.problem)}")
    return "\n".join([*lines, *(["", "**Problems**", "", *said] if said else [])]) + "\n"


def line(site: SiteSummary) -> str:
    """Return a site in one line, for the log."""
    numbers = ((site.discovered, "discovered"), (site.fetched, "fetched"), (site.extracted, "extracted"))
    parts = [", ".join(f"{number:,} {word}" for number, word in numbers)]
    parts.append(", ".join([f"{count(site.new, 'new article')}", count(site.versions, "new version")]))
    parts.append(_counts(site.rejected))
    parts.append(f"open, for the next crawl: {_counts(site.open)}" if site.open else "")
    return ("failed: " if site.failed else "") + "; ".join(filter(None, parts))


def count(number: int, noun: str) -> str:
    """Return "1 page", "2 pages"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(time: timedelta) -> str:
    """Return a length of time for people: "8.2 s", "3 min 5 s", "2 h 4 min"."""
    seconds = time.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _terminal(text: str) -> str:
    return escape(plain(text))


_MARKS = frozenset("\\`*_{}[]()#!|~$<>&\"'")  # of Markdown and HTML, within a line


def inert(text: str) -> str:
    """Make each mark a character reference: CommonMark never takes one for structure (section 2.5)."""
    return "".join(f"&#{ord(c)};" if c in _MARKS else c for c in plain(text))


def _loaded(new: int, versions: int) -> str:
    return f"{new:,}" + (f" + {versions:,}" if versions else "")


def _why(site: SiteSummary) -> str:
    """Name what did not become a row of its own: rejected, still open, known already."""
    same = {
        word.value: site.outcomes[word] for word in (Outcome.UNCHANGED, Outcome.DUPLICATE) if site.outcomes.get(word)
    }
    parts = [_counts(site.rejected), _counts(same)]
    if site.open:
        parts.append(f"[yellow]open, for the next crawl: {_counts(site.open)}[/]")
    return "; ".join(filter(None, parts)) or "–"


def _counts(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {word.replace('_', ' ')}" for word, number in outcomes.items())


def _sorted(outcomes: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(outcomes.items(), key=lambda item: (-item[1], item[0])))


def together(summaries: Iterable[SiteSummary]) -> tuple[SiteSummary, ...]:
    """Sort the sites: failed ones first, then by name."""
    return tuple(sorted(summaries, key=lambda site: (not site.failed, site.site)))
