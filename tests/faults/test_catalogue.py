"""The catalogue of faults: each of its lines has tests, and docs/faults.md leads to them."""

from pathlib import Path

import pytest

from tests.faults.catalogue import LINES, SECTIONS, documented, sentence, table

DOCS = Path(__file__).parents[2] / "docs" / "faults.md"
LAST = {1: 11, 2: 5, 3: 7, 4: 6, 5: 10, 6: 11}


def test_every_line_of_the_catalogue_is_there() -> None:
    """Six sections, each with all its lines in their order."""
    assert list(LINES) == [f"{section}.{line}" for section, last in LAST.items() for line in range(1, last + 1)]
    assert list(SECTIONS) == list(LAST)


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_tried(line: str) -> None:
    """Each line names tests that stand: a renamed one is to be renamed here too."""
    _, tests = LINES[line]
    assert tests
    assert all(sentence(test) for test in tests)


def test_the_catalogue_is_the_documented_one() -> None:
    """docs/faults.md has the tables as they are."""
    documented(DOCS, "catalogue", table())
