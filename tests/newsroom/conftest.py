"""The first edition, served to all tests of this folder."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path

import pytest

from tests.newsroom.reader import ANCHOR, STARTED, Running, running


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("first") / "access.jsonl") as newsroom:
        yield newsroom


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., AbstractContextManager[Running]]:
    return lambda *arguments: running(tmp_path / "access.jsonl", *arguments)


@pytest.fixture(scope="session")
def anchor() -> date:
    return ANCHOR


@pytest.fixture(scope="session")
def started() -> datetime:
    return STARTED
