"""A schedule that fires by itself, on a Prefect server that is not ours."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.config import Settings
from flows.up import deployments_file, rendered
from tests.flows.world import Served, descendants, free_port, is_alive, kill, stored_articles, wait_for

PREFECT = (sys.executable, "-m", "prefect")


@contextmanager
def running(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[None]:
    """One of Prefect's own commands, and all that it starts, until the block is left."""
    with log.open("wb") as file:
        process = subprocess.Popen([*PREFECT, *arguments], env=environment, stdout=file, stderr=file)
        try:
            yield
        finally:
            below = descendants(process.pid)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            kill({pid for pid in below if is_alive(pid)})


def answers(api: httpx.Client, path: str) -> bool:
    try:
        return api.get(path).is_success
    except httpx.HTTPError:
        return False


def scheduled_runs(api: httpx.Client) -> list[dict[str, Any]]:
    wanted = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}, "sort": "END_TIME_DESC"}
    return [run for run in api.post("/flow_runs/filter", json=wanted).json() if run["auto_scheduled"]]


@pytest.mark.prefect
def test_the_schedule_fires_on_any_prefect_server(own_newsroom: Served, tmp_path: Path) -> None:
    """`prefect deploy --all` from a checkout, a plain server and worker: the cron's run comes by itself and loads all."""
    data = own_newsroom.furnish(tmp_path / "data")
    address = f"http://127.0.0.1:{(port := free_port())}/api"
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("PREFECT_", "NIGHTDESK_"))}
    environment |= {"NIGHTDESK_DATA": str(data), "PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_API_URL": address}
    environment |= {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "NO_COLOR": "1"}
    every_minute = tmp_path / "prefect.yaml"
    text = deployments_file().read_text(encoding="utf-8")
    every_minute.write_text(rendered(text, Settings(nightly_cron="* * * * *")), encoding="utf-8")
    deploy = [*PREFECT, "--no-prompt", "deploy", "--all", "--prefect-file", str(every_minute)]
    with (
        running(environment, tmp_path / "server.log", "server", "start", "--host", "127.0.0.1", "--port", str(port)),
        httpx.Client(base_url=address, timeout=60) as api,
    ):
        wait_for(lambda: pause() or answers(api, "/health"), 150, "the server answers")
        worker = ("worker", "start", "--pool", "nightdesk", "--type", "process")
        with running(environment, tmp_path / "worker.log", *worker):
            wait_for(lambda: pause() or answers(api, "/work_pools/nightdesk"), 150, "the worker makes its pool")
            subprocess.run(deploy, env=environment, cwd=deployments_file().parent, check=True, capture_output=True)
            wait_for(lambda: pause() or scheduled_runs(api), 240, "a scheduled run ends")
            run = scheduled_runs(api)[-1]
            assert run["state"]["name"] == "Completed", run["state"]
    articles = {article.url for article in own_newsroom.truth().articles}
    assert stored_articles(data) == articles
    asked = own_newsroom.asked()
    assert {asked[url] for url in articles} == {1}


def pause() -> None:
    """Wait a little between two questions to a server that has work to do."""
    time.sleep(0.5)
