"""`nightdesk demo`: the real nightly flow over the bundled newsroom, and what to do with the result."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape

from flows import shell
from flows.config import FILE_NAME
from flows.desk import require_writable
from flows.folder import SettingsError, data_folder
from flows.report import duration
from flows.terminal import run_nightly
from storage.query import Session

START_S: Final = 20.0  # for the newsroom to listen; it takes 1 s

SETTINGS: Final = """\
# The demo crawls its own newsroom and nothing else.
catalogue = false
"""

#: Three questions to go on with; each shows another side of the store.
QUESTIONS: Final = (
    (
        "What was published most recently?",
        """\
select site, date_published::date as day, headline, array_to_string(authors, ', ') as authors
from articles order by date_published desc limit 5""",
    ),
    (
        "Which boilerplate was taken out, and by which rule?",
        """\
select kind, rule, sum(blocks)::int as blocks, left(any_value(most_frequent_text), 40) as example
from removed_by_rule group by all order by blocks desc limit 5""",
    ),
    (
        "What is not in the store, and why?",
        "select site, outcome, reason, parse_path(url)[-1] as page from missed order by site, outcome",
    ),
)
EDITED: Final = (
    "What changed since yesterday?",
    """\
select site, headline, version, valid_from, characters_more
from article_history where version > 1 order by valid_from desc limit 5""",
)


class Newsroom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newsroom of one demo folder: the same day and port on every run, the next edition on each but the first."""

    anchor: date
    port: int
    edition: int
    edited_at: datetime | None = None  # when the second edition appeared


class DemoError(RuntimeError):
    """The newsroom could not be started; the text says why."""


def demo(data: Path | None) -> int:
    """Serve the newsroom, crawl it, show what came of it; return the exit code."""
    began = time.monotonic()
    folder = data_folder(data or Path(os.environ.get("NIGHTDESK_DATA") or "demo-data"))
    console = Console(highlight=False)
    room = _settle(folder)
    with _served(room, folder / "newsroom.log"):
        console.print(f"Three news sites are served at 127.0.0.1:{room.port} (edition {room.edition}); crawling them …")
        code = run_nightly(folder, [], refetch=False, limit_pages=0)
    if code == 0:
        _remember(folder, msgspec.structs.replace(room, edition=2))
        _show_questions(folder, console, again=room.edition > 1)
        console.print(f"\nAll in {duration_of(time.monotonic() - began)}.", _next_steps(folder, room.edition), sep=" ")
    return code


def duration_of(seconds: float) -> str:
    """Return a number of seconds for people."""
    from datetime import timedelta  # noqa: PLC0415

    return duration(timedelta(seconds=seconds))


def _settle(folder: Path) -> Newsroom:
    """Read which newsroom this folder has, or give it one with its sites and settings."""
    require_writable(folder)
    path = folder / "newsroom.json"
    try:
        room = msgspec.json.decode(path.read_bytes(), type=Newsroom)
    except FileNotFoundError:
        if (folder / FILE_NAME).exists():
            raise SettingsError(
                f"{folder} is a data folder of yours: the demo keeps away from it; name an empty one with --data"
            ) from None
        room = Newsroom(anchor=datetime.now(UTC).date(), port=_free_port(), edition=1)
        (folder / FILE_NAME).write_text(SETTINGS, encoding="utf-8")
        _remember(folder, room)
    except msgspec.MsgspecError as error:
        raise SettingsError(f"{path}: {error}; delete the folder to begin anew") from error
    from newsroom.sites import write_sites  # noqa: PLC0415

    write_sites(folder / "sites", room.port)
    if room.edition > 1 and room.edited_at is None:
        room = msgspec.structs.replace(room, edited_at=datetime.now(UTC).replace(microsecond=0))
        _remember(folder, room)
    return room


def _remember(folder: Path, room: Newsroom) -> None:
    part = folder / "newsroom.json.part"
    part.write_bytes(msgspec.json.encode(room))
    part.rename(folder / "newsroom.json")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _served(room: Newsroom, log: Path) -> Iterator[None]:
    """Serve the newsroom in a process of its own, which ends with its standard input: with us, however we end."""
    command = [
        *(sys.executable, "-m", "newsroom", "--watch-parent", "--log", str(log)),
        *("--port", str(room.port), "--edition", str(room.edition), "--anchor", room.anchor.isoformat()),
    ]
    if room.edited_at is not None:
        command += ["--started", room.edited_at.isoformat()]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("{") or not json.loads(line).get("ready"):
            raise DemoError(
                f"the newsroom does not start on port {room.port} (another program may have it): {line.strip()}"
            )
        yield
    finally:
        process.terminate()
        process.wait(START_S)


def _show_questions(folder: Path, console: Console, *, again: bool) -> None:
    questions = [*QUESTIONS[:2], EDITED] if again else QUESTIONS
    console.print("\n[bold]Three questions to try next:[/]")
    with Session(folder) as session:
        for question, sql in questions:
            console.print(f"\n[bold cyan]{question}[/]")
            console.print(f"[dim]{escape(_command(folder, sql))}[/]", soft_wrap=True)
            shell.show(session.ask(sql), "table", sys.stdout)


def _command(folder: Path, sql: str) -> str:
    return f'NIGHTDESK_DATA={_shown(folder)} nightdesk sql "{sql}"'


def _shown(folder: Path) -> str:
    return os.path.relpath(folder) if folder.is_relative_to(Path.cwd()) else str(folder)


def _next_steps(folder: Path, edition: int) -> str:
    again = (
        "Run it again: meanwhile an article was edited and three were published; nothing else is fetched twice."
        if edition == 1
        else "Each article that was edited has a second version now; nothing that stood still was fetched again."
    )
    return f"{again}\nThe data are in {_shown(folder)}/ ; ask on with: nightdesk sql --data {_shown(folder)}"
