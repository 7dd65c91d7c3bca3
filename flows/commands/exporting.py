"""`nightdesk export`: articles for other programs, as Parquet or JSON lines."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from flows.folder import data_folder
from flows.report import count
from storage.export import Wanted, export


def run_export(data: Path | None, target: Path, wanted: Wanted) -> int:
    """Export and say what it came to. Raises ExportError, or what the store raises."""
    done = export(data_folder(data), target, wanted)
    state = "written" if done.written else "there already, unchanged"
    Console(highlight=False).print(Text(f"{done.target}: {count(done.rows, 'article')} {state}"), soft_wrap=True)
    return 0
