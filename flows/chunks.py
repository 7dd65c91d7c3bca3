"""A backfill for people: what it would cost, how far it is, what it came to. Pure, over its chunks.

Reasons hold text of sites, which is escaped for where it is shown.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from rich import box
from rich.table import Table
from rich.text import Text

from flows.heatmap import Day, heatmap
from flows.plain import plain
from flows.planning import DAYLESS
from flows.report import count, duration, inert
from storage.backfills import LEFT_OUT, Backfill, Chunk

MOST_DAYS_SHOWN = 120  # rows of a table of days; the picture and SQL have all
MOST_SITES_ACROSS = 8
LEAST_DAYS_PICTURED = 7
BAR = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a site may be asked: least seconds between two pages, and most pages a run."""

    delay_s: float
    budget_pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A site's part of a backfill."""

    site: str
    days: int
    days_done: int
    planned: int
    known: int
    in_store: int
    rejected: int
    open: int
    left_out: int
    reasons: tuple[str, ...]

    @property
    def to_fetch(self) -> int:
        """URLs that were to be fetched when it was planned."""
        return self.planned - self.known

    @property
    def done(self) -> int:
        """URLs that have ended."""
        return self.in_store + self.rejected


def shares(chunks: Iterable[Chunk]) -> list[Share]:
    """Sum the chunks by site; what was left out counts for itself."""
    by_site: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        by_site.setdefault(chunk.site, []).append(chunk)
    return [_share(site, of_site) for site, of_site in sorted(by_site.items())]


def _share(site: str, chunks: Sequence[Chunk]) -> Share:
    counted = [chunk for chunk in chunks if chunk.state != LEFT_OUT]
    days = [chunk for chunk in counted if chunk.day is not None]

    def total(name: str) -> int:
        return sum(int(getattr(chunk, name)) for chunk in counted)

    reasons = dict.fromkeys(chunk.reason for chunk in chunks if chunk.reason and not chunk.finished)
    return Share(
        site=site,
        days=len(days),
        days_done=sum(chunk.finished for chunk in days),
        planned=total("planned"),
        known=total("known"),
        in_store=total("in_store"),
        rejected=total("rejected"),
        open=total("open"),
        left_out=sum(chunk.open for chunk in chunks if chunk.state == LEFT_OUT),
        reasons=tuple(reasons),
    )


def time_for(number: int, pace: Pace) -> timedelta:
    """Return how long so many pages of one host take at its pace."""
    return timedelta(seconds=number * pace.delay_s)


def time_for_all(found: Sequence[Share], paces: Mapping[str, Pace]) -> timedelta:
    """Return how long the sites take side by side: as long as the slowest."""
    return max((time_for(share.open, paces[share.site]) for share in found), default=timedelta())


# The preview.


def preview_headline(chunks: Sequence[Chunk], paces: Mapping[str, Pace]) -> str:
    """Return what the backfill would cost, in a sentence."""
    found = shares(chunks)
    known, to_fetch = sum(share.known for share in found), sum(share.open for share in found)
    days = len({chunk.day for chunk in chunks if chunk.day})
    named = sum(share.planned for share in found)
    return (
        f"{count(named, 'URL')} of {count(days, 'day')} and {count(len(found), 'site')}: {known:,} known,"
        f" {to_fetch:,} to fetch in about {duration(time_for_all(found, paces))}"
    )


def preview(backfill: Backfill, chunks: Sequence[Chunk], paces: Mapping[str, Pace]) -> str:
    """Return what the backfill would cost as Markdown: by site, as a picture, by day."""
    lines = [
        f"**{preview_headline(chunks, paces)}.** Nothing but indexes was fetched.",
        "",
        "| site | days | URLs | known | to fetch | seconds a page | time | remarks |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    for share in shares(chunks):
        pace = paces[share.site]
        numbers = (share.days, share.planned, share.known, share.open)
        cells = [inert(share.site), *(f"{number:,}" for number in numbers), f"{pace.delay_s:g}"]
        cells += [duration(time_for(share.open, pace)), "; ".join(map(inert, _remarks(share, pace))) or "–"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [*_pictured(backfill, chunks, noun="URL"), "", *_by_day(chunks)]
    lines += ["", "Start it with the same fields and without *preview_only*: the indexes are not read again."]
    return "\n".join(lines) + "\n"


def _remarks(share: Share, pace: Pace) -> Iterator[str]:
    if share.open > pace.budget_pages:
        runs = -(-share.open // pace.budget_pages)
        yield f"the site's budget is {pace.budget_pages:,} pages a run: {runs} runs"
    yield from _left(share)


def _left(share: Share) -> Iterator[str]:
    """What a site's part lacks, and why."""
    if share.left_out:
        yield f"{count(share.left_out, 'URL')} more without a day or changed later: the switch doubtful fetches them"
    yield from (reason for reason in share.reasons if reason != DAYLESS)


def _by_day(chunks: Sequence[Chunk]) -> Iterator[str]:
    sites = sorted({chunk.site for chunk in chunks})
    by_day: dict[date, dict[str, Chunk]] = {}
    for chunk in chunks:
        if chunk.day is not None:
            by_day.setdefault(chunk.day, {})[chunk.site] = chunk
    if len(sites) > MOST_SITES_ACROSS:
        sites = []
    yield f"| day | {' | '.join([*map(inert, sites), 'all', 'known'])} |"
    yield f"|---|{'--:|' * (len(sites) + 2)}"
    for day, of_day in sorted(by_day.items(), reverse=True)[:MOST_DAYS_SHOWN]:
        numbers = [of_day[site].planned if site in of_day else 0 for site in sites]
        sums = [sum(chunk.planned for chunk in of_day.values()), sum(chunk.known for chunk in of_day.values())]
        yield f"| {day} | {' | '.join(f'{number:,}' for number in [*numbers, *sums])} |"
    if len(by_day) > MOST_DAYS_SHOWN:
        yield f"\n… and {len(by_day) - MOST_DAYS_SHOWN:,} days more are in backfill_chunks"


def _pictured(backfill: Backfill, chunks: Sequence[Chunk], *, noun: str) -> list[str]:
    """A picture of more than a week; fewer days are better told by their table."""
    is_long = (backfill.last_day - backfill.first_day).days >= LEAST_DAYS_PICTURED
    return ["", picture(backfill, chunks, noun=noun)] if is_long else []


def picture(backfill: Backfill, chunks: Sequence[Chunk], *, noun: str) -> str:
    """Return a calendar of the chunks as a Markdown image: of what was planned (URL), or of what is there (article)."""
    sites: dict[str, dict[date, Day]] = {}
    for chunk in chunks:
        if chunk.day is not None:
            is_plan = noun == "URL"
            there = chunk.planned if is_plan else chunk.known + chunk.in_store
            sites.setdefault(chunk.site, {})[chunk.day] = Day(there, 0 if is_plan else chunk.open)
    return image(heatmap(sites, backfill.first_day, backfill.last_day, noun=noun), "a calendar of the days")


def image(svg: str, text: str) -> str:
    """Return a picture as Markdown; the interface strips SVG that stands in the text itself."""
    return f"![{text}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


# While it runs.


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """How far a backfill is: URLs that have ended of those that were to be fetched, by site, and how fast it goes."""

    done: Mapping[str, int]
    of: Mapping[str, int]
    pages_per_s: float
    now: datetime  # UTC

    def left(self, paces: Mapping[str, Pace], rates: Mapping[str, float]) -> timedelta | None:
        """Return the time until the slowest site is done, by its rate so far, else by its pace; None if all are."""
        needs = [
            (self.of[site] - self.done[site]) / rates[site]
            if rates.get(site)
            else time_for(1, paces[site]).total_seconds() * (self.of[site] - self.done[site])
            for site in self.of
            if self.of[site] > self.done[site]
        ]
        return timedelta(seconds=max(needs)) if needs else None


def bar(done: int, of: int) -> str:
    """Return a bar of text."""
    filled = BAR * done // of if of else BAR
    return "█" * filled + "░" * (BAR - filled)


def advance_line(advance: Advance, left: timedelta | None) -> str:
    """Return how far the backfill is, in a line."""
    done, of = sum(advance.done.values()), sum(advance.of.values())
    ends = f", done at about {advance.now + left:%H:%M} UTC (in {duration(left)})" if left else ""
    return f"{done:,} of {count(of, 'URL')} fetched, {advance.pages_per_s:.1f} pages/s{ends}"


def progress(chunks: Sequence[Chunk], advance: Advance, left: timedelta | None, paces: Mapping[str, Pace]) -> str:
    """Return how far the backfill is as Markdown: by site, and the days that are finished, which grow."""
    lines = [
        f"**{advance_line(advance, left)}**",
        "",
        f"As of {advance.now:%H:%M:%S} UTC; the page shows it anew when it is reloaded.",
        "",
        "| site | | URLs | days finished | seconds a page |",
        "|---|---|--:|--:|--:|",
    ]
    for share in shares(chunks):
        done, of = advance.done.get(share.site, 0), advance.of.get(share.site, 0)
        cells = [inert(share.site), bar(done, of), f"{done:,} / {of:,}", f"{share.days_done:,} / {share.days:,}"]
        lines.append(f"| {' | '.join([*cells, f'{paces[share.site].delay_s:g}'])} |")
    return "\n".join([*lines, "", *_finished(chunks)]) + "\n"


def _finished(chunks: Sequence[Chunk]) -> Iterator[str]:
    """The finished chunks that this backfill fetched for, the newest day first."""
    rows = [chunk for chunk in chunks if chunk.finished and chunk.in_store + chunk.rejected > 0 and chunk.day]
    if not rows:
        return
    yield "| finished | site | articles | other ends | known before |"
    yield "|---|---|--:|--:|--:|"
    for chunk in sorted(rows, key=lambda c: (str(c.day), c.site), reverse=True)[:MOST_DAYS_SHOWN]:
        numbers = (chunk.in_store, chunk.rejected, chunk.known)
        yield f"| {chunk.day} | {inert(chunk.site)} | {' | '.join(f'{number:,}' for number in numbers)} |"
    if len(rows) > MOST_DAYS_SHOWN:
        yield f"\n… and {len(rows) - MOST_DAYS_SHOWN:,} more"


# At the end.


def headline(chunks: Sequence[Chunk]) -> str:
    """Return what the backfill came to, in a sentence."""
    found = shares(chunks)
    days, done = sum(share.days for share in found), sum(share.days_done for share in found)
    text = (
        f"{done:,} of {count(days, 'day')} of {count(len(found), 'site')} finished:"
        f" {count(sum(share.in_store for share in found), 'article')} fetched,"
        f" {sum(share.known for share in found):,} known before"
    )
    open_ = sum(share.open for share in found)
    return text + (f"; {count(open_, 'URL')} open" if open_ else "")


def report(backfill: Backfill, chunks: Sequence[Chunk]) -> str:
    """Return what the backfill came to as Markdown: by site, as a picture, and what is open."""
    lines = [
        f"**{headline(chunks)}.**",
        "",
        f"Backfill `{backfill.backfill_id}`, {backfill.first_day} to {backfill.last_day}.",
        "",
        "| site | days finished | URLs | known before | articles fetched | other ends | open | remarks |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    for share in shares(chunks):
        numbers = (share.planned, share.known, share.in_store, share.rejected, share.open)
        cells = [inert(share.site), f"{share.days_done:,} / {share.days:,}", *(f"{number:,}" for number in numbers)]
        lines.append(f"| {' | '.join([*cells, '; '.join(map(inert, _left(share))) or '–'])} |")
    lines += _pictured(backfill, chunks, noun="article")
    if any(share.open for share in shares(chunks)):
        lines += ["", "Start it again with the same fields: it goes on with what is open."]
    return "\n".join(lines) + "\n"


def table(chunks: Sequence[Chunk], paces: Mapping[str, Pace] | None = None) -> Table:
    """Return the backfill by site for a terminal: what it would cost, if paces are given, else what it came to."""
    shown = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    shown.add_column("site", no_wrap=True)
    for name in ("to fetch", "time") if paces else ("days", "URLs", "known", "articles", "others", "open"):
        shown.add_column(name, justify="right", no_wrap=True)
    if paces:
        shown.add_column("from the first day to the last", no_wrap=True)
    for share in shares(chunks):
        counts = (share.planned, share.known, share.in_store, share.rejected, share.open)
        cells = [f"{share.days_done}/{share.days}", *(f"{number:,}" for number in counts)]
        if paces:
            spark = sparkline([chunk.planned for chunk in chunks if chunk.site == share.site and chunk.day])
            cells = [f"{share.open:,}", duration(time_for(share.open, paces[share.site])), spark]
        shown.add_row(*(Text(plain(cell)) for cell in [share.site, *cells]))
    return shown


def remarks(chunks: Sequence[Chunk], paces: Mapping[str, Pace]) -> list[Text]:
    """Return what is to be said of the sites besides, a line each, for a terminal."""
    lines = [(share.site, text) for share in shares(chunks) for text in _remarks(share, paces[share.site])]
    return [Text.assemble((f"{plain(site)}: ", "yellow"), plain(text)) for site, text in lines]


def sparkline(numbers: Sequence[int], longest: int = 30) -> str:
    """Return numbers in their order as small bars; of very many, each bar is the mean of some."""
    if not numbers:
        return ""
    width = -(-len(numbers) // longest)
    means = [sum(part) / len(part) for part in (numbers[at : at + width] for at in range(0, len(numbers), width))]
    most = max(means) or 1.0
    return "".join("·" if not mean else "▁▂▃▄▅▆▇█"[min(7, int(mean / most * 7.999))] for mean in means)


def utc_now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)
