"""Full-text search: what a query finds in the index (`storage.index`), with the passages that it was found by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from storage.index import About, all_fields, field_of, open_index, subtag

if TYPE_CHECKING:
    import tantivy

_APOSTROPHE: Final = re.compile(r"(?<=\w)'(?=\w)")
#: Of articles that a query finds, so many at most are joined with the store in SQL.
MOST_MATCHES: Final = 100_000
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
    index = open_index(data)
    wanted, whole = _asked(index, query, sites, language, (published_from, published_to))
    searcher = index.searcher()
    answer = searcher.search(whole, max(1, min(limit, 1000)))
    snippets = _Snippets(searcher, wanted, index.schema)
    hits = (_hit(searcher.doc(address), score, snippets) for score, address in answer.hits)
    total = int(answer.count)  # type: ignore[attr-defined]  # missing in the stubs
    return Found(total=total, hits=tuple(sorted(hits, key=lambda hit: (-hit.score, hit.url_key))))


def matches(data: Path, query: str, *, limit: int = MOST_MATCHES) -> list[tuple[str, float]]:
    """Return the keys of the articles that a query finds, at most so many, best first, with their scores.

    Raises as `search` does.
    """
    index = open_index(data)
    wanted, _ = _asked(index, query, (), None, (None, None))
    searcher = index.searcher()
    found = searcher.search(wanted, limit).hits
    addresses = [address for _, address in found]
    high, low = (searcher.fast_field_values(name, addresses) for name in ("key_high", "key_low"))
    return [(f"{a:016x}{b:08x}", score) for (score, _), a, b in zip(found, high, low, strict=True)]


def _asked(
    index: "tantivy.Index",
    query: str,
    sites: Sequence[str],
    language: str | None,
    days: tuple[datetime | None, datetime | None],
) -> tuple["tantivy.Query", "tantivy.Query"]:
    """Return the words that are looked for, and the same within the filters."""
    wanted = _parse(index, query, _fields(language))
    return wanted, _filtered(wanted, index.schema, sites, language, days)


def _filtered(
    wanted: "tantivy.Query",
    schema: "tantivy.Schema",
    sites: Sequence[str],
    language: str | None,
    days: tuple[datetime | None, datetime | None],
) -> "tantivy.Query":
    import tantivy  # noqa: PLC0415 -- loaded only by who searches

    filters = [_one_of(schema, "site", sites)] if sites else []
    filters += [_one_of(schema, "language", [subtag(language)])] if language else []
    if any(days):
        first, end = days[0] or datetime(1700, 1, 1, tzinfo=UTC), days[1] or datetime(2200, 1, 1, tzinfo=UTC)
        date = tantivy.FieldType.Date
        filters.append(tantivy.Query.range_query(schema, "date", date, first, end, include_upper=False))
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, part) for part in [wanted, *filters]])


def _fields(language: str | None) -> list[str]:
    names = [field_of(language)] if language else all_fields()
    return [f"{part}_{name}" for name in names for part in ("headline", "body")]


def _parse(index: "tantivy.Index", query: str, fields: list[str]) -> "tantivy.Query":
    if not query.strip():
        raise SearchError("the query is empty; write a word")
    query = _APOSTROPHE.sub("’", query)  # the parser takes a straight one for a quotation mark
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


class _Snippets:
    """Cuts the passage of a text that has most of the words that are looked for."""

    def __init__(self, searcher: "tantivy.Searcher", query: "tantivy.Query", schema: "tantivy.Schema") -> None:
        self._searcher, self._query, self._schema = searcher, query, schema
        self._generators: dict[str, Any] = {}

    def cut(self, field: str, text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
        """Return a passage and the places of the words in it, in characters."""
        import tantivy  # noqa: PLC0415

        if field not in self._generators:
            generator = tantivy.SnippetGenerator.create(self._searcher, self._query, self._schema, field)
            generator.set_max_num_chars(_SNIPPET_CHARACTERS)
            self._generators[field] = generator
        document = tantivy.Document()
        document.add_text(field, text)
        cut = self._generators[field].snippet_from_doc(document)
        passage = cut.fragment() or text[:_SNIPPET_CHARACTERS]
        return passage, tuple(_characters(passage, place.start, place.end) for place in cut.highlighted())


def _hit(document: "tantivy.Document", score: float, snippets: _Snippets) -> Hit:
    about = msgspec.json.decode(document["about"][0], type=About)
    field = f"body_{field_of(about.language)}"
    passage, marks = snippets.cut(field, (document[field] or [""])[0])
    return Hit(
        url_key=document["key"][0],
        url=about.url,
        site=about.site,
        headline=about.headline,
        date_published=about.published.replace(tzinfo=UTC) if about.published else None,
        in_language=about.language,
        score=score,
        snippet=passage,
        marks=marks,
    )


def _characters(text: str, start: int, end: int) -> tuple[int, int]:
    """Turn a place in bytes of UTF-8 into one in characters."""
    coded = text.encode()
    return len(coded[:start].decode(errors="ignore")), len(coded[:end].decode(errors="ignore"))
