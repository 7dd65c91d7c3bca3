"""Rows: what a captured page and its extraction become on their way into the store.

Plain tuples in the order of the columns, made where the page was extracted: they cross between processes at a tenth of
the cost of the records. Free of pyarrow and DuckDB, which an extraction worker need not import. `run_id` and `segment`
belong to the folder that the rows are written to (`storage.batches`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from extraction.records import Article, Block, Extraction, Page, Rejection
from extraction.urls import url_key

#: `outcome` of a fetched article until the loader knows whether it is loaded, unchanged or duplicate.
ARTICLE: Final = "article"

#: The columns of the rows, in order: those of the Parquet files without `run_id` and `segment`. Times are UTC.
FETCH: Final = (
    *("site", "url_key", "url", "ended_at", "outcome", "reason", "status", "attempts", "final_url", "found_in"),
    *("found_by", "content_type", "body_bytes", "etag", "last_modified", "rights", "capture_file", "capture_offset"),
    *("article_key", "content_hash", "date_published"),
)
# Those of the metadata that a store keeps, under its names.
_METADATA: Final = (
    *("headline", "alternative_headline", "description", "authors", "author_organisations"),
    *("date_published", "date_published_raw", "date_published_source", "date_published_zone_known"),
    *("date_modified", "date_modified_raw", "date_modified_source", "date_modified_zone_known", "dates_disagree"),
    *("in_language", "publisher", "article_section", "keywords", "main_image", "canonical_url"),
    *("is_accessible_for_free", "article_type", "robots"),
)
ARTICLE_COLUMNS: Final = (
    *("site", "url_key", "ended_at", "article_key", "content_hash"),
    *_METADATA,
    *("evidence", "url", "article_body", "blocks", "images", "dateline", "page_class", "flags"),
    *("extractor_version", "learned_version", "rules_version", "source_file", "source_line", "extracted_by"),
)
REMOVED: Final = (
    *("site", "url_key", "ended_at", "article_key", "content_hash"),
    *("kind", "rule", "text", "position"),
)


class PageRows(msgspec.Struct, frozen=True, array_like=True):
    """The rows of one page: its fetch, its article if it is one, and what was removed from that."""

    fetch: tuple[Any, ...]
    article: tuple[Any, ...] | None = None
    removed: list[tuple[Any, ...]] = []

    @property
    def site(self) -> str:
        """The site that the page belongs to."""
        return str(self.fetch[0])

    @property
    def outcome(self) -> str:
        """`ARTICLE`, or a word of `extraction.records.Outcome`."""
        return str(self.fetch[4])

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells a page from all others: its URL's key and when it was fetched."""
        return self.fetch[1], self.fetch[3]


def page_rows(page: Page, extraction: Extraction) -> PageRows:
    """Return the rows of a captured page and of what extraction made of it."""
    event = (page.discovery.site, url_key(page.discovery.url), page.fetched_at)
    article = extraction.result
    if isinstance(article, Rejection):
        return PageRows(_fetch(event, page, article.outcome.value, article.reason, (None, None, None)))
    key = url_key(article.url)
    found = (key, article.content_hash, article.metadata.date_published)
    of = (*event, key, article.content_hash)
    removed = [(*of, block.kind.value, block.rule, block.text, block.position) for block in extraction.removed]
    return PageRows(_fetch(event, page, ARTICLE, None, found), (*of, *_article(article), None, None, None), removed)


def imported_rows(
    event: tuple[str, str, datetime], url: str, extraction: Extraction, source: tuple[str, int | None, str | None]
) -> PageRows:
    """Return the rows of an article that was not fetched: somebody else had extracted it.

    Args:
        event: its site, the key of its URL, and when it was downloaded, UTC.
        url: its URL.
        extraction: what is left of it and what was removed; an article.
        source: the file, the line in it, and who had extracted it.
    """
    article = extraction.result
    assert isinstance(article, Article)
    key, (file, line, _) = url_key(article.url), source
    found = (key, article.content_hash, article.metadata.date_published)
    of = (*event, key, article.content_hash)
    place = f"{file}:{line}" if line else file
    values = dict.fromkeys(FETCH) | dict(zip(FETCH[-3:], found, strict=True))
    values |= dict(zip(("site", "url_key", "ended_at"), event, strict=True))
    values |= {"url": url, "outcome": ARTICLE, "attempts": 0, "found_in": place, "found_by": "import"}
    removed = [(*of, block.kind.value, block.rule, block.text, block.position) for block in extraction.removed]
    return PageRows(tuple(values.values()), (*of, *_article(article), *source), removed)


def encode(rows: PageRows) -> bytes:
    """Return rows as MessagePack."""
    try:
        return msgspec.msgpack.encode(rows)
    except UnicodeEncodeError:  # an unpaired surrogate, in a header or URL that no extraction has cleaned
        return msgspec.msgpack.encode(scrubbed(msgspec.to_builtins(rows, builtin_types=(datetime,))))


def scrubbed(value: Any) -> Any:  # noqa: ANN401 -- any value a column can hold
    """Return a value without the unpaired surrogates in its texts."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {name: scrubbed(inner) for name, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [scrubbed(inner) for inner in value]
    return value


def to_json(value: Any) -> str | None:  # noqa: ANN401 -- any JSON value
    """Return a value as JSON, None for nothing."""
    if not value:
        return None
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(scrubbed(msgspec.to_builtins(value))).decode()


def _fetch(
    event: tuple[Any, ...], page: Page, outcome: str, reason: str | None, article: tuple[Any, ...]
) -> tuple[Any, ...]:
    site, key, at = event
    headers = {name.lower(): value for name, value in reversed(page.headers)}
    return (
        *(site, key, page.discovery.url, at, outcome, reason, page.status, page.attempts, page.final_url),
        *(page.discovery.found_in, page.discovery.found_by, headers.get("content-type"), len(page.body)),
        *(headers.get("etag"), headers.get("last-modified"), to_json(page.rights)),
        *(page.capture.file, page.capture.offset, *article),
    )


def _article(article: Article) -> tuple[Any, ...]:
    metadata = article.metadata
    return (
        *(getattr(metadata, name) for name in _METADATA),
        *(to_json(metadata.evidence), article.url, article.article_body, _places(article.blocks, article.article_body)),
        [{"url": image.url, "caption": image.caption, "credit": image.credit} for image in article.images],
        *(article.dateline, article.page_class.value, article.flags),
        *(article.extractor_version, article.learned_version, article.rules_version),
    )


def _places(blocks: Sequence[Block], body: str) -> list[dict[str, Any]]:
    """Say where in the body each block stands, instead of storing its text twice (which doubles the store)."""
    places = []
    end = 0
    for block in blocks:
        start = body.find(block.text, end)
        end = start + len(block.text) if start >= 0 else end
        places.append(
            {
                "kind": block.kind.value,
                "level": block.level,
                "position": block.position,
                "start": start if start >= 0 else None,
                "length": len(block.text),
                "time": block.time,
            }
        )
    return places
