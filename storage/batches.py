"""Rows: what the records of one segment become on their way into the store, as a folder of Parquet files.

`SegmentRows` collects the pages and journal lines of a segment and writes `<data>/extracted/<run>/<segment>/`: five
Parquet files and a manifest with their sizes and checksums, written as `<segment>.part/` and renamed, so that a folder
under its final name is whole. The loader believes a folder only if its manifest does.
"""

import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from extraction.records import Extraction, Page
from storage.durable import sync
from storage.manifest import FORMAT, MANIFEST, PART, FileEntry, Manifest, checksum
from storage.rows import ARTICLE_COLUMNS, FETCH, REMOVED, PageRows, page_rows, scrubbed, to_json

_TEXT = pa.string()
_TEXTS = pa.list_(pa.string())
_TIME = pa.timestamp("us")  # naive, in UTC: a store's day must not depend on its reader's time zone
_NUMBER = pa.int32()
_BIG = pa.int64()
_FLAG = pa.bool_()

_EVENT: Final = {"run_id": _TEXT, "segment": _TEXT, "site": _TEXT, "url_key": _TEXT}

#: The columns of each file, in order. Times are UTC, sizes bytes.
SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    "urls": pa.schema(
        _EVENT
        | {"url": _TEXT, "discovered_at": _TIME, "found_in": _TEXT, "found_by": _TEXT, "lastmod": _TIME}
        | {"published_hint": _TIME, "title_hint": _TEXT}
    ),
    "fetches": pa.schema(
        _EVENT
        | {"url": _TEXT, "ended_at": _TIME, "outcome": _TEXT, "reason": _TEXT, "status": _NUMBER, "attempts": _NUMBER}
        | {"final_url": _TEXT, "found_in": _TEXT, "found_by": _TEXT, "content_type": _TEXT, "body_bytes": _BIG}
        | {"etag": _TEXT, "last_modified": _TEXT, "rights": _TEXT, "capture_file": _TEXT, "capture_offset": _BIG}
        | {"article_key": _TEXT, "content_hash": _TEXT, "date_published": _TIME}
    ),
    "articles": pa.schema(
        _EVENT
        | {"ended_at": _TIME, "article_key": _TEXT, "url": _TEXT, "canonical_url": _TEXT}
        | {"headline": _TEXT, "alternative_headline": _TEXT, "description": _TEXT, "article_body": _TEXT}
        | {
            "blocks": pa.list_(
                pa.struct(
                    {"kind": _TEXT, "level": _NUMBER, "position": _NUMBER, "start": _NUMBER, "length": _NUMBER}
                    | {"time": _TIME}
                )
            ),
            "images": pa.list_(pa.struct({"url": _TEXT, "caption": _TEXT, "credit": _TEXT})),
        }
        | {"authors": _TEXTS, "author_organisations": _TEXTS, "dateline": _TEXT}
        | {"date_published": _TIME, "date_published_raw": _TEXT, "date_published_source": _TEXT}
        | {"date_published_zone_known": _FLAG}
        | {"date_modified": _TIME, "date_modified_raw": _TEXT, "date_modified_source": _TEXT}
        | {"date_modified_zone_known": _FLAG, "dates_disagree": _FLAG}
        | {"in_language": _TEXT, "publisher": _TEXT, "article_section": _TEXT, "keywords": _TEXTS}
        | {"main_image": _TEXT, "is_accessible_for_free": _FLAG, "article_type": _TEXT, "page_class": _TEXT}
        | {"robots": _TEXTS, "flags": _TEXTS, "evidence": _TEXT, "content_hash": _TEXT}
        | {"extractor_version": _TEXT, "learned_version": _TEXT, "rules_version": _TEXT}
        | {"source_file": _TEXT, "source_line": _NUMBER, "extracted_by": _TEXT}
    ),
    "removed_blocks": pa.schema(
        _EVENT
        | {"ended_at": _TIME, "article_key": _TEXT, "content_hash": _TEXT}
        | {"kind": _TEXT, "rule": _TEXT, "text": _TEXT, "position": _NUMBER}
    ),
    "sources": pa.schema(
        {"run_id": _TEXT, "segment": _TEXT, "site": _TEXT, "url": _TEXT, "read_at": _TIME, "found_by": _TEXT}
        | {"status": _NUMBER, "outcome": _TEXT, "reason": _TEXT, "entries": _NUMBER, "new": _NUMBER, "known": _NUMBER}
        | {"etag": _TEXT, "last_modified": _TEXT, "bounded": _TEXT}
    ),
}


_OUTCOME_FIELDS: Final = (
    *("url", "outcome", "reason", "status", "attempts", "final_url", "found_in", "found_by", "etag", "last_modified"),
)
_SOURCE_FIELDS: Final = (
    *("site", "url", "found_by", "status", "outcome", "reason", "entries", "new", "known"),
    *("etag", "last_modified", "bounded"),
)


class RowError(ValueError):
    """Raised for a journal line that cannot become a row; the message names its kind, field and value."""


class _Table:
    """The rows of one file, as tuples in the order of `columns`; the others are null, or the same in each row."""

    def __init__(self, schema: pa.Schema, columns: Sequence[str], constant: Mapping[str, str]) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self._schema, self._columns, self._constant = schema, columns, constant

    def add(self, row: Mapping[str, Any]) -> None:
        self.rows.append(tuple(map(row.get, self._columns)))

    def table(self) -> pa.Table:
        columns = dict(zip(self._columns, zip(*self.rows, strict=True), strict=True)) if self.rows else {}
        arrays = [self._array(field, columns.get(field.name)) for field in self._schema]
        return pa.Table.from_arrays(arrays, schema=self._schema)

    def _array(self, field: pa.Field, values: Sequence[Any] | None) -> pa.Array:
        if field.name in self._constant:
            return pa.repeat(self._constant[field.name], len(self.rows))
        return _column(values, field.type) if values is not None else pa.nulls(len(self.rows), field.type)


class SegmentRows:
    """Collects the rows of one segment; nothing is written before `write`.

    `run_id` and `segment` (the stem of the WARC and journal) name the segment for ever: a store takes it once.
    """

    def __init__(self, run_id: str, segment: str) -> None:
        self.run_id = run_id
        self.segment = segment
        self._finished: str | None = None
        self._pages: set[tuple[Any, ...]] = set()
        constant = {"run_id": run_id, "segment": segment}
        of_pages = {"fetches": FETCH, "articles": ARTICLE_COLUMNS, "removed_blocks": REMOVED}
        self._tables = {
            name: _Table(
                schema, of_pages.get(name) or [each for each in schema.names if each not in constant], constant
            )
            for name, schema in SCHEMAS.items()
        }

    def add_page(self, page: Page, extraction: Extraction) -> None:
        """Add a captured page and what extraction made of it. The same page (URL and time) a second time is ignored."""
        self.add_rows(page_rows(page, extraction))

    def add_rows(self, rows: PageRows) -> None:
        """Add the rows of a captured page. The same page (URL and time) a second time is ignored."""
        if rows.identity in self._pages:
            return
        self._pages.add(rows.identity)
        self._tables["fetches"].rows.append(rows.fetch)
        if rows.article is not None:
            self._tables["articles"].rows.append(rows.article)
            self._tables["removed_blocks"].rows.extend(rows.removed)

    def add_entry(self, entry: Mapping[str, Any]) -> None:
        """Add a journal line (docs/design.md, "A segment") of kind discovered, outcome, source or finished.

        Raises:
            RowError: the line's kind is unknown, or a field that the row needs is missing or of the wrong type.
        """
        kind = entry.get("kind")
        if kind == "discovered":
            times = {name: _time(entry, name) for name in ("lastmod", "published_hint")}
            row = _event_of(entry) | times | {"discovered_at": _moment(entry)}
            self._add("urls", _pick(entry, "url", "found_in", "found_by", "title_hint") | row)
        elif kind == "outcome":
            row = _event_of(entry) | {"ended_at": _moment(entry), "rights": to_json(entry.get("rights"))}
            _needed(entry, "outcome")
            self._add("fetches", _pick(entry, *_OUTCOME_FIELDS) | row)
        elif kind == "source":
            row = {"read_at": _moment(entry)}
            _needed(entry, "url")
            _needed(entry, "site")
            self._add("sources", _pick(entry, *_SOURCE_FIELDS) | row)
        elif kind == "finished":
            self._finished = str(entry.get("reason") or "finished")
        else:
            raise RowError(f"journal line of unknown kind {kind!r}; known are discovered, outcome, source, finished")

    def write(self, folder: Path) -> Path:
        """Write the rows as `folder` (`<data>/extracted/<run>/<segment>`), replacing nothing, and return it.

        Written and synced as `<folder>.part`, then renamed. A folder that exists is left as it is: its segment is
        extracted already.

        Raises:
            OSError: the disk is full or the folder cannot be written; no half folder stands under the final name.
        """
        tables = {name: table.table() for name, table in self._tables.items()}
        return write_folder(folder, self.run_id, self.segment, tables, finished=self._finished)

    def _add(self, table: str, row: Mapping[str, Any]) -> None:
        self._tables[table].add(row)


def write_folder(
    folder: Path, run_id: str, segment: str, tables: Mapping[str, pa.Table], *, finished: str | None = None
) -> Path:
    """Write tables of `SCHEMAS` as a folder of rows; `SegmentRows.write` says how and what it raises."""
    if folder.exists():
        return folder
    part = folder.with_name(folder.name + PART)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        files = {f"{name}.parquet": _write_file(part / f"{name}.parquet", tables[name]) for name in SCHEMAS}
        manifest = Manifest(
            format=FORMAT,
            run_id=run_id,
            segment=segment,
            written_at=datetime.now(UTC).isoformat(),
            finished=finished,
            files=files,
        )
        (part / MANIFEST).write_bytes(msgspec.json.encode(manifest))
        sync(part / MANIFEST)
        sync(part)
        part.rename(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        needed = sum(table.nbytes for table in tables.values())
        what = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno or errno.EIO, f"{what}: {needed} bytes at most are needed", str(folder)) from error
    sync(folder.parent)
    return folder


def _write_file(path: Path, table: pa.Table) -> FileEntry:
    # Dictionaries cost half of the writing and make it no smaller: zstd finds the repetitions.
    pq.write_table(table, path, compression="zstd", use_dictionary=False)
    sync(path)
    return FileEntry(path.stat().st_size, checksum(path), table.num_rows)


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:  # an unpaired surrogate, in a header or URL that no extraction has cleaned
        return pa.array([scrubbed(value) for value in values], kind)


def _event_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    _needed(entry, "url")
    return {"site": _needed(entry, "site"), "url_key": _needed(entry, "url_key")}


def _pick(entry: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: entry.get(name) for name in names}


def _needed(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise RowError(f"journal line of kind {entry.get('kind')!r}: field {name!r} should be a text, it is {value!r}")
    return value


def _moment(entry: Mapping[str, Any]) -> datetime:
    _needed(entry, "at")
    moment = _time(entry, "at")
    assert moment is not None
    return moment


def _time(entry: Mapping[str, Any], name: str) -> datetime | None:
    if (text := entry.get(name)) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise RowError(
            f"journal line of kind {entry.get('kind')!r}: field {name!r} should be a time in ISO 8601, it is {text!r}"
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
