"""`nightdesk learned`: the lines that recur on a site's pages, and a person's word on them."""

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.folder import data_folder
from flows.plain import plain
from storage.learned import Line, known_lines, revoke

LONGEST_LINE = 100  # characters of a line that are shown


def list_lines(data: Path | None, site: str | None) -> int:
    """Print the lines that were learned, of one site or all."""
    found = known_lines(data_folder(data), site)
    console = Console(highlight=False)
    if not found:
        console.print("no line was learned yet: it takes five articles of a site that have one in common")
        return 0
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in ("site", "fingerprint", "articles", "state", "line"):
        table.add_column(name, overflow="fold")
    for line in found:
        table.add_row(line.site, line.fingerprint, f"{line.pages} of {line.of_pages}", _state(line), _text(line))
    console.print(table)
    return 0


def set_revoked(data: Path | None, site: str, fingerprint: str, *, revoked: bool) -> int:
    """Revoke a learned line or restore it. Raises UnknownLineError."""
    line = revoke(data_folder(data), site, fingerprint, revoked=revoked)
    what = "stays in the articles" if line.revoked else "is taken out of the articles"
    Console(highlight=False).print(f"from the next run on this line {what} of {line.site}: ", _text(line), sep="")
    return 0


def _state(line: Line) -> str:
    return "revoked" if line.revoked else "taken out"


def _text(line: Line) -> Text:
    return Text(plain(line.text, LONGEST_LINE))
