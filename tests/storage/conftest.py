"""A data folder with a small store in it, in files or in a lake.

Tests that are marked `both` run on either kind of store; with NIGHTDESK_LAKE=1 all tests of this folder run on a
lake, but for those that are marked `files`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from extraction.records import Outcome
from storage import database
from storage.load import load
from storage.place import lake_of
from tests.lakes import Postgres, make_lake, postgres
from tests.storage.made import article, discovered, extraction, folder, outcome, page, rejection, source

SITE = "https://harbour.example"
ALL_ON_LAKES = os.environ.get("NIGHTDESK_LAKE") == "1"
_NUMBERS = count(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a marked test on both kinds of store."""
    if metafunc.definition.get_closest_marker("both"):
        metafunc.parametrize("form", ["files", "lake"], indirect=True)


@pytest.fixture
def form(request: pytest.FixtureRequest) -> str:
    """The kind of store that the test runs on."""
    if request.node.get_closest_marker("files"):
        return "files"
    return getattr(request, "param", "lake" if ALL_ON_LAKES else "files")


@pytest.fixture(scope="session")
def catalogues() -> Iterator[Postgres]:
    """A Postgres for the catalogues of lakes."""
    try:
        with postgres() as server:
            yield server
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def lakes(catalogues: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, bool], None]:
    """Make lakes for data folders, with the two nights in them or nothing, as copies: the schema alone takes 2 s."""
    made: dict[bool, Path] = {}

    def template(two_nights: bool) -> Path:
        if two_nights not in made:
            data = made[two_nights] = tmp_path_factory.mktemp("lake")
            if two_nights:
                make(data, False)
                fill_two_nights(data)
            else:
                make_lake(data, catalogues.catalogue(data.name), data / "lake")
                with database.writer(data):
                    pass
        return made[two_nights]

    def make(data: Path, two_nights: bool) -> None:
        source = template(two_nights)
        name = f"lake_{next(_NUMBERS)}"
        shutil.copytree(source, data, dirs_exist_ok=True)
        names = [part for part in lake_of(source).catalogue.split() if part.startswith("dbname=")]
        make_lake(data, catalogues.catalogue(name, names[0].removeprefix("dbname=")), data / "lake")
        catalogues.ask(f"UPDATE ducklake_metadata SET value = '{data / 'lake'}/' WHERE key = 'data_path'", name)

    return make


@pytest.fixture
def tmp_path(tmp_path: Path, form: str, request: pytest.FixtureRequest) -> Path:
    """A folder for one test, whose store is of the kind that the test runs on."""
    if form == "lake" and "newsdesk" not in request.fixturenames:
        request.getfixturevalue("lakes")(tmp_path, False)
    return tmp_path


@pytest.fixture
def newsdesk(two_nights: Path, tmp_path: Path, form: str, request: pytest.FixtureRequest) -> Path:
    """Return a data folder with the store of `two_nights` that a test may change."""
    if form == "lake":
        request.getfixturevalue("lakes")(tmp_path, True)
    else:
        shutil.copytree(two_nights, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="session")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights of one site: five URLs found, an article of two versions, one deleted later, a list, one untried."""
    data = tmp_path_factory.mktemp("two-nights")
    fill_two_nights(data)
    return data


def fill_two_nights(data: Path) -> None:
    """Load and publish the two nights."""
    ferry, pier, fish = f"{SITE}/2026/ferry-late", f"{SITE}/2026/pier-opens", f"{SITE}/2026/fish-market"
    first = [
        source(f"{SITE}/feed", 0),
        *(discovered(url, 0) for url in (ferry, pier, fish, f"{SITE}/news/", f"{SITE}/2026/waiting")),
        (page(ferry, 1), extraction(article(ferry), "Newer articles", "Advertisement")),
        (page(pier, 2), extraction(article(pier, "The pier opens.", "Pier"), "Newer articles")),
        (page(f"{SITE}/news/", 3), extraction(rejection())),
        outcome(fish, 4, Outcome.TIMEOUT, status=None, reason="No answer within 60 s."),
        {"kind": "finished", "at": "2026-11-20T04:40:00Z", "reason": "finished"},
    ]
    second = [
        source(f"{SITE}/feed", 1440, entries=0),
        *(discovered(url, 1440) for url in (ferry, pier)),
        (page(ferry, 1441, run="run-2"), extraction(article(ferry, "The ferry sails.", "Ferry sails"))),
        outcome(pier, 1442),
    ]
    load(data, [folder(data, first)])
    load(data, [folder(data, second, run="run-2")])
    database.publish(data)
