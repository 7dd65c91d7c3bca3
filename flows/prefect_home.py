"""Where Prefect lives: its home in the data folder, quiet and offline. To be called before Prefect is imported."""

import contextlib
import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

import httpx

from flows.folder import SettingsError

ADDRESS_FILE: Final = "server-address"  # in PREFECT_HOME: the API of the `nightdesk up` that runs, or ran, here

_ALWAYS: Final = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",  # we start our own, earlier (flows/server.py)
    # Leases in files: a restarted server otherwise forgets who holds a slot and ends healthy runs.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "ERROR",
}

DATABASE_BYTES: Final = 10 << 20  # a fresh database with its log takes 3 MB, one of some hundred runs 8


def prefect_home(data: Path) -> Path:
    """Return the folder of Prefect's database and settings."""
    return data / "prefect"


def set_environment(data: Path, environment: MutableMapping[str, str] = os.environ) -> None:
    """Point Prefect to this data folder, in this process and those that it starts. What is set already stays."""
    environment["NIGHTDESK_DATA"] = str(data)
    environment.setdefault("PREFECT_HOME", str(prefect_home(data)))
    for name, value in _ALWAYS.items():
        environment.setdefault(name, value)


def running_server(data: Path) -> str | None:
    """Return the API address of the server that `nightdesk up` keeps over this folder, None if none answers."""
    try:
        address = (prefect_home(data) / ADDRESS_FILE).read_text(encoding="utf-8").strip()
        return address if httpx.get(f"{address}/health", timeout=2.0).is_success else None
    except (OSError, UnicodeDecodeError, httpx.HTTPError, httpx.InvalidURL):
        return None


def require_room(home: Path) -> None:
    """Raise SettingsError where Prefect's database could not be written: a full disk, a quota, a read-only folder.

    Prefect's own words for it are pages of traceback in its log, and a server that ends again and again.
    """
    probe = home / ".room"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with probe.open("wb") as file:
            file.write(bytes(DATABASE_BYTES))
    except OSError as error:
        raise SettingsError(
            f"{home}: Prefect's database cannot be kept there: {error.strerror}; it needs about"
            f" {DATABASE_BYTES >> 20} MB. Make room or give the right to write, and start again"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
