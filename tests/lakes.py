"""Lakes for tests: a real Postgres as a process of its own in a folder that goes, with a database a lake."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

_USER = "nightdesk"


class Postgres:
    """A Postgres server that answers on a socket in a folder of its own, as a user that is not root."""

    def __init__(self, home: Path, programs: Path) -> None:
        self.home, self._programs = home, programs
        self._as: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres" if _exists("postgres") else "nobody")
            os.chown(home, owner.pw_uid, owner.pw_gid)
            self._as |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self.start_new()

    def start_new(self) -> None:
        initdb = [
            "initdb",
            "-D",
            str(self.home / "db"),
            "-U",
            _USER,
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        self._run(*initdb)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = ("fsync=off", "listen_addresses=", f"unix_socket_directories={self.home}", "max_connections=60")
        command = [str(self._programs / "postgres"), "-D", str(self.home / "db")]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *(part for each in settings for part in ("-c", each))],
                stdout=log,
                stderr=log,
                **self._as,
                preexec_fn=_end_with_us,  # noqa: PLW1509 -- no thread of ours holds a lock
            )
        deadline = time.monotonic() + 60
        while subprocess.run([self._programs / "pg_isready", "-q", "-h", self.home], check=False).returncode:
            assert self.process.poll() is None, (self.home / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def ask(self, sql: str, database: str = "postgres") -> list[list[str]]:
        """Run SQL and return what it says, as texts."""
        command = [
            self._programs / "psql",
            "-h",
            self.home,
            "-U",
            _USER,
            "-d",
            database,
            "-qAtX",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        done = subprocess.run([*command, "-c", sql], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("|") for line in done.stdout.splitlines()]

    def catalogue(self, name: str, template: str | None = None) -> str:
        """Make a database and return the setting that names it."""
        self.ask(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return f"postgres:host={self.home} user={_USER} dbname={name}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._as)
        assert done.returncode == 0, done.stderr

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def _end_with_us() -> None:
    """Let the kernel stop this process when the one that started it ends, however that was (prctl's PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGINT)


def _exists(user: str) -> bool:
    return any(each.pw_name == user for each in pwd.getpwall())


def programs() -> Path | None:
    """Return the folder of Postgres's programs; None where it is not installed (Debian: postgresql)."""
    found = [path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    if not found and (path := shutil.which("initdb")):
        found = [Path(path).parent]
    return found[-1] if found else None


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a Postgres for as long as the block lasts. Raises FileNotFoundError where it is not installed."""
    folder = programs()
    if folder is None:
        raise FileNotFoundError("Postgres is not installed (Debian's package postgresql)")
    home = Path(tempfile.mkdtemp(prefix="nd-pg-"))  # a socket's path is short
    try:
        with Postgres(home, folder) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


def make_lake(data: Path, catalogue: str, rows: Path | str) -> None:
    """Let a data folder's store be a lake."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "nightdesk.toml").write_text(f'lake_catalogue = "{catalogue}"\nlake_data = "{rows}"\n')


@contextmanager
def object_storage() -> Iterator[tuple[str, str]]:
    """Run an S3 server on this machine; yield its address and the URL of an empty bucket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_end_with_us)  # noqa: PLW1509
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urlopen(Request(f"http://127.0.0.1:{port}/shelf", method="PUT"), timeout=10).close()
                break
            except OSError:
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", "s3://shelf"
    finally:
        server.kill()
        server.wait()
