"""An edited article shows what changed."""

from pathlib import Path

import pytest

from storage.database import connect
from storage.load import load
from storage.versions import UnknownArticleError, compare, versions
from tests.storage.made import article, at, discovered, extraction, folder, outcome, page

FERRY = "https://harbour.example/2026/ferry-late"


@pytest.mark.parametrize("name", [FERRY, "http://www.harbour.example/2026/ferry-late?utm_source=feed#top"])
def test_versions_are_found_by_any_url_of_the_article(newsdesk: Path, name: str) -> None:
    """The versions come oldest first, with their times in UTC."""
    first, second = versions(newsdesk, name)
    assert (first.version, first.valid_from, first.valid_to) == (1, at(1), at(1441))
    assert (second.version, second.headline, second.valid_to) == (2, "Ferry sails", None)
    assert versions(newsdesk, first.url_key) == [first, second]


def test_a_diff_shows_headline_and_text(newsdesk: Path) -> None:
    """A unified diff, a line a block."""
    assert compare(newsdesk, FERRY).splitlines() == [
        f"--- {FERRY} version 1\t2026-11-20T04:31:00+00:00",
        f"+++ {FERRY} version 2\t2026-11-21T04:31:00+00:00",
        "@@ -1,2 +1,2 @@",
        "-headline: Ferry",
        "-The ferry is late.",
        "+headline: Ferry sails",
        "+The ferry sails.",
    ]
    assert compare(newsdesk, "https://harbour.example/2026/pier-opens") == ""


def test_what_is_not_there_is_named(newsdesk: Path) -> None:
    """An unknown article, version or no URL at all is an error that says what was asked and what there is."""
    with pytest.raises(UnknownArticleError, match="other-story: no article of that URL or key"):
        versions(newsdesk, "https://harbour.example/2026/other-story")
    with pytest.raises(UnknownArticleError, match="there is no version 7; the store has 1 to 2"):
        compare(newsdesk, FERRY, 7)
    with pytest.raises(UnknownArticleError, match="give an article's URL or its url_key"):
        versions(newsdesk, "the ferry story")


def test_an_article_that_comes_back_is_not_withdrawn(newsdesk: Path) -> None:
    """Deleted at its site is a fact with a date, until the page is there again; deleted once more counts from then."""
    pier = "https://harbour.example/2026/pier-opens"
    query = "SELECT headline, withdrawn_at, last_seen_at, status FROM withdrawals"

    def after(*items: object, run: str) -> list[tuple]:
        load(newsdesk, [folder(newsdesk, items, run=run)], publish=True)
        with connect(newsdesk) as connection:
            return connection.execute(query).fetchall()

    [(_, gone_at, seen_at, status)] = after(run="run-3")
    assert (gone_at, seen_at, status) == (at(1442).replace(tzinfo=None), at(2).replace(tzinfo=None), 404)
    again = (page(pier, 2000, run="run-4"), extraction(article(pier, "The pier opens.", "Pier")))
    assert after(discovered(pier, 1999), again, run="run-4") == []
    gone = [outcome(pier, minutes, status=410) for minutes in (3000, 4000)]
    assert after(*gone, run="run-5") == [("Pier", at(3000).replace(tzinfo=None), at(2000).replace(tzinfo=None), 410)]
