"""A newsroom for all, and one for a single test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.world import Served, serving


@pytest.fixture(scope="session")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One newsroom for all tests that only read it."""
    with serving(tmp_path_factory.mktemp("newsroom") / "access.jsonl") as served:
        yield served


@pytest.fixture
def own_newsroom(tmp_path: Path) -> Iterator[Served]:
    """A newsroom whose access log holds one test's requests alone."""
    with serving(tmp_path / "access.jsonl") as served:
        yield served
