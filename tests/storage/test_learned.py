"""What a site's pages teach is counted over the store, kept there, and can be taken back."""

from pathlib import Path

import duckdb
import pytest

from extraction.learned import Learned, fingerprint
from extraction.records import Block, BlockKind, Extraction, Removed, RemovedKind
from storage import database
from storage.learned import UnknownLineError, known_lines, learn, revoke, stored
from storage.load import load
from tests.storage.made import article, extraction, folder, page

LINE = "The Quay Courier has told the harbour's stories since 1911, on paper and here."
MARK = fingerprint(LINE)


def story(number: int, *, line: bool = True, site: str = "harbour") -> tuple:
    """An article of its own words, with the recurring line at its end, or with that line taken out of it."""
    url = f"https://{site}.example/2026/story-{number}"
    text = "\n\n".join(f"Paragraph {n} of story {number} tells what happened at the quay." for n in range(4))
    made = article(url, f"{text}\n\n{LINE}" if line else text, f"Story {number}")
    taken = Removed(kind=RemovedKind.SITE_REPEATED, rule="site.repeated", text=LINE, position=4)
    return page(url, number, site=site), extraction(made) if line else Extraction(result=made, removed=(taken,))


def fill(data: Path, numbers: range, run: str = "run-1", **options: object) -> None:
    load(data, [folder(data, [story(n, **options) for n in numbers], run=run)], publish=True)


@pytest.fixture
def taught(tmp_path: Path) -> Path:
    """A store of six articles that share a line, and what was learned of them."""
    fill(tmp_path, range(6))
    assert learn(tmp_path, ["harbour"]) == {"harbour": Learned.of([MARK])}
    return tmp_path


def test_a_line_of_all_articles_is_learned_and_shown(taught: Path) -> None:
    """It stands in the published copy with its counts, and the next start knows it."""
    with database.connect(taught) as connection:
        row = connection.execute("SELECT * EXCLUDE (learned_at) FROM learned_lines").fetchall()
    assert row == [("harbour", MARK, LINE, 6, 6, Learned.of([MARK]).version, False)]
    assert stored(taught, ["harbour"]) == {"harbour": Learned.of([MARK])}
    assert stored(taught, ["another"]) == {}


def test_a_line_that_was_taken_out_is_not_forgotten(taught: Path) -> None:
    """Articles without the line, because it was learned, prove it still; those of sites that dropped it do not."""
    fill(taught, range(6, 40), run="run-2", line=False)
    assert learn(taught, ["harbour"])["harbour"].fingerprints == {MARK}
    assert [(line.pages, line.of_pages) for line in known_lines(taught)] == [(6, 6)], "the set is as it was"


def test_lines_are_learned_from_the_newest_articles(tmp_path: Path) -> None:
    """A line that a site gave up long ago is forgotten when its newest articles lack it."""
    fill(tmp_path, range(6))
    assert learn(tmp_path, ["harbour"]) != {}
    items = [
        (page(url, 100 + n), extraction(article(url, f"What happened on day {n}.\n\nAnd on the day behind {n}.", url)))
        for n in range(200)
        for url in [f"https://harbour.example/2027/other-{n}"]
    ]
    load(tmp_path, [folder(tmp_path, items, run="run-2")], publish=True)
    assert learn(tmp_path, ["harbour"]) == {}
    assert known_lines(tmp_path) == []


def test_four_articles_and_other_sites_teach_nothing(tmp_path: Path) -> None:
    """Too few articles, an empty folder, and the articles of another site give no line."""
    assert learn(tmp_path, ["harbour"]) == {}
    fill(tmp_path, range(4))
    fill(tmp_path, range(10, 13), run="run-2", site="hafen")
    assert learn(tmp_path, ["harbour", "hafen"]) == {}
    assert known_lines(tmp_path) == []


def test_a_subhead_in_the_middle_of_articles_is_theirs(tmp_path: Path) -> None:
    """What a block is reaches the count: a subhead between paragraphs is not learned, as a paragraph it would be."""
    for site, kind in (("harbour", BlockKind.SUBHEAD), ("hafen", BlockKind.PARAGRAPH)):
        items = []
        for number in range(8):
            fetched, _ = story(number, site=site)
            texts = [f"Paragraph {n} of story {number} tells what happened." for n in range(8)]
            texts.insert(4, "What happens next at the quay")
            blocks = [Block(kind=BlockKind.PARAGRAPH, text=text, position=n) for n, text in enumerate(texts)]
            blocks[4] = Block(kind=kind, text=texts[4], position=4)
            made = article(fetched.final_url, "\n\n".join(texts), f"Story {number}", blocks=tuple(blocks))
            items.append((fetched, extraction(made)))
        load(tmp_path, [folder(tmp_path, items, run=site)], publish=True)
    assert learn(tmp_path, ["harbour", "hafen"]).keys() == {"hafen"}


def test_a_revoked_line_is_never_learned_again_until_it_is_restored(taught: Path) -> None:
    """A person's word stands against any number of pages; it is kept in the store and can be taken back."""
    assert revoke(taught, "harbour", MARK).revoked
    assert stored(taught, ["harbour"]) == {}
    fill(taught, range(6, 30), run="run-2")
    assert learn(taught, ["harbour"]) == {}
    assert [line.revoked for line in known_lines(taught)] == [True]
    assert not revoke(taught, "harbour", MARK, revoked=False).revoked
    assert learn(taught, ["harbour"]) == stored(taught, ["harbour"]) == {"harbour": Learned.of([MARK])}


def test_an_unknown_line_cannot_be_revoked(taught: Path) -> None:
    """The message says where the lines are listed; nothing is changed."""
    with pytest.raises(UnknownLineError, match="nightdesk learned list"):
        revoke(taught, "hafen", MARK)
    assert [line.revoked for line in known_lines(taught)] == [False]


@pytest.mark.files
def test_a_store_of_an_older_program_has_learned_nothing(taught: Path) -> None:
    """A published copy without the table, as before an update, is no error."""
    with duckdb.connect(taught / database.PUBLISHED) as connection:
        connection.execute("DROP TABLE learned_lines")
    assert stored(taught, ["harbour"]) == {}
