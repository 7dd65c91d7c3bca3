"""Copies of a story are found, its lookalikes are not, and clusters stay what they are called."""

import random
from collections.abc import Callable
from pathlib import Path

from storage import database
from storage.load import load
from storage.query import Session
from storage.stories import Clusters, Link, cluster
from tests.storage.made import article, at, extraction, folder, page

DICE = random.Random(5)
WORDS = ["".join(DICE.choice("aeioulnrst") for _ in range(DICE.randint(2, 9))) for _ in range(3000)]
WIRE = " ".join(DICE.choice(WORDS) for _ in range(200))
OTHER = " ".join(DICE.choice(WORDS) for _ in range(200))
JAPANESE = "港町で月曜日、旧税関の建て替えをめぐる住民説明会が開かれ、およそ四十人が参加した。市の担当者は費用が増えると説明し、参加者からは早く知らせてほしかったという声が相次いだ。"


def night(data: Path, number: int, *stories: tuple[str, str], **metadata: object) -> None:
    """Load and publish articles, each of a site and a text, as one run's."""
    items = []
    for place, (site, text) in enumerate(stories):
        url = f"https://{site}.example/2026/story-{number}-{place}-of-the-day"
        made = article(url, text, f"Headline {number} {place}")
        details = {"date_published": at(number * 1440 + place - 60)} | metadata
        changed = type(made.metadata)(headline=made.metadata.headline, in_language="en", **details)
        fetched = page(url, number * 1440 + place, run=f"run-{number}", site=site)
        items.append((fetched, extraction(article(url, text, f"Headline {number} {place}", metadata=changed))))
    load(data, [folder(data, items, run=f"run-{number}")], publish=True)


def ask(data: Path, query: str) -> list[tuple]:
    with Session(data) as session:
        return list(session.ask(query).rows)


def sites_of(data: Path) -> list[set[str]]:
    rows = ask(data, "SELECT all_sites FROM story_clusters ORDER BY first_seen_at, cluster_id")
    return [set(row[0]) for row in rows]


def half(text: str) -> str:
    words = text.split()
    return " ".join(words[: len(words) // 2])


def rewritten(text: str) -> str:
    """Every twelfth word is another."""
    return " ".join("other" if place % 12 == 5 else word for place, word in enumerate(text.split()))


def words(count: int) -> str:
    return " ".join(DICE.choice(WORDS) for _ in range(count))


#: What another site makes of a text: name → change, and whether that is a copy.
CHANGES: dict[str, tuple[Callable[[str], str], bool]] = {
    "same": (lambda text: text, True),
    "restyled": (lambda text: f"(NW) {text.upper().replace(' ', ',  ')}.", True),
    "rewritten": (rewritten, True),
    "half": (half, True),
    "half and more": (lambda text: f"{half(text)} {words(60)}", True),
    "other": (lambda _: words(200), False),
    "a third shared": (lambda text: f"{words(140)} {' '.join(text.split()[:70])}", False),
    "small part of a roundup": (lambda text: f"{words(900)} {text}", False),
    "too short": (lambda text: " ".join(text.split()[:15]), False),
}


def test_copies_are_found_and_lookalikes_are_not(tmp_path: Path) -> None:
    """Of what other sites make of a text in one night, the copies join it, the rest does not."""
    stories = {name: words(200) for name in CHANGES}
    night(tmp_path, 1, *((f"first-{place}", text) for place, text in enumerate(stories.values())))
    night(
        tmp_path,
        2,
        *((f"second-{place}", CHANGES[name][0](text)) for place, (name, text) in enumerate(stories.items())),
    )
    together = sites_of(tmp_path)
    found = {name: {f"first-{place}", f"second-{place}"} in together for place, name in enumerate(stories)}
    assert found == {name: is_copy for name, (_, is_copy) in CHANGES.items()}
    assert len(together) == sum(found.values())


def test_texts_without_parted_words_are_compared_by_characters(tmp_path: Path) -> None:
    """A Japanese report with another ending is a copy."""
    night(
        tmp_path,
        1,
        ("harbour", JAPANESE + "工事は春に始まる。"),
        ("coast", JAPANESE + "次の会は冬の終わりに開かれる。"),
    )
    assert sites_of(tmp_path) == [{"harbour", "coast"}]


def test_a_story_says_who_had_it_and_who_had_it_first(tmp_path: Path) -> None:
    """The cluster is named by the article that was fetched first, its original is the one that was published first."""
    night(tmp_path, 1, ("harbour", WIRE))
    night(tmp_path, 2, ("coast", rewritten(WIRE)), date_published=at(0))
    night(tmp_path, 3, ("hill", half(WIRE)))
    [row] = ask(tmp_path, "SELECT articles, sites, original_site, first_seen_at FROM story_clusters")
    assert row == (3, 3, "coast", at(1440).replace(tzinfo=None))
    steps = ask(
        tmp_path,
        "SELECT site, is_original, round(similarity, 2), nearest_key IS NULL FROM story_articles ORDER BY date_first_seen",
    )
    assert steps[0] == ("harbour", False, None, True)
    assert steps[1][:2] == ("coast", True)
    assert 0.7 < steps[1][2] < 0.8
    assert steps[2] == ("hill", False, 1.0, False)


def test_the_page_that_others_name_as_canonical_is_the_original(tmp_path: Path) -> None:
    """A copy that names the other article's URL as its canonical one is not the original, though published earlier."""
    night(tmp_path, 1, ("harbour", WIRE))
    url = "https://harbour.example/2026/story-1-0-of-the-day"
    night(tmp_path, 2, ("coast", WIRE), date_published=at(0), canonical_url=url)
    assert ask(tmp_path, "SELECT site, is_named FROM story_articles WHERE is_original") == [("harbour", True)]


def test_an_edit_can_bring_an_article_to_a_story_and_does_not_take_it_away(newsdesk: Path) -> None:
    """The ferry's new text is a copy of another site's; its next one is not, and it stays."""
    night(newsdesk, 3, ("coast", WIRE))
    ferry = "https://harbour.example/2026/ferry-late"
    for run, minute, text in (("run-8", 6000, WIRE), ("run-9", 7000, OTHER)):
        edited = (page(ferry, minute, run=run), extraction(article(ferry, text)))
        load(newsdesk, [folder(newsdesk, [edited], run=run)], publish=True)
        assert ask(
            newsdesk, "SELECT site, version FROM story_articles JOIN articles USING (url_key, site) ORDER BY 1"
        ) == [
            ("coast", 1),
            ("harbour", 3 if run == "run-8" else 4),
        ]


def test_what_was_loaded_before_there_were_clusters_is_clustered(tmp_path: Path) -> None:
    """A store whose texts were never looked at is caught up with in chunks, to the clusters that nights had made."""
    night(tmp_path, 1, ("harbour", WIRE), ("hill", OTHER))
    night(tmp_path, 2, ("coast", rewritten(WIRE)), ("cape", OTHER), ("bay", WIRE))
    members = "SELECT cluster_id, url_key, similarity FROM story_members ORDER BY ALL"
    with database.writer(tmp_path) as store:
        before = store.execute(members).fetchall()
        store.execute("UPDATE story_state SET method = 'an older one'")
        assert cluster(store, chunk=2) == 5
        assert store.execute(members).fetchall() == before
        assert cluster(store) == 0
        assert store.execute("SELECT count(*) FROM text_sketches").fetchone() == (5,)


def test_recipes_tell_how_stories_spread_and_who_is_first(tmp_path: Path) -> None:
    """`spread` gives each site its step, `first` counts who is copied by whom."""
    night(tmp_path, 1, ("harbour", WIRE), ("hill", OTHER))
    night(tmp_path, 2, ("coast", WIRE), ("harbour", OTHER))
    queries = Path(database.__file__).parent / "queries"
    spread = ask(tmp_path, (queries / "spread.sql").read_text())
    assert [(row[0], row[2], row[4]) for row in spread] == [
        (2, "hill", 0.0),
        (2, "harbour", 24.0),
        (2, "harbour", 0.0),
        (2, "coast", 24.0),
    ]
    assert [row[:4] for row in ask(tmp_path, (queries / "first.sql").read_text())] == [
        ("harbour", "coast", 1, 24.0),
        ("hill", "harbour", 1, 24.0),
    ]


def made(links: str, *, sketches: dict[str, set[int]], of: dict[str, str] | None = None) -> Clusters:
    """Clusters of articles a, b, c, … in that order, with links as `ba cb`."""
    known = of or {}
    clusters = Clusters(
        of=dict(known),
        began={name: name for name in known.values()},
        sketches={key: frozenset(values) for key, values in sketches.items()},
        order={key: place for place, key in enumerate(sorted(sketches))},
    )
    clusters.add(Link(pair[0], pair[1], 0.8, 0.6) for pair in links.split())
    return clusters


def test_a_chain_ends_where_nothing_is_left_of_its_beginning() -> None:
    """Each day's report is made from yesterday's: the one that has nothing of the first begins a story of its own."""
    sketches = {
        key: set(range(start, start + 32)) for key, start in zip("abcdef", (0, 10, 20, 32, 42, 52), strict=True)
    }
    chain = made("ba cb dc ed fe", sketches=sketches)
    assert chain.of == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "d", "f": "d"}


def test_clusters_that_a_new_text_joins_are_merged_under_the_older_name() -> None:
    """A text near to members of two clusters makes them one, if their beginnings have something of each other."""
    same = {key: set(range(32)) for key in "abcde"}
    merged = made("eb ed", sketches=same, of={"a": "a", "b": "a", "c": "c", "d": "c"})
    assert set(merged.of.values()) == {"a"}
    assert merged.merged == {"c": "a"}
    apart = same | {"c": set(range(100, 132)), "d": set(range(100, 132))}
    kept = made("eb ed", sketches=apart, of={"a": "a", "b": "a", "c": "c", "d": "c"})
    assert (kept.of["e"], kept.of["d"], kept.merged) == ("a", "c", {})


def test_a_house_pattern_is_no_story(tmp_path: Path) -> None:
    """Reports of one site after one pattern, other names and numbers in it, stand alone; the same text twice does not."""
    night(tmp_path, 1, ("harbour", WIRE), ("harbour", rewritten(WIRE)), ("hill", OTHER), ("hill", OTHER))
    assert ask(tmp_path, "SELECT articles, all_sites FROM story_clusters") == [(2, ["hill"])]
