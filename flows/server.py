"""The Prefect server of a flow that is run from a terminal: that of `nightdesk up`, else one for this process alone.

Prefect would start one by itself when the flow begins, after its own import. Started here and first, the two overlap
on two cores: 6 s less on the way to the first page (docs/decisions/terminal-server.md).
"""

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from flows.prefect_home import prefect_home, require_room, running_server, set_environment

START_S: Final = 120.0  # a fresh database takes 13 s of CPU, and the machine may be busy
STOP_S: Final = 3.0  # to write the last events; the runs are in the database already


class ServerError(RuntimeError):
    """Prefect's server did not start; the text names its log."""


def connect_to_server(data: Path) -> Callable[[], None]:
    """Point Prefect at a server for this data folder, starting one if need be; return what waits until it answers.

    To be called before Prefect is imported. A PREFECT_API_URL that is set already is left alone. A server that is
    started here ends with this process.
    """
    set_environment(data)
    # Our own lines go to the terminal, Prefect's only to the run's page.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    if "PREFECT_API_URL" in os.environ:
        return _nothing
    if (address := running_server(data)) is not None:
        os.environ["PREFECT_API_URL"] = address
        return _nothing
    return _start(prefect_home(data))


def _nothing() -> None:
    pass


def _start(home: Path) -> Callable[[], None]:
    require_room(home)
    log = home / "server.log"
    port = _free_port()
    address = f"http://127.0.0.1:{port}/api"
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [
                *(sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"),
                *("--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--lifespan", "on"),
            ],
            # As Prefect starts its own temporary one (prefect.server.api.server.SubprocessASGIServer).
            env={
                **os.environ,
                "PREFECT_UI_ENABLED": "0",
                "PREFECT_API_BLOCKS_REGISTER_ON_START": "0",  # 2 s of CPU for what only the interface shows
                "PREFECT__SERVER_EPHEMERAL": "1",
                "PREFECT__SERVER_FINAL": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    os.environ["PREFECT_API_URL"] = address
    # Not sooner than at exit: Prefect's threads hand in their last logs and events before that.
    atexit.register(_stop, process)

    def wait() -> None:
        deadline = time.monotonic() + START_S
        with httpx.Client() as api:  # one for all questions: each new one reads all certificates, 0.05 s of CPU
            while time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(httpx.HTTPError):
                    if api.get(f"{address}/health").is_success:
                        return
                time.sleep(0.1)
        raise ServerError(f"Prefect's server did not answer on {address}; its last words are in {log}")

    return wait


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
