"""Where the data folder is. Apart from the settings: a command that reads none does not wait for their library."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

DATA_VARIABLE = "NIGHTDESK_DATA"


class SettingsError(ValueError):
    """A setting is unknown, of the wrong type or impossible; the text names file or variable, value and mend."""


def data_folder(given: Path | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """The absolute path of the data folder: as given, else `NIGHTDESK_DATA`, else `./data`. It need not exist.

    Raises SettingsError if there is a file in its place.
    """
    folder = (given or Path(environment.get(DATA_VARIABLE) or "data")).expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"the data folder {folder} is a file; name a folder with --data or {DATA_VARIABLE}")
    return folder


@contextmanager
def naming(path: Path, size: int) -> Iterator[None]:
    """Let an OSError of writing a file say which file that is and how many bytes it needs: the system says neither."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}: {size} bytes are needed", str(path)) from error
