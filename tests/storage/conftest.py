"""A data folder with a small store in it."""

import shutil
from pathlib import Path

import pytest

from extraction.records import Outcome
from storage import database
from storage.load import load
from tests.storage.made import article, discovered, extraction, folder, outcome, page, rejection, source

SITE = "https://harbour.example"


@pytest.fixture
def newsdesk(two_nights: Path, tmp_path: Path) -> Path:
    """Return a copy of `two_nights` that a test may change."""
    shutil.copytree(two_nights, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="session")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights of one site: five URLs found, an article of two versions, one deleted later, a list, one untried."""
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
    data = tmp_path_factory.mktemp("two-nights")
    load(data, [folder(data, first)])
    load(data, [folder(data, second, run="run-2")])
    database.publish(data)
    return data
