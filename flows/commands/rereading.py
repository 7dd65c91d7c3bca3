"""`nightdesk reextract`: captures read again in a terminal, shown, and what an operator decides about it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from flows import reextraction
from flows.desk import Desk, open_desk, require_writable
from flows.plain import plain
from flows.reextraction import Report
from flows.reextraction_report import markdown, terminal
from flows.report import count
from flows.watch import Lines
from storage.promotion import Promoted
from storage.rereading import Wanted

HELD = 1  # exit code: the gate holds it


def read_again(
    data: Path | None, sites: list[str], first_day: date | None, last_day: date | None, limit_pages: int, *, yes: bool
) -> int:
    """Read captures again, show what changes, and promote that if the gate lets it pass and `yes`."""
    desk = open_desk(data)
    require_writable(desk.data)
    wanted = Wanted(sites=tuple(sites), first_day=first_day, last_day=last_day, limit_pages=limit_pages)
    console = Console(stderr=True, highlight=False)
    with _progress(console) as show:
        report = reextraction.carry_out(desk, wanted, _teller(console), show)
    show_report(desk, report)
    if not report.dossier.passes:
        return HELD
    if yes:  # also what is promoted: killed before it was published, it has yet to be
        return promote(data, report.dossier.reextraction_id, despite_gate=False)
    return 0


def promote(data: Path | None, name: str, *, despite_gate: bool) -> int:
    """Bring a re-extraction into the store, and say what that did."""
    desk = open_desk(data)
    done_of, done = reextraction.promote(desk, name, despite_gate=despite_gate)
    console = Console(highlight=False)
    console.print(_told("promoted", done_of, done), soft_wrap=True)
    console.print(f"back with: nightdesk reextract --roll-back {done_of}", soft_wrap=True)
    return 0


def roll_back(data: Path | None, name: str) -> int:
    """Bring the former texts back, and say what that did."""
    done_of, done = reextraction.roll_back(open_desk(data), name)
    Console(highlight=False).print(_told("rolled back", done_of, done), soft_wrap=True)
    return 0


def discard(data: Path | None, name: str) -> int:
    """Delete what was read again."""
    done_of = reextraction.discard(open_desk(data), name)
    Console(highlight=False).print(f"{done_of}: discarded; the store was not changed", soft_wrap=True)
    return 0


def show(data: Path | None, name: str) -> int:
    """Show the report of a re-extraction again."""
    desk = open_desk(data)
    show_report(desk, reextraction.show(desk, name))
    return 0


def list_all(data: Path | None) -> int:
    """List all re-extractions with their states."""
    console = Console(highlight=False)
    found = reextraction.everything(open_desk(data))
    if not found:
        console.print("nothing was read again in this data folder yet")
        return 0
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in ("re-extraction", "state", "gate", "pages", "sites"):
        table.add_column(column, justify="right" if column == "pages" else "left")
    for dossier, state in found:
        gate = "–" if dossier.compared_at is None else "hold" if dossier.reasons else "pass"
        named = ", ".join(dossier.wanted.sites) or "all"
        table.add_row(Text(dossier.reextraction_id), state, gate, f"{dossier.pages:,}", Text(plain(named)))
    console.print(table)
    return 0


def show_report(desk: Desk, report: Report) -> None:
    """Print a report and keep it as `reports/<id>.md`."""
    folder = desk.data / "reports"
    folder.mkdir(exist_ok=True)
    (folder / f"{report.dossier.reextraction_id}.md").write_text(markdown(report), encoding="utf-8")
    Console(highlight=False).print(terminal(report))


def _told(what: str, name: str, done: Promoted) -> str:
    if done.again:
        return f"{name}: was {what} already"
    versions = f"{count(done.versions_before, 'version')} became {done.versions_after:,}"
    left = f", {count(done.departed, 'article')} left the store" if done.departed else ""
    return f"{name}: {what}: {count(done.articles, 'article')} told anew ({versions}{left})"


def _teller(console: Console) -> Callable[[str, str], None]:
    if not console.is_terminal:
        lines = Lines()
        return lambda level, message: lines.say(level, None, message)
    return lambda _, message: console.print(Text(plain(message)), soft_wrap=True)


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Show how far the work is: a bar in a terminal, nothing elsewhere."""
    if not console.is_terminal:
        yield lambda _done, _of: None
        return
    columns = (TextColumn("reading again"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
