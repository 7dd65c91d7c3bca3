"""Where the store of a data folder is: in files of the folder, or, for several machines, in a lake.

The two settings of a lake stand in nightdesk.toml or the environment, as all settings do (flows/config.py); they are
read here because the store is opened by folder. No DuckDB here: settings are read by commands that need none.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.errors import StoreError

SETTINGS: Final = "nightdesk.toml"
CATALOGUE: Final = "lake_catalogue"
DATA: Final = "lake_data"
_SCHEME: Final = "postgres:"
_SECRET: Final = re.compile(r"\b(password|passfile|sslpassword)\s*=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lake:
    """A lake: `catalogue` is how libpq connects to its database ("host=… dbname=…"), `data_path` ends in a slash."""

    catalogue: str
    data_path: str

    @property
    def remote(self) -> bool:
        """Whether the rows are in object storage."""
        return self.data_path.startswith("s3://")


def lake_of(data: Path, environment: Mapping[str, str] = os.environ) -> Lake | None:
    """Return the lake that a data folder's store is in; None: it is in the folder's own files.

    Raises:
        StoreError: the settings cannot be read, or make no lake.
    """
    path = data / SETTINGS
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        values = {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: {error}") from error
    catalogue, rows = (environment.get(f"NIGHTDESK_{key.upper()}", values.get(key, "")) for key in (CATALOGUE, DATA))
    if wrong := mistake(catalogue, rows):
        raise StoreError(f"{path}: {wrong}")
    if not catalogue:
        return None
    return Lake(catalogue.removeprefix(_SCHEME).strip(), rows.rstrip("/") + "/")


def mistake(catalogue: object, rows: object) -> str | None:
    """Say what is wrong with the two settings of a lake, and the mend; None if nothing is."""
    if not catalogue and not rows:
        return None
    if not catalogue or not rows:
        missing = DATA if catalogue else CATALOGUE
        return f"{missing} is not set: a lake needs both {CATALOGUE} and {DATA}"
    if not isinstance(catalogue, str) or not catalogue.startswith(_SCHEME) or "=" not in catalogue:
        return f'{CATALOGUE}: write "postgres:host=db.example.org dbname=nightdesk user=nightdesk"'
    if _SECRET.search(catalogue):
        return f"{CATALOGUE}: a password does not belong into a file of settings; set PGPASSWORD or use ~/.pgpass"
    if not isinstance(rows, str) or not (rows.startswith("/") or re.fullmatch(r"s3://[^/@]+(/.*)?", rows)):
        return f'{DATA}: write "s3://bucket/folder/", or the absolute path of a folder that all machines share'
    return None
