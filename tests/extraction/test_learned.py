"""Learning a site's recurring lines, and not its articles."""

from collections.abc import Sequence

import pytest

from extraction.article import extract
from extraction.learned import Learned, learn, recurring, sightings
from extraction.records import Article, Block, BlockKind

FOLLOW = "The Quay Courier has told the harbour's stories since 1911, on paper and here."


def article(number: int, *extra: tuple[BlockKind, str], tail: Sequence[str] = ()) -> tuple[str, list[Block]]:
    """An article of its own words, with blocks between and after its paragraphs."""
    own = [
        (BlockKind.PARAGRAPH, f"Paragraph {n} of story {number} tells of things that happened on day {number}.")
        for n in range(6)
    ]
    blocks = [*own[:3], *extra, *own[3:], *((BlockKind.PARAGRAPH, line) for line in tail)]
    return f"Headline {number}", [
        Block(kind=kind, text=text, position=place) for place, (kind, text) in enumerate(blocks)
    ]


def taught(articles: Sequence[tuple[str, list[Block]]]) -> Learned:
    return learn(sightings(articles), len(articles))


def test_line_at_the_end_of_five_articles_is_learned() -> None:
    """Five pages are enough, and only the recurring line is taken."""
    articles = [article(n, tail=[FOLLOW]) for n in range(5)]
    learned = taught(articles)
    assert len(learned.fingerprints) == 1
    blocks = articles[0][1]
    assert [blocks[p].text for p in recurring(blocks, learned)] == [FOLLOW]


def test_four_articles_say_nothing() -> None:
    assert taught([article(n, tail=[FOLLOW]) for n in range(4)]).fingerprints == frozenset()


@pytest.mark.parametrize(
    "extra",
    [
        (BlockKind.SUBHEAD, "What happens next"),
        (BlockKind.QUOTE, "We shall overcome, we shall overcome some day."),
        (BlockKind.PARAGRAPH, "No."),
        (BlockKind.TABLE, "Team | Points"),
    ],
)
def test_what_articles_have_in_common_is_left(extra: tuple[BlockKind, str]) -> None:
    """Subheads, refrains, one-word answers and tables recur amid good articles."""
    assert taught([article(n, extra) for n in range(12)]).fingerprints == frozenset()


def test_one_story_at_many_addresses_teaches_nothing() -> None:
    """The same headline twenty times is one story."""
    _, blocks = article(1, tail=[FOLLOW])
    assert taught([("Headline 1", list(blocks)) for _ in range(20)]).fingerprints == frozenset()


def test_a_serials_introduction_is_left() -> None:
    """A long paragraph that a tenth of the articles share is their own."""
    intro = "This is the third part of our series on the harbour, in which we follow the people who work at night, " * 3
    articles = [article(n, tail=[intro] if n < 6 else []) for n in range(60)]
    assert taught(articles).fingerprints == frozenset()


def test_same_lines_give_the_same_version_in_any_order() -> None:
    """A version names a set, so machines agree; a revoked line is another version."""
    articles = [article(n, tail=[FOLLOW, "Our printers work at the old customs house."]) for n in range(8)]
    forward, backward = taught(articles), taught(articles[::-1])
    assert forward == backward
    revoked = learn(sightings(articles), 8, revoked=frozenset(list(forward.fingerprints)[:1]))
    assert revoked.version != forward.version
    assert revoked.fingerprints < forward.fingerprints


def test_no_article_loses_most_of_its_words() -> None:
    """Where learned lines would take more than half of an article, they take nothing."""
    _, blocks = article(1)
    learned = learn(sightings([]), 0)
    everything = Learned(version="x", fingerprints=frozenset(s.fingerprint for s in sightings([("a", blocks)])))
    assert recurring(blocks, everything) == recurring(blocks, learned) == frozenset()


def test_extraction_applies_what_was_learned_and_records_the_version() -> None:
    """The line leaves the body as a removed block of kind site_repeated, and the article names the learned set."""
    prose = "".join(
        f"<p>The council met on day {n} and decided on the bridge, the boats and the boathouse.</p>" for n in range(6)
    )
    page = f"<html><body><article><h1>A day at the harbour</h1>{prose}<p>{FOLLOW}</p></article></body></html>".encode()
    plain = extract(page, "https://courier.example/1").result
    assert isinstance(plain, Article)
    assert FOLLOW in plain.article_body
    learned = taught([article(n, tail=[FOLLOW]) for n in range(5)])
    extraction = extract(page, "https://courier.example/1", learned=learned)
    assert isinstance(extraction.result, Article)
    assert FOLLOW not in extraction.result.article_body
    assert extraction.result.learned_version == learned.version
    assert [(str(r.kind), r.rule) for r in extraction.removed if r.text == FOLLOW] == [
        ("site_repeated", "site.repeated")
    ]
