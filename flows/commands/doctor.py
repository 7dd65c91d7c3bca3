# ruff: noqa: ARG001 - every check takes the data folder
"""`nightdesk doctor`: each thing that a run needs is tried, and what is wrong is said with its mend."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from rich.console import Console
from rich.markup import escape

from extraction.records import Capture, Discovery, Page
from flows.config import load_settings
from flows.desk import open_desk, require_contact, require_writable
from flows.folder import SettingsError, data_folder
from flows.plain import plain
from flows.pool import Pool, cores
from flows.prefect_home import running_server
from flows.report import count
from spiders.site import SiteError
from storage.database import NotPublishedError, StoreError
from storage.query import Session

LEAST_FREE: Final = 2 * 2**30  # bytes: a night's captures, rows, the store and its published copy
OLDEST: Final = datetime(2025, 1, 1, tzinfo=UTC)  # a clock before this is wrong: this code was written later

Check = Callable[[Path], str]


class TroubleError(Exception):
    """Something is wrong; the text says what, and the mend."""


def doctor(data: Path | None) -> int:
    """Try everything, print a line each, return 0 if a run can begin and 1 if not."""
    folder = data_folder(data)
    console = Console(highlight=False)
    healthy = True
    for name, check in CHECKS.items():
        try:
            console.print(f"[green]ok[/]    {name}: {escape(plain(check(folder)))}", soft_wrap=True)
        except (TroubleError, SettingsError, SiteError, StoreError) as error:
            healthy = False
            console.print(f"[red]wrong[/] {name}: {escape(plain(str(error), 1000))}", soft_wrap=True)
    return 0 if healthy else 1


def _packages(folder: Path) -> str:
    wrong = []
    for text in requires("nightdesk") or []:
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate():
            try:
                if not need.specifier.contains(version(need.name), prereleases=True):
                    wrong.append(f"{need.name} {version(need.name)} is not {need.specifier}")
            except PackageNotFoundError:
                wrong.append(f"{need.name} is missing")
    if wrong:
        raise TroubleError(f"{'; '.join(wrong)}; install anew from requirements.lock")
    return f"Python {sys.version.partition(' ')[0]} and what {version('nightdesk')} needs"


def _clock(folder: Path) -> str:
    now = datetime.now(UTC)
    if now < OLDEST:
        raise TroubleError(f"it is not {now:%Y-%m-%d}; set the system's clock: the ledger goes by it")
    return f"{now:%Y-%m-%d %H:%M} UTC"


def _settings(folder: Path) -> str:
    settings = load_settings(folder)
    return f"time zone {settings.time_zone}, {settings.workers or cores()} extraction workers"


def _writable(folder: Path) -> str:
    require_writable(folder)
    probe = folder / f".doctor-{os.getpid()}"
    try:
        probe.write_bytes(b"x" * 4096)
    except OSError as error:
        raise TroubleError(f"{folder}: nothing can be written: {error.strerror}") from error
    finally:
        probe.unlink(missing_ok=True)
    return str(folder)


def _disk(folder: Path) -> str:
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        raise TroubleError(f"{free / 2**30:.1f} GiB free at {folder}; a night needs {LEAST_FREE / 2**30:.0f} GiB")
    return f"{free / 2**30:,.0f} GiB free"


def _sites(folder: Path) -> str:
    desk = open_desk(folder)
    if unfit := desk.unfit():
        raise TroubleError("; ".join(f"site {name} cannot be crawled: {reason}" for name, reason in unfit.items()))
    return f"{count(len(desk.sites), 'site')}, {len(desk.chosen())} enabled"


def _contact(folder: Path) -> str:
    desk = open_desk(folder)
    require_contact(desk, desk.chosen())
    return desk.settings.contact or "not needed: all enabled sites are on this machine"


def _spider(folder: Path) -> str:
    job = folder / ".doctor-job.json"  # is not there: the spider is to start, and to say so
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own module
        [sys.executable, "-m", "spiders", str(job)], capture_output=True, text=True, timeout=60, check=False
    )
    if str(job) not in done.stderr:
        raise TroubleError(f"the spider's process does not start: {done.stderr.strip()[-500:]}")
    return "its process starts"


def _extraction(folder: Path) -> str:
    text = "".join(f"<p>This is sentence number {n}, and it says that the doctor looked in.</p>" for n in range(8))
    page = Page(
        discovery=Discovery(url="http://doctor.localhost/a", site="doctor", found_in="list", found_by="list"),
        final_url="http://doctor.localhost/a",
        status=200,
        headers=(("Content-Type", "text/html; charset=utf-8"),),
        fetched_at=datetime.now(UTC),
        body=f"<html><head><title>The doctor</title></head><body><article>{text}</article></body></html>".encode(),
        capture=Capture(file="doctor", offset=0),
    )
    began = time.monotonic()
    with Pool(1) as pool:
        ((_, rows),) = pool.extract([page])
    if isinstance(rows, str) or rows.article is None:
        raise TroubleError(f"an extraction worker fails: {rows if isinstance(rows, str) else rows.fetch}")
    return f"a worker starts and reads a page in {time.monotonic() - began:.1f} s"


def _store(folder: Path) -> str:
    try:
        with Session(folder) as session:
            rows = list(session.ask("select count(*) from articles").rows)
    except NotPublishedError:
        return "empty"
    return count(rows[0][0], "article")


def _prefect(folder: Path) -> str:
    address = running_server(folder)
    return f"version {version('prefect')}; " + (f"`nightdesk up` answers at {address}" if address else "not running")


CHECKS: Final[dict[str, Check]] = {
    "packages": _packages,
    "clock": _clock,
    "settings": _settings,
    "data folder": _writable,
    "disk": _disk,
    "sites": _sites,
    "contact": _contact,
    "spider": _spider,
    "extraction": _extraction,
    "store": _store,
    "prefect": _prefect,
}
