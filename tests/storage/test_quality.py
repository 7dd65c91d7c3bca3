"""The extraction of each site is judged by day, and a day that falls out of line is flagged."""

from datetime import date
from pathlib import Path

from extraction.records import Metadata, Outcome
from storage.load import load
from storage.query import Session, cookbook
from tests.storage.made import article, at, extraction, folder, page, rejection

TEXT = "The tide is high and the ferry waits. " * 20


def day_of(data: Path, day: int, articles: int, rejected: int, **changes: object) -> None:
    """Load a day's pages; `changes` are of the articles."""
    items = []
    for number in range(articles + rejected):
        url = f"https://harbour.example/2026/story-{day}-{number}-of-the-day"
        fetched = page(url, day * 1440 + number, run=f"run-{day}")
        made = article(url, f"{number} of {day}. {changes.get('text', TEXT)}", f"Headline {number}")
        if "metadata" in changes:
            made = article(url, made.article_body, metadata=changes["metadata"])
        found = extraction(made, "Newer articles") if number < articles else extraction(rejection(Outcome.PAYWALL))
        items.append((fetched, found))
    load(data, [folder(data, items, run=f"run-{day}")], publish=True)


def test_sudden_changes_of_a_site_are_flagged(tmp_path: Path) -> None:
    """Days like the others pass; a day of paywalls, and one without dates and authors and with short texts, do not."""
    for day in (0, 1, 2):
        day_of(tmp_path, day, 12, 1)
    day_of(tmp_path, 3, 6, 9)
    day_of(tmp_path, 4, 12, 1, text="Short.", metadata=Metadata(headline="Ferry", in_language="en"))
    with Session(tmp_path) as session:
        rows = list(
            session.ask(
                "SELECT day, pages, articles, texts, percent_articles, percent_dated, sudden_changes FROM quality ORDER BY day"
            ).rows
        )
        assert rows[0] == (date(2026, 11, 20), 13, 12, 12, 92.3, 100.0, [])
        assert [row[6] for row in rows[1:3]] == [[], []]
        assert rows[3] == (date(2026, 11, 23), 15, 6, 6, 40.0, 100.0, ["fewer pages are articles"])
        assert rows[4][4:] == (92.3, 0.0, ["shorter texts", "fewer dates", "fewer authors"])
        recipes = {recipe.name: recipe.sql for recipe in cookbook()}
        assert [row[0].day for row in session.ask(recipes["drops"]).rows] == [24, 23]
        assert len(list(session.ask(recipes["quality"]).rows)) == 5
        assert list(session.ask("SELECT outcome, reason, sum(pages) FROM rejections GROUP BY ALL").rows) == [
            ("paywall", "It lists articles.", 13)
        ]
        assert list(
            session.ask("SELECT day, kind, blocks, articles FROM removed_by_day ORDER BY day LIMIT 1").rows
        ) == [(at(0).date(), "related", 12, 12)]
