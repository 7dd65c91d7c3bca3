"""The search index beside the store (tantivy), which catches up with the published copy before it answers.

An article stands in the field of its language, stemmed as that language is; languages without a stemmer are indexed by
whole words, and Chinese, Japanese, Korean and Thai by characters, so that a word of theirs matches wherever it stands.
The index holds the texts themselves, so that an answer needs nothing else. It knows the load that it stands at, written
in the same commit as the articles: killed at any moment, it goes on from its last commit, and it is rebuilt if it
stands at a load that the store does not have.
"""

import fcntl
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from storage.database import connect, store_of

if TYPE_CHECKING:
    import duckdb
    import tantivy

INDEX: Final = Path("store", "search")
META: Final = "meta.json"  # tantivy writes it anew with each commit
LOCK: Final = Path("locks", "search.lock")
#: Which published copy and which index were seen to stand at one load: while both files are those, nobody need ask.
STAMP: Final = Path("store", "search.stamp")
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
_SIGNS: Final = re.compile("[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]")
_STATE: Final = "load"  # the key of the one document that says where the index stands
_YEARS: Final = range(1700, 2200)  # of the dates that the index can hold
_HEAP_BYTES: Final = 256 << 20
_MUCH: Final = 5000
_BATCH: Final = 500


class About(msgspec.Struct, frozen=True):
    """What the index keeps of an article to show beside its text."""

    url: str
    site: str
    headline: str | None
    published: datetime | None
    language: str | None


def update(data: Path) -> int:
    """Bring the index to the load that is published and return how many articles it took; 0 if it is there already.

    One process at a time; others wait. An index that is damaged, of another form, or ahead of the store is rebuilt.

    Raises:
        NotPublishedError: nothing has been published yet.
        OSError: the index cannot be written.
    """
    return 0 if _stamp(data) == _stamped(data) else _catch_up(data)[1]


def open_index(data: Path) -> "tantivy.Index":
    """Open the index, brought to the load that is published. Raises as `update` does."""
    if _stamp(data) == _stamped(data):
        with suppress(ValueError, OSError):  # changed or dropped meanwhile
            return _open(data / INDEX, make=False)
    return _catch_up(data)[0]


def _catch_up(data: Path) -> tuple["tantivy.Index", int]:
    """Bring the index to the published copy, which is opened within the lock, so that it is the newest."""
    lock = data / LOCK
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        published = store_of(data).version()
        with store_of(data).newest() as store:
            current = _load_of(store)
            index, since = _standing(data / INDEX, store)
            count = _take(index, store, since, current) if since != current else 0
        index.reload()
        (data / STAMP).write_text(f"{published} {_version(data / INDEX / META)}")
    return index, count


def _stamp(data: Path) -> str:
    if (published := store_of(data).version()) is None:
        connect(data).close()  # says why not
    return f"{published} {_version(data / INDEX / META)}"


def _stamped(data: Path) -> str | None:
    with suppress(OSError):
        return (data / STAMP).read_text()
    return None


def _version(path: Path) -> str | None:
    """Tell one state of a file that is only ever replaced from the next."""
    with suppress(FileNotFoundError):
        status = path.stat()
        return f"{status.st_ino} {status.st_mtime_ns} {status.st_size}"
    return None


def _take(index: "tantivy.Index", store: "duckdb.DuckDBPyConnection", since: int, current: int) -> int:
    import tantivy  # noqa: PLC0415

    row = store.execute("SELECT count(*) FROM articles WHERE load_number > ?", [since]).fetchone()
    # Each thread writes segments of its own, which are merged later: a second pays off where there is much to write.
    writer = index.writer(_HEAP_BYTES, 2 if row and row[0] >= _MUCH else 1)
    count = 0
    replaces = since >= 0  # a new index has nothing to replace
    if replaces:
        gone = store.execute("SELECT url_key FROM departures WHERE load_number > ?", [since])
        for (key,) in gone.fetchall():
            writer.delete_documents_by_term("key", key)
    for row in _changed(store, since):
        if replaces:
            writer.delete_documents_by_term("key", row[0])
        writer.add_document(_document(row))
        count += 1
    state = tantivy.Document()
    state.add_text("key", _STATE)
    state.add_text("state", f"{current} {_load_id(store, current)}")
    writer.delete_documents_by_term("key", _STATE)
    writer.add_document(state)
    writer.commit()
    writer.wait_merging_threads()
    return count


def _document(row: tuple[Any, ...]) -> "tantivy.Document":
    import tantivy  # noqa: PLC0415

    key, url, site, language, published, headline, body = row
    field = field_of(language)
    document = tantivy.Document()
    document.add_text("key", key)
    document.add_unsigned("key_high", int(key[:16], 16))
    document.add_unsigned("key_low", int(key[16:], 16))
    document.add_text("site", site or "")
    document.add_text("language", subtag(language))
    if published is not None and published.year in _YEARS:
        document.add_date("date", published.replace(tzinfo=UTC))
    about = About(url, site or "", headline, published, language)
    document.add_bytes("about", msgspec.json.encode(about))
    document.add_text(f"headline_{field}", headline or "")
    document.add_text(f"body_{field}", body or "")
    if field != PLAIN and _SIGNS.search(body or ""):  # a Chinese name in an English text: by its characters too
        document.add_text(f"body_{PLAIN}", body)
    return document


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


def _open(folder: Path, *, make: bool = True) -> "tantivy.Index":
    """Open the index. Raises ValueError for one of other fields, or, unless it may be made, if there is none."""
    import tantivy  # noqa: PLC0415

    if not make and not (folder / META).exists():
        raise FileNotFoundError(folder)
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    # The key once more, as numbers in a column: 100,000 of them are read without unpacking as many texts.
    builder.add_unsigned_field("key_high", fast=True)
    builder.add_unsigned_field("key_low", fast=True)
    builder.add_text_field("state", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("site", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("language", tokenizer_name="raw", index_option="basic")
    builder.add_date_field("date", indexed=True, fast=True)
    builder.add_bytes_field("about", stored=True, indexed=False)
    for name in all_fields():
        builder.add_text_field(f"headline_{name}", tokenizer_name=name)
        builder.add_text_field(f"body_{name}", stored=True, tokenizer_name=name)
    folder.mkdir(parents=True, exist_ok=True)
    index = tantivy.Index(builder.build(), path=str(folder))
    for name in all_fields():
        index.register_tokenizer(name, _analyzer(name))
    return index


def _analyzer(name: str) -> "tantivy.TextAnalyzer":
    import tantivy  # noqa: PLC0415

    # The one by regular expression takes three times the time: only where words are not parted or hold marks.
    by_expression = name in {PLAIN, "ta"}
    tokenizer = tantivy.Tokenizer.regex(_WORDS) if by_expression else tantivy.Tokenizer.simple()
    words = tantivy.TextAnalyzerBuilder(tokenizer).filter(tantivy.Filter.remove_long(80))
    words = words.filter(tantivy.Filter.lowercase())
    # Stemmed before accents go: stemmers know the letters of their language.
    words = words.filter(tantivy.Filter.stemmer(STEMMERS[name])) if name in STEMMERS else words
    return words.filter(tantivy.Filter.ascii_fold()).build()


def all_fields() -> list[str]:
    """Return how the names of the index's fields end: there is a headline_ and a body_ of each."""
    return [*STEMMERS, PLAIN]


def field_of(language: str | None) -> str:
    """Return the end of the names of a language's fields."""
    name = subtag(language)
    return name if name in STEMMERS else PLAIN


def subtag(language: str | None) -> str:
    """Return the primary subtag of a language (BCP 47), lower case; und if there is none."""
    return (language or "und").split("-")[0].lower()


def _changed(store: "duckdb.DuckDBPyConnection", since: int) -> Iterator[tuple[Any, ...]]:
    cursor = store.execute(
        """SELECT url_key, url, site, in_language, date_published, headline, article_body
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


def drop(data: Path) -> None:
    """Remove the index: what is deleted in it stays in its files until they are merged. The next search rebuilds it."""
    lock = data / LOCK
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        shutil.rmtree(data / INDEX, ignore_errors=True)
