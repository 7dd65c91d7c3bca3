"""The store is a function of what was fetched when, not of how it was cut into segments and loads."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extraction.records import Extraction, Outcome, Page
from storage.load import load
from tests.storage.made import article, discovered, extraction, folder, outcome, page, rejection, stored

SITE = "https://harbour.example"
ARTICLES = [f"{SITE}/2026/{name}" for name in ("ferry-late", "pier-opens", "fish-market")]
#: Other URLs that lead to the same articles, as AMP pages or shortened links do.
ALIASES = [f"{SITE}/s?id={number}&to=1" for number in range(3)]
TEXTS = ("First.", "Second.", "Third.")

# Everything but the names and times of loads themselves.
TABLES = {
    "urls": "*",
    "fetches": "*",
    "discoveries": "*",
    "article_versions": "* EXCLUDE (load_number)",
    "removed_blocks": "*",
    "source_reads": "*",
    "segments": "run_id, segment, urls, fetches, articles",
    "captures": "* EXCLUDE (bytes)",
}


@st.composite
def events(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """Draw what happened to six URLs of three articles over time: no two events at the same time, texts come and go."""
    happened = []
    for minute in draw(st.lists(st.integers(1, 500), min_size=1, max_size=12, unique=True)):
        number = draw(st.integers(0, 2))
        own = draw(st.booleans())
        url = (ARTICLES if own else ALIASES)[number]
        what = draw(st.sampled_from(["article", "article", "article", "rejected", "ended", "unchanged", "discovered"]))
        segment = f"a-{draw(st.integers(1, 4)):05}"
        # What is removed depends on the text alone, as the store promises one set of removed blocks a text.
        text = draw(st.sampled_from(TEXTS))
        found = extraction(article(ARTICLES[number], text), f"Newer than {text}")
        happened.append((segment, _event(what, page(url, minute, segment=segment), found, minute)))
    return happened


def _event(what: str, fetched: Page, found: Extraction, minute: int) -> tuple[Page, Extraction] | dict[str, Any]:
    url = fetched.final_url
    match what:
        case "article":
            return fetched, found
        case "rejected":
            return fetched, extraction(rejection())
        case "ended":
            return outcome(url, minute, Outcome.SERVER_ERROR)
        case "unchanged":
            return outcome(url, minute, Outcome.UNCHANGED, status=304)
        case _:
            return discovered(url, minute)


def contents(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    with stored(data) as store:
        return {
            table: store.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()
            for table, columns in TABLES.items()
        }


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(happened=events(), data=st.data())
def test_any_order_and_repetition_of_segments_gives_the_same_store(
    happened: list[tuple[str, Any]], data: st.DataObject
) -> None:
    """One load of all segments, and loads of them in any order, grouped and repeated, end in the same rows."""
    segments = sorted({segment for segment, _ in happened})
    order = data.draw(st.lists(st.lists(st.sampled_from(segments), max_size=3), max_size=3)) + [
        [segment] for segment in data.draw(st.permutations(segments))
    ]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        for home, plan in ((Path(one), [segments]), (Path(other), order)):
            folders = {
                name: folder(home, [event for segment, event in happened if segment == name], segment=name)
                for name in segments
            }
            for group in plan:
                load(home, [folders[name] for name in group])
        at_once, bit_by_bit = contents(Path(one)), contents(Path(other))
    for table in TABLES:
        assert at_once[table] == bit_by_bit[table], table
    _invariants(at_once, len(happened))


def _invariants(rows: dict[str, list[tuple[Any, ...]]], count: int) -> None:
    assert len(rows["fetches"]) + len(rows["discoveries"]) == count
    keys = [row[0] for row in rows["urls"]]
    assert len(keys) == len(set(keys))
    versions = [row[:4] for row in rows["article_versions"]]
    for key in {row[0] for row in versions}:
        chain = sorted(row[1:] for row in versions if row[0] == key)
        assert [number for number, _, _ in chain] == list(range(1, len(chain) + 1))
        assert [ended for _, _, ended in chain] == [began for _, began, _ in chain[1:]] + [None]
