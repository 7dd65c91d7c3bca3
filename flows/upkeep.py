"""What is tidied after each run: killed takedowns, pages refused because of one, old captures, a lake's small files."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from flows.config import Settings
from flows.desk import open_desk
from flows.living import living_runs
from flows.report import count
from flows.takedown import carry_out, erase_refused
from storage.database import store_of
from storage.retention import Drop, drop, due
from storage.takedown import adopt, unfinished

GIGABYTE = 10**9
Say = Callable[[str], None]


def tidy(data: Path, settings: Settings, say: Say) -> None:
    """Do all of it. Where other runs go on, an unfinished takedown is left to the last of them."""
    adopt(data)
    left = unfinished(data)
    if left and living_runs(data):
        say(f"{count(len(left), 'takedown')} to be finished when no other run goes on")
    else:
        for each in left:
            carry_out(data, each, say)
            say(f"takedown {each.takedown_id} of {each.target} is finished")
    if erased := erase_refused(data):
        say(f"{count(erased, 'captured response')} erased that had been taken down")
    drops = _due(data, settings)
    drop(data, {each.file: each.reason for each in drops})
    if drops:
        say(_sum(drops))
    if done := store_of(data).tidy():
        say(done)


def retention(data: Path | None, *, preview: bool) -> int:
    """Drop the captures that are due by the settings, or (`preview`) say which those are."""
    desk = open_desk(data)
    console = Console(highlight=False)
    settings = desk.settings
    if not (settings.keep_captures_days or settings.keep_captures_gb):
        console.print("captures are kept for ever: neither keep_captures_days nor keep_captures_gb is set")
        return 0
    drops = _due(desk.data, settings)
    if preview:
        for each in drops:
            console.print(Text(f"{each.file}  {each.bytes / 1e6:,.1f} MB  {each.reason}"), soft_wrap=True)
        console.print(f"to be dropped: {_sum(drops)}; the next run does it" if drops else "nothing is due")
        return 0
    drop(desk.data, {each.file: each.reason for each in drops})
    console.print(_sum(drops) if drops else "nothing was due")
    return 0


def _due(data: Path, settings: Settings) -> list[Drop]:
    keep_bytes = settings.keep_captures_gb * GIGABYTE
    return due(data, keep_days=settings.keep_captures_days, keep_bytes=keep_bytes)


def _sum(drops: list[Drop]) -> str:
    return f"{count(len(drops), 'capture file')} of {sum(each.bytes for each in drops) / 1e6:,.1f} MB dropped"
