"""Which runs go on: each holds a lock on its `run.json` for as long as it lives."""

import fcntl
import time
from collections.abc import Callable, Iterable
from io import FileIO
from pathlib import Path

from flows.folder import naming

REQUEST = "run.json"
POLL_S = 0.5


def come_to_life(folder: Path, request: bytes) -> FileIO:
    """Make the folder of a run, with its request; the run lives for as long as it holds the returned file open.

    Raises OSError, and leaves no folder behind, where the disk refuses.
    """
    folder.mkdir(parents=True)
    path = folder / REQUEST
    with naming(path, len(request)):
        file = FileIO(path, "x")
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            file.write(request)
        except OSError:
            file.close()
            path.unlink()
            folder.rmdir()
            raise
    return file


def living_runs(data: Path, *, but: str | None = None) -> list[Path]:
    """Return the folders of the runs that go on, but for the one of that id."""
    requests = sorted((data / "captures").glob(f"*/{REQUEST}"))
    return [path.parent for path in requests if path.parent.name != but and is_held(path)]


def is_held(path: Path) -> bool:
    """Whether a living process holds this file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def wait_for(runs: Iterable[Path], say: Callable[[str], None]) -> None:
    """Wait until these runs are over, whether they end or die; `say` is told which one is waited for."""
    for run in runs:
        if is_held(run / REQUEST):
            say(f"waiting for {run.name} to end")
            while is_held(run / REQUEST):
                time.sleep(POLL_S)
