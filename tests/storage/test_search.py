"""Full-text search finds what is stored, in its language, and stands where the store stands."""

import os
import random
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from storage import database
from storage.index import INDEX, update
from storage.load import load
from storage.search import SearchError, matches, search
from tests.storage.made import article, at, extraction, folder, page

SITE = "https://harbour.example"
TEXTS = {
    "en": (
        "Ferries sail again",
        "The ferries were sailing late. Nobody ran.\n\nThe naïve captain — “who knew?” — waited.",
    ),
    "de": ("Häuser am Hafen", "Die alten Häuser wurden verkauft. Der Ferry-Kapitän schwieg."),
    "fr": ("Les chevaux du port", "Les chevaux mangeaient des pommes au marché."),
    "ja": ("東京の港", "昨日、東京大学で研究者が発表した。"),
    "uk": ("Порт у Києві", "Київ відкрив новий порт."),
}


def story(language: str) -> str:
    return f"{SITE}/2026/story-in-{language}"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One article in each of five languages, a day apart, of two sites."""
    data = tmp_path_factory.mktemp("papers")
    items = []
    for day, (language, (headline, text)) in enumerate(TEXTS.items()):
        url = story(language)
        made = article(url, text, headline)
        metadata = type(made.metadata)(headline=headline, in_language=f"{language}-XX", date_published=at(day * 1440))
        site = "harbour" if day % 2 else "hafen"
        items.append((page(url, day, site=site), extraction(article(url, text, headline, metadata=metadata))))
    load(data, [folder(data, items)], publish=True)
    return data


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ferry", ["en", "de"]),
        ("sail running", []),
        ("Sailed FERRY", ["en"]),
        ("naive", ["en"]),
        ("captain's", []),
        ("haus", ["de"]),
        ("cheval pomme", ["fr"]),
        ("大学", ["ja"]),
        ("学大", []),
        ("київ", ["uk"]),
        ('"were sailing late"', ["en"]),
        ('"late sailing"', []),
        ("ferry -captain", ["de"]),
        ("cheval OR haus", ["de", "fr"]),
        ("(cheval OR haus) alten", ["de"]),
        ("site:hafen ferry", ["en"]),
    ],
)
def test_words_are_found_in_the_forms_of_their_language(papers: Path, query: str, found: list[str]) -> None:
    """Stems, phrases, exclusions and characters lead to the articles that hold them and to no others."""
    answer = search(papers, query)
    assert sorted(hit.url for hit in answer.hits) == sorted(story(language) for language in found)
    assert answer.total == len(found)


def test_a_headline_counts_more_than_the_text(papers: Path) -> None:
    """The article with the word in its headline comes first."""
    assert [hit.in_language for hit in search(papers, "ferry").hits] == ["en-XX", "de-XX"]


def test_filters_narrow_what_is_found(papers: Path) -> None:
    """Site, language and days of publication."""
    assert [hit.site for hit in search(papers, "ferry", sites=["hafen"]).hits] == ["hafen"]
    assert search(papers, "ferry", sites=["other"]).total == 0
    assert [hit.in_language for hit in search(papers, "ferry", language="de").hits] == ["de-XX"]
    assert search(papers, "ferry", published_from=at(1)).total == 1
    assert search(papers, "ferry", published_to=at(1440)).total == 1
    assert search(papers, "ferry", limit=1).total == 2
    assert len(search(papers, "ferry", limit=1).hits) == 1


def test_a_hit_shows_where_the_words_are(papers: Path) -> None:
    """The snippet is the article's own text, and the marks are places of characters in it."""
    [hit] = search(papers, "naive sail").hits
    assert hit.snippet in TEXTS["en"][1]
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["sailing", "naïve"]
    assert (hit.headline, hit.date_published) == ("Ferries sail again", at(0))


@pytest.mark.parametrize("query", ["", "AND (", '"open', "-ferry", "re: harbour", "a^b", "[1 TO 2]"])
def test_a_query_that_makes_no_sense_is_explained(papers: Path, query: str) -> None:
    """The error quotes the query and says what can be written."""
    with pytest.raises(SearchError, match="write"):
        search(papers, query)


def test_markup_in_a_text_stays_text(newsdesk: Path) -> None:
    """What looks like HTML or an entity in an article comes back as it stands."""
    url = f"{SITE}/2026/markup"
    text = "The zebra said <script>alert(1)</script> &amp; left."
    load(newsdesk, [folder(newsdesk, [(page(url, 5000), extraction(article(url, text)))], run="run-3")], publish=True)
    [hit] = search(newsdesk, "zebra").hits
    assert hit.snippet == text.removesuffix(".")
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["zebra"]


def test_the_index_follows_the_store(newsdesk: Path) -> None:
    """An edit replaces what was found; each article is taken once a change; an index that is current takes nothing."""
    ferry = f"{SITE}/2026/ferry-late"
    assert search(newsdesk, "ferry sails").total == 1
    assert update(newsdesk) == 0
    edited = extraction(article(ferry, "Trains run.", "Trains"))
    load(newsdesk, [folder(newsdesk, [(page(ferry, 5000), edited)], run="run-3")], publish=True)
    assert update(newsdesk) == 1
    assert search(newsdesk, "ferry").total == 0
    assert [hit.headline for hit in search(newsdesk, "train").hits] == ["Trains"]


@pytest.mark.parametrize("harm", ["gone", "torn", "other store", "foreign files"])
def test_an_index_that_cannot_be_used_is_built_anew(newsdesk: Path, papers: Path, harm: str) -> None:
    """Without an index, with a torn one or with one of another store, the answers are the store's."""
    assert update(newsdesk) == 2
    folder_ = newsdesk / INDEX
    if harm == "gone":
        shutil.rmtree(folder_)
    elif harm == "torn":
        (folder_ / "meta.json").write_text("{")
    elif harm == "foreign files":
        shutil.rmtree(folder_)
        folder_.mkdir()
        (folder_ / "meta.json").write_bytes(b"\0" * 100)
    else:
        update(papers)
        shutil.rmtree(folder_)
        shutil.copytree(papers / INDEX, folder_)
    assert search(newsdesk, "ferry").total == 1
    assert search(newsdesk, "cheval").total == 0


@pytest.mark.crash
def test_an_index_killed_while_it_is_written_catches_up(tmp_path: Path) -> None:
    """After kills at random moments the index holds every article once."""
    items = []
    for number in range(1500):
        url = f"{SITE}/2026/story-{number}-of-many"
        items.append(
            (page(url, number), extraction(article(url, f"Word{number} common text. " * 30, f"Story {number}")))
        )
    load(tmp_path, [folder(tmp_path, items)], publish=True)
    program = f"from pathlib import Path; from storage.index import update; print(1, flush=True); update(Path({str(tmp_path)!r}))"
    chance = random.Random(3)
    for _ in range(5):
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0, 0.6))
        child.kill()
        child.communicate()
    assert search(tmp_path, "common").total == 1500
    assert search(tmp_path, "word7").total == 1


@pytest.mark.files
def test_before_the_first_publication_one_is_told_so(tmp_path: Path) -> None:
    """Without a published copy there is nothing to search, and the error says so."""
    with pytest.raises(database.NotPublishedError, match="nothing has been published yet"):
        search(tmp_path, "ferry", published_from=datetime(2026, 1, 1).astimezone())


def test_a_foreign_name_in_a_text_is_found_by_its_characters(newsdesk: Path) -> None:
    """A Chinese or Japanese name that stands in an English article."""
    url = f"{SITE}/2026/a-name"
    text = "The exhibition 東京大学物語 opens on Monday."
    load(newsdesk, [folder(newsdesk, [(page(url, 5000), extraction(article(url, text)))], run="run-3")], publish=True)
    assert [hit.url for hit in search(newsdesk, "大学").hits] == [url]
    assert search(newsdesk, "学大").total == 0


def test_an_answer_needs_nothing_but_the_index(papers: Path, tmp_path: Path) -> None:
    """Once the index stands where the published copy does, a search does not open that."""
    data = tmp_path / "data"
    shutil.copytree(papers, data)
    assert search(data, "ferry").total == 2
    state = (data / database.PUBLISHED).stat()
    (data / database.PUBLISHED).write_bytes(b"\0" * state.st_size)
    os.utime(data / database.PUBLISHED, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert search(data, "ferry").total == 2


def test_keys_of_what_is_found_come_best_first(papers: Path) -> None:
    """`matches` gives the keys of all that `search` finds, in the same order."""
    assert matches(papers, "ferry") == [(hit.url_key, hit.score) for hit in search(papers, "ferry").hits]
