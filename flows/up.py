"""`nightdesk up`: Prefect's server, a worker and the deployments over one data folder, until Ctrl-C."""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import re
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from flows.config import Settings
from flows.desk import Desk, require_writable
from flows.folder import SettingsError
from flows.prefect_home import ADDRESS_FILE, prefect_home, require_room, set_environment

POOL: Final = "nightdesk"
HOST: Final = "127.0.0.1"  # the interface has no passwords: it is for this machine alone
START_S: Final = 120.0  # a fresh database takes 13 s of CPU
CANCEL_S: Final = 40.0  # for running flows to close their spider; Prefect kills them after 30 s
STOP_S: Final = 15.0  # for server and worker after SIGTERM
RESTART_S: Final = 5.0  # pause before a process that died is started again
PREFECT: Final = (sys.executable, "-m", "prefect")
PR_SET_PDEATHSIG: Final = 1  # <sys/prctl.h>

UNFINISHED: Final = ("RUNNING", "PENDING", "CANCELLING")

Say = Callable[[str], None]


class UpError(RuntimeError):
    """Prefect did not start or took no deployments; the text says which and where to look."""


def deployments_file() -> Path:
    """Return the shipped prefect.yaml: beside the package in a checkout, inside it in an installed wheel."""
    here = Path(__file__).parent
    inside = here / "prefect.yaml"
    return inside if inside.exists() else here.parent / "prefect.yaml"


def rendered(text: str, settings: Settings) -> str:
    """Return a prefect.yaml with the schedule that nightdesk.toml asks for: the hour is that of the first, nightly."""
    text = re.sub(r"(?m)^(\s*timezone: ).*$", rf"\g<1>{settings.time_zone}", text)
    if not settings.nightly_cron:
        return text
    return re.sub(r"(?m)^(\s*- cron: ).*$", rf'\g<1>"{settings.nightly_cron}"', text, count=1)


def schedule(settings: Settings) -> str:
    """Return the cron line of the nightly crawl."""
    found = re.search(r'(?m)^\s*- cron: "([^"]+)"', rendered(deployments_file().read_text(encoding="utf-8"), settings))
    assert found is not None, "prefect.yaml holds the schedule"
    return found[1]


async def up(desk: Desk, say: Say, port: int | None = None) -> None:
    """Serve until this task is cancelled; then cancel what runs, keeping what was fetched, and end all processes.

    Raises SettingsError if another `nightdesk up` has the folder or the port is taken, UpError if Prefect fails.
    """
    require_writable(desk.data)
    port = port or desk.settings.port
    with _alone(desk.data):
        _require_free(port)
        address = f"http://{HOST}:{port}"
        set_environment(desk.data)
        os.environ |= {"PREFECT_API_URL": f"{address}/api", "PREFECT_UI_URL": f"{address}/v2"}
        home = prefect_home(desk.data)
        require_room(home)
        say(f"starting Prefect (its files are in {home}) …")
        async with (
            _kept_running(["server", "start", "--host", HOST, "--port", str(port)], home / "server.log", say),
            httpx.AsyncClient(base_url=f"{address}/api", timeout=30) as api,
        ):
            await _answers(api, "/health", home / "server.log")
            await sweep(api)
            home.joinpath(ADDRESS_FILE).write_text(f"{address}/api\n", encoding="utf-8")
            worker = ["worker", "start", "--pool", POOL, "--type", "process", "--name", "nightdesk"]
            async with _kept_running(worker, home / "worker.log", say, before=lambda: sweep(api)):
                try:
                    await _answers(api, f"/work_pools/{POOL}", home / "worker.log")  # the worker makes its pool
                    await _deploy(desk, home)
                    say(f"user interface: {address}")
                    say(f"nightly crawl: {schedule(desk.settings)} (cron), {desk.settings.time_zone}")
                    say("Ctrl-C ends it all")
                    await asyncio.Event().wait()
                finally:
                    home.joinpath(ADDRESS_FILE).unlink(missing_ok=True)
                    say("stopping: what was fetched is kept …")
                    await _cancel_runs(api)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    path = data / "locks" / "up.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SettingsError(f"`nightdesk up` runs over {data} already (process {lock.read(20).strip()})") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise SettingsError(
                f"port {port} on {HOST} cannot be used: {error.strerror}; choose one with --port"
            ) from error


@asynccontextmanager
async def _kept_running(
    arguments: Sequence[str], log: Path, say: Say, before: Callable[[], Any] | None = None
) -> AsyncIterator[None]:
    """Run one of Prefect's commands, started again whenever it ends, until the block is left."""
    process = await _start(arguments, log)

    async def keep() -> None:
        nonlocal process
        while True:
            code = await process.wait()
            say(f"prefect {arguments[0]} ended with exit code {code} ({_why(log)}); starting it again")
            await asyncio.sleep(RESTART_S)
            if before is not None:
                with contextlib.suppress(httpx.HTTPError):
                    await before()
            process = await _start(arguments, log)

    keeper = asyncio.ensure_future(keep())
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])
        await _stop(process)


def _why(log: Path) -> str:
    """Return what its home lacks, else where its last words are."""
    try:
        require_room(log.parent)
    except SettingsError as error:
        return str(error)
    return f"see {log}"


async def _start(arguments: Sequence[str], log: Path) -> Process:
    with log.open("ab") as file:
        return await asyncio.create_subprocess_exec(
            *PREFECT,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C is for us: we end them in the right order
            preexec_fn=_end_with_parent,
        )


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


async def _stop(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_S)
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _answers(api: httpx.AsyncClient, path: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if (await api.get(path)).is_success:
                return
        await asyncio.sleep(0.3)
    raise UpError(f"Prefect did not answer within {START_S:.0f} s; its last words are in {log}")


async def sweep(api: httpx.AsyncClient) -> int:
    """Mark runs as crashed whose process is gone (a machine that was switched off says no goodbye); return how many."""
    found = 0
    for run in await _runs(api, UNFINISHED):
        if not _lives(run.get("infrastructure_pid")):
            message = "The process was gone when nightdesk was started again; the next run takes up what it left."
            await _set_state(api, run["id"], "CRASHED", "Crashed", message, force=True)
            found += 1
    return found


async def _cancel_runs(api: httpx.AsyncClient) -> None:
    """Cancel what runs, so that spiders end gently, and wait for it."""
    with contextlib.suppress(httpx.HTTPError):
        for run in await _runs(api, ("RUNNING", "PENDING")):
            await _set_state(api, run["id"], "CANCELLING", "Cancelling", "nightdesk up was stopped", force=False)
        deadline = time.monotonic() + CANCEL_S
        while await _runs(api, UNFINISHED) and time.monotonic() < deadline:  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.5)


async def _runs(api: httpx.AsyncClient, states: Sequence[str]) -> list[dict[str, Any]]:
    answer = await api.post("/flow_runs/filter", json={"flow_runs": {"state": {"type": {"any_": list(states)}}}})
    runs: list[dict[str, Any]] = answer.raise_for_status().json()
    return runs


async def _set_state(api: httpx.AsyncClient, run: str, kind: str, name: str, message: str, *, force: bool) -> None:
    state = {"type": kind, "name": name, "message": message}
    (await api.post(f"/flow_runs/{run}/set_state", json={"state": state, "force": force})).raise_for_status()


def _lives(pid: object) -> bool:
    try:
        os.kill(int(str(pid).rpartition(":")[2]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


async def _deploy(desk: Desk, home: Path) -> None:
    path = home / "prefect.yaml"
    path.write_text(rendered(deployments_file().read_text(encoding="utf-8"), desk.settings), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(*PREFECT, "--no-prompt", "deploy", "--all", "--prefect-file", str(path)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=home,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise UpError(f"prefect deploy failed:\n{output.decode(errors='replace')}")
