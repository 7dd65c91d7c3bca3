"""`nightdesk backup` and `nightdesk restore`."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from flows.folder import data_folder
from flows.living import living_runs
from flows.report import count
from flows.takedown import carry_out
from storage.backup import BackupError, backup, restore


def run_backup(data: Path | None, target: Path) -> int:
    """Back the data folder up. Raises BackupError, or what the store raises."""
    made = backup(data_folder(data), target)
    size = sum(entry.bytes for entry in made.files.values())
    text = (
        f"{target}: {count(len(made.files), 'file')}, {size / 1e6:,.1f} MB, as of {made.made_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    Console(highlight=False).print(Text(text), soft_wrap=True)
    return 0


def run_restore(data: Path | None, source: Path, *, overwrite: bool) -> int:
    """Put a backup in the place of the data folder; take down again what came after it. Raises BackupError."""
    folder = data_folder(data)
    console = Console(highlight=False)
    if folder.exists() and (living := living_runs(folder)):
        raise BackupError(f"{folder}: {living[0].name} goes on there; wait for it to end, or stop it")
    found, again = restore(source, folder, overwrite=overwrite)
    console.print(Text(f"{folder}: as it was on {found.made_at:%Y-%m-%d %H:%M:%S} UTC"), soft_wrap=True)
    for each in again:
        carry_out(folder, each, console.print)
        console.print(
            Text(f"taken down again, because that was ordered after the backup: {each.target}"), soft_wrap=True
        )
    return 0
