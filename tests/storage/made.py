# ruff: noqa: ANN401 -- a changed field can be of any type
"""Pages, extractions and journals for the store's tests, as the spider and the extraction hand them over."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from extraction.records import (
    Article,
    Block,
    BlockKind,
    Capture,
    Discovery,
    Evidence,
    Extraction,
    Image,
    Metadata,
    Outcome,
    Page,
    PageClass,
    Rejection,
    Removed,
    RemovedKind,
)
from extraction.urls import url_key
from storage import database
from storage.batches import SegmentRows
from storage.place import lake_of

START = datetime(2026, 11, 20, 4, 30, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """Return a time so many minutes after the tests' first."""
    return START + timedelta(minutes=minutes)


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def page(url: str, minutes: float, *, run: str = "run-1", segment: str = "a-00001", **changes: Any) -> Page:
    discovery = Discovery(
        url=url, site=changes.pop("site", "harbour"), found_in="https://harbour.example/feed", found_by="feed"
    )
    fields: dict[str, Any] = {
        "discovery": discovery,
        "final_url": url,
        "status": 200,
        "headers": (("Content-Type", "text/html"), ("ETag", '"1"')),
        "fetched_at": at(minutes),
        "body": b"<html>",
        "capture": Capture(file=f"captures/{run}/{segment}.warc.gz", offset=int(minutes * 100)),
        "rights": {"Content-Signal": "ai-train=no"},
    }
    return Page(**fields | changes)


def article(url: str, text: str = "The ferry is late.", headline: str = "Ferry", **changes: Any) -> Article:
    paragraphs = text.split("\n\n")
    fields: dict[str, Any] = {
        "url": url,
        "metadata": Metadata(
            headline=headline,
            authors=("Ada Quay", "Jo Pier"),
            author_organisations=("Harbour Press Agency",),
            date_published=at(-60),
            keywords=("sea", "ferry"),
            in_language="en",
            evidence=(Evidence(field="headline", source="h1", value=headline, chosen=True),),
        ),
        "page_class": PageClass.ARTICLE,
        "blocks": tuple(
            Block(kind=BlockKind.PARAGRAPH, text=part, position=place) for place, part in enumerate(paragraphs)
        ),
        "article_body": text,
        "images": (Image(url="https://harbour.example/1.jpg", caption="The quay", credit="A. Quay"),),
        "content_hash": hashlib.blake2b(f"{headline}\n{text}".encode(), digest_size=12).hexdigest(),
        "extractor_version": "1",
    }
    return Article(**fields | changes)


def extraction(result: Article | Rejection, *removed: str) -> Extraction:
    return Extraction(
        result=result,
        removed=tuple(
            Removed(kind=RemovedKind.RELATED, rule="related-heading", text=text, position=9 + place)
            for place, text in enumerate(removed)
        ),
    )


def rejection(outcome: Outcome = Outcome.INDEX) -> Rejection:
    return Rejection(outcome=outcome, reason="It lists articles.")


def discovered(url: str, minutes: float, **changes: Any) -> dict[str, Any]:
    line = {
        "kind": "discovered",
        "at": iso(at(minutes)),
        "url": url,
        "url_key": url_key(url),
        "site": "harbour",
        "found_in": "https://harbour.example/feed",
        "found_by": "feed",
        "lastmod": None,
        "published_hint": iso(at(-60)),
        "title_hint": "Ferry",
    }
    return line | changes


def outcome(url: str, minutes: float, word: Outcome | str = Outcome.GONE, **changes: Any) -> dict[str, Any]:
    line = {
        "kind": "outcome",
        "at": iso(at(minutes)),
        "url": url,
        "url_key": url_key(url),
        "site": "harbour",
        "outcome": str(word),
        "reason": "The site says it is gone (404).",
        "status": 404,
        "attempts": 1,
        "final_url": url,
        "found_in": "https://harbour.example/feed",
        "found_by": "feed",
        "rights": {},
    }
    return line | changes


def source(url: str, minutes: float, **changes: Any) -> dict[str, Any]:
    line = {
        "kind": "source",
        "at": iso(at(minutes)),
        "url": url,
        "site": "harbour",
        "found_by": "feed",
        "status": 200,
        "outcome": "ok",
        "entries": 3,
        "new": 2,
        "known": 1,
        "reason": None,
        "etag": None,
        "last_modified": None,
        "bounded": None,
    }
    return line | changes


def folder(data: Path, items: Iterable[Any], *, run: str = "run-1", segment: str = "a-00001") -> Path:
    """Write the rows of a segment (journal lines, and pairs of page and extraction) where the loader looks for them."""
    rows = SegmentRows(run, segment)
    for item in items:
        if isinstance(item, tuple):
            rows.add_page(*item)
        else:
            rows.add_entry(item)
    return rows.write(data / "extracted" / run / segment)


def stored(data: Path) -> duckdb.DuckDBPyConnection:
    """Open what is written in a store, published or not."""
    if lake_of(data):
        return database.connect(data)
    return duckdb.connect(data / database.STORE, read_only=True)
