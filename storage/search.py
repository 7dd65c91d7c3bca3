"""Full-text search: an index beside the store (tantivy), which catches up with the published copy before it answers.

An article stands in the field of its language, stemmed as that language is; languages without a stemmer are indexed by
whole words, and Chinese, Japanese, Korean and Thai by characters, so that a word of theirs matches wherever it stands.
The index knows the load that it stands at, written in the same commit as the articles: killed at any moment, it goes on
from its last commit, and it is rebuilt if it stands at a load that the store does not have.
"""

import fcntl
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from storage.database import connect

if TYPE_CHECKING:
    import duckdb
    import tantivy

INDEX: Final = Path("store", "search")
LOCK: Final = Path("locks", "search.lock")
#: Languages with a stemmer, by BCP 47 primary subtag.
STEMMERS: Final = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "nb": "norwegian",
    "nn": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
#: Field of all other languages.
PLAIN: Final = "plain"
_BY_CHARACTER: Final = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}"
_WORDS: Final = rf"[{_BY_CHARACTER}]|[\p{{L}}\p{{N}}\p{{M}}&&[^{_BY_CHARACTER}]]+"
_STATE: Final = "load"  # the key of the one document that says where the index stands
_YEARS: Final = range(1700, 2200)  # of the dates that the index can hold
_HEAP_BYTES: Final = 128 << 20
_BATCH: Final = 500
_HEADLINE_BOOST: Final = 3.0
_SNIPPET_CHARACTERS: Final = 200


class SearchError(ValueError):
    """Raised for a query that cannot be understood; the message says what is wrong and what can be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An article that was found. `marks` are the places of the words in `snippet`, as (start, end) in characters."""

    url_key: str
    url: str
    site: str
    headline: str | None
    date_published: datetime | None  # aware, UTC
    in_language: str | None
    score: float
    snippet: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found: how many articles in all, and the best of them, best first."""

    total: int
    hits: tuple[Hit, ...]


def search(
    data: Path,
    query: str,
    *,
    sites: Sequence[str] = (),
    language: str | None = None,
    published_from: datetime | None = None,
    published_to: datetime | None = None,
    limit: int = 10,
) -> Found:
    """Search the published articles, after the index has caught up with them.

    Args:
        data: the data folder.
        query: words that must all be there (in any form of theirs), "phrases", -excluded, OR, (parentheses).
        sites: only articles of these sites.
        language: only articles in this language (BCP 47; the primary subtag counts).
        published_from: only articles published then or later, aware.
        published_to: only articles published before then, aware.
        limit: at most so many hits, 1 to 1000.

    Raises:
        SearchError: the query cannot be understood.
        NotPublishedError: nothing has been published yet.
    """
    with _caught_up(data) as (store, index, _):
        wanted = _parse(index, query, _fields(language))
        whole = _filtered(wanted, index.schema, sites, language, (published_from, published_to))
        searcher = index.searcher()
        answer = searcher.search(whole, max(1, min(limit, 1000)))
        scores = {searcher.doc(address)["key"][0]: score for score, address in answer.hits}
        hits = (_hit(row, scores[row[0]], searcher, wanted, index.schema) for row in _rows(store, list(scores)))
        best = tuple(sorted(hits, key=lambda hit: (-hit.score, hit.url_key)))
    total = int(answer.count)  # type: ignore[attr-defined]  # missing in the stubs
    return Found(total=total, hits=best)


def _filtered(
    wanted: "tantivy.Query",
    schema: "tantivy.Schema",
    sites: Sequence[str],
    language: str | None,
    days: tuple[datetime | None, datetime | None],
) -> "tantivy.Query":
    import tantivy  # noqa: PLC0415 -- loaded only by who searches

    filters = [_one_of(schema, "site", sites)] if sites else []
    filters += [_one_of(schema, "language", [_subtag(language)])] if language else []
    if any(days):
        first, end = days[0] or datetime(1700, 1, 1, tzinfo=UTC), days[1] or datetime(2200, 1, 1, tzinfo=UTC)
        date = tantivy.FieldType.Date
        filters.append(tantivy.Query.range_query(schema, "date", date, first, end, include_upper=False))
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, part) for part in [wanted, *filters]])


def update(data: Path) -> int:
    """Bring the index to the load that is published and return how many articles it took; 0 if it is there already.

    One process at a time; others wait. An index that is damaged, of another form, or ahead of the store is rebuilt.

    Raises:
        NotPublishedError: nothing has been published yet.
        OSError: the index cannot be written.
    """
    with _caught_up(data) as (_, _, count):
        return count


@contextmanager
def _caught_up(data: Path) -> Iterator[tuple["duckdb.DuckDBPyConnection", "tantivy.Index", int]]:
    """Open the published copy, bring the index to it, and say how many articles that took.

    The copy is opened within the lock, so it is never older than the one that the index was brought to last.
    """
    lock = data / LOCK
    lock.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            store = stack.enter_context(connect(data))
            current = _load_of(store)
            index, since = _standing(data / INDEX, store)
            count = _take(index, store, since, current) if since != current else 0
        index.reload()
        yield store, index, count


def _take(index: "tantivy.Index", store: "duckdb.DuckDBPyConnection", since: int, current: int) -> int:
    import tantivy  # noqa: PLC0415

    writer = index.writer(_HEAP_BYTES, 1)
    count = 0
    for row in _changed(store, since):
        key, site, language, published, headline, body = row
        field = _field(language)
        document = tantivy.Document()
        document.add_text("key", key)
        document.add_text("site", site or "")
        document.add_text("language", _subtag(language))
        if published is not None and published.year in _YEARS:
            document.add_date("date", published.replace(tzinfo=UTC))
        document.add_text(f"headline_{field}", headline or "")
        document.add_text(f"body_{field}", body or "")
        writer.delete_documents_by_term("key", key)
        writer.add_document(document)
        count += 1
    state = tantivy.Document()
    state.add_text("key", _STATE)
    state.add_text("state", f"{current} {_load_id(store, current)}")
    writer.delete_documents_by_term("key", _STATE)
    writer.add_document(state)
    writer.commit()
    writer.wait_merging_threads()
    return count


def _standing(folder: Path, store: "duckdb.DuckDBPyConnection") -> tuple["tantivy.Index", int]:
    """Return the index and the number of the load it stands at; a new one at -1 if there is none that can be used."""
    try:
        index = _open(folder)
        searcher = index.searcher()
        found = searcher.search(index.parse_query(_STATE, ["key"]), 1).hits
        if found:
            number, _, load_id = searcher.doc(found[0][1])["state"][0].partition(" ")
            if _load_id(store, int(number)) == load_id:
                return index, int(number)
    except (ValueError, OSError):  # torn, of another version or with other fields
        pass
    shutil.rmtree(folder, ignore_errors=True)
    return _open(folder), -1


def _open(folder: Path) -> "tantivy.Index":
    import tantivy  # noqa: PLC0415

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("state", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("site", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("language", tokenizer_name="raw", index_option="basic")
    builder.add_date_field("date", indexed=True, fast=True)
    for name in _all_fields():
        builder.add_text_field(f"headline_{name}", tokenizer_name=name)
        builder.add_text_field(f"body_{name}", tokenizer_name=name)
    folder.mkdir(parents=True, exist_ok=True)
    index = tantivy.Index(builder.build(), path=str(folder))
    for name in _all_fields():
        words = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(_WORDS)).filter(tantivy.Filter.remove_long(80))
        words = words.filter(tantivy.Filter.lowercase())
        # Stemmed before accents go: stemmers know the letters of their language.
        words = words.filter(tantivy.Filter.stemmer(STEMMERS[name])) if name in STEMMERS else words
        index.register_tokenizer(name, words.filter(tantivy.Filter.ascii_fold()).build())
    return index


def _all_fields() -> list[str]:
    return [*STEMMERS, PLAIN]


def _fields(language: str | None) -> list[str]:
    names = [_field(language)] if language else _all_fields()
    return [f"{part}_{name}" for name in names for part in ("headline", "body")]


def _field(language: str | None) -> str:
    subtag = _subtag(language)
    return subtag if subtag in STEMMERS else PLAIN


def _subtag(language: str | None) -> str:
    return (language or "und").split("-")[0].lower()


def _parse(index: "tantivy.Index", query: str, fields: list[str]) -> "tantivy.Query":
    if not query.strip():
        raise SearchError("the query is empty; write a word")
    boosts = {field: _HEADLINE_BOOST for field in fields if field.startswith("headline_")}
    try:
        return index.parse_query(query, fields, field_boosts=boosts, conjunction_by_default=True)
    except ValueError as error:
        raise SearchError(
            f'{query!r}: {error}. One can write words (all must be there), "a phrase", -excluded beside a wanted word, '
            "OR, and parentheses; put anything with a colon or another sign between quotation marks."
        ) from error


def _one_of(schema: "tantivy.Schema", field: str, values: Sequence[str]) -> "tantivy.Query":
    import tantivy  # noqa: PLC0415

    return tantivy.Query.const_score_query(tantivy.Query.term_set_query(schema, field, list(values)), 0.0)


def _changed(store: "duckdb.DuckDBPyConnection", since: int) -> Iterator[tuple[Any, ...]]:
    cursor = store.execute(
        """SELECT url_key, site, in_language, date_published, headline, article_body
        FROM articles WHERE load_number > ?""",
        [since],
    )
    while rows := cursor.fetchmany(_BATCH):
        yield from rows


def _load_of(store: "duckdb.DuckDBPyConnection") -> int:
    row = store.execute("SELECT coalesce(max(number), -1) FROM loads").fetchone()
    assert row is not None
    return int(row[0])


def _load_id(store: "duckdb.DuckDBPyConnection", number: int) -> str | None:
    row = store.execute("SELECT max(load_id) FROM loads WHERE number = ?", [number]).fetchone()
    return row[0] if row else None


def _rows(store: "duckdb.DuckDBPyConnection", keys: list[str]) -> list[tuple[Any, ...]]:
    return store.execute(
        """SELECT url_key, url, site, headline, date_published, in_language, article_body
        FROM articles WHERE list_contains($keys, url_key)""",
        {"keys": keys},
    ).fetchall()


def _hit(
    row: tuple[Any, ...], score: float, searcher: "tantivy.Searcher", query: "tantivy.Query", schema: "tantivy.Schema"
) -> Hit:
    import tantivy  # noqa: PLC0415

    key, url, site, headline, published, language, body = row
    field = f"body_{_field(language)}"
    generator = tantivy.SnippetGenerator.create(searcher, query, schema, field)
    generator.set_max_num_chars(_SNIPPET_CHARACTERS)
    document = tantivy.Document()
    document.add_text(field, body or "")
    cut = generator.snippet_from_doc(document)
    text = cut.fragment() or (body or "")[:_SNIPPET_CHARACTERS]
    return Hit(
        url_key=key,
        url=url,
        site=site,
        headline=headline,
        date_published=published.replace(tzinfo=UTC) if published else None,
        in_language=language,
        score=score,
        snippet=text,
        marks=tuple(_characters(text, place.start, place.end) for place in cut.highlighted()),
    )


def _characters(text: str, start: int, end: int) -> tuple[int, int]:
    """Turn a place in bytes of UTF-8 into one in characters."""
    coded = text.encode()
    return len(coded[:start].decode(errors="ignore")), len(coded[:end].decode(errors="ignore"))
