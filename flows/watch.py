"""Who looks on while a run goes on: a terminal with live figures, or plain lines for files and pipes.

A flow finds its onlooker in `WATCH`; run by a worker it has none, and its lines go to its page in Prefect alone.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flows.crawl import SiteProgress
from flows.ingest import Tally
from flows.plain import plain
from flows.report import RunSummary, count, duration

LINES_S = 10.0  # between two progress lines where there is no terminal
SITES_SHOWN = 15  # rows of the live table; more do not fit a screen
STYLES = {"error": "red", "critical": "red", "warning": "yellow"}


@dataclass(slots=True)
class Board:
    """What is known of a run while it goes on."""

    started: float = field(default_factory=time.monotonic)
    stage: str = "starting"
    sites: Mapping[str, SiteProgress] = field(default_factory=dict)
    pages_per_s: float = 0.0
    tally: Tally = field(default_factory=Tally)

    def left(self) -> timedelta | None:
        """Estimate the time until the slowest site is done, from its own rate so far; None before there is one."""
        elapsed = time.monotonic() - self.started
        needs = []
        for site in self.sites.values():
            done = site.fetched + sum(site.outcomes.values())
            if site.pending and not done:
                return None
            if site.pending:
                needs.append(elapsed / done * site.pending)
        return timedelta(seconds=max(needs)) if needs else None

    def done(self) -> tuple[int, int]:
        """Return how many URLs have ended, of how many discovered."""
        ended = sum(site.fetched + sum(site.outcomes.values()) for site in self.sites.values())
        return ended, sum(site.discovered for site in self.sites.values())

    def line(self) -> str:
        """Return the figures in one line."""
        fetched = sum(site.fetched for site in self.sites.values())
        pending = sum(site.pending for site in self.sites.values())
        left = self.left()
        return (
            f"{self.stage}: {count(fetched, 'page')} fetched ({self.pages_per_s:.1f}/s), {pending:,} to go,"
            f" {count(sum(self.tally.articles.values()), 'article')} extracted"
            + (f", about {duration(left)} left" if left else "")
        )


class Watch(Protocol):
    """An onlooker; at the end it is given `summary`, or the answer that is to be `shown` instead."""

    summary: RunSummary | None
    shown: list[RenderableType]

    def say(self, level: str, site: str | None, message: str) -> None:
        """Show a line; `level` is a name of the logging module in lower case."""

    def show(self, board: Board) -> None:
        """Show how far the run is."""


WATCH: ContextVar[Watch | None] = ContextVar("WATCH", default=None)


class Lines:
    """Plain lines with the time, one a message and one every ten seconds for the progress."""

    def __init__(self, write: Callable[[str], object] | None = None, *, verbose: bool = False) -> None:
        self.summary: RunSummary | None = None
        self.shown: list[RenderableType] = []
        self._write = write or _to_stderr
        self._least = 0 if verbose else 1
        self._next = time.monotonic() + LINES_S

    def say(self, level: str, site: str | None, message: str) -> None:
        """Write a line."""
        if level != "debug" or not self._least:
            about = f"{plain(site)}: " if site else ""
            self._write(f"{time.strftime('%H:%M:%S')} {level.upper():7} {about}{plain(message)}")

    def show(self, board: Board) -> None:
        """Write a line about the progress, if the last is ten seconds old."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINES_S
            self.say("info", None, board.line())


class Screen:
    """A live table at the bottom of a terminal; messages scroll above it."""

    def __init__(self, live: Live) -> None:
        self.summary: RunSummary | None = None
        self.shown: list[RenderableType] = []
        self._live = live

    def say(self, level: str, site: str | None, message: str) -> None:
        """Print warnings and errors above the table; what is merely told is for logs."""
        if style := STYLES.get(level):
            about = f"[bold]{escape(plain(site))}[/] " if site else ""
            self._live.console.print(f"[{style}]{level}[/] {about}{escape(plain(message))}")

    def show(self, board: Board) -> None:
        """Draw the figures anew."""
        self._live.update(_picture(board))


@contextmanager
def watching(console: Console) -> Iterator[Watch]:
    """Watch what is run inside: live in a terminal, in plain lines elsewhere."""
    with contextlib.ExitStack() as stack:
        watch: Watch = Lines()
        if console.is_terminal:
            watch = Screen(stack.enter_context(Live(console=console, refresh_per_second=4, transient=True)))
        token = WATCH.set(watch)
        stack.callback(WATCH.reset, token)
        yield watch


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _picture(board: Board) -> Group:
    shown = Table.grid(padding=(0, 2))
    busiest = sorted(board.sites.items(), key=lambda item: (not item[1].pending, item[0]))
    for name, site in busiest[:SITES_SHOWN]:
        done = site.fetched + sum(site.outcomes.values())
        shown.add_row(
            Text(name, no_wrap=True),
            ProgressBar(total=max(1, site.discovered), completed=min(done, site.discovered), width=30),
            f"{done:,}/{site.discovered:,}",
            f"{board.tally.articles[name]:,} articles",
        )
    if len(busiest) > SITES_SHOWN:
        shown.add_row(f"… {len(busiest) - SITES_SHOWN} more")
    return Group(shown, Text(board.line(), style="dim"))
