"""Exports: articles as Parquet, one folder a site and month (Hive partitions), or as JSON lines.

An export is written beside its target and swapped in; the same question of an unchanged store writes nothing. What says
so is a small file in the folder, or beside the lines.
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import duckdb
import msgspec

from storage.database import explained, quoted, reading, sync

MANIFEST: Final = "_export.json"  # readers of Parquet folders pass over names that begin so
LINES: Final = (".jsonl", ".jsonl.gz")
PART, OLD = ".part", ".old"

Rights = Literal["any", "not_reserved", "allowed"]
_RIGHTS: Final = {"any": "true", "not_reserved": "may_train IS NOT false", "allowed": "may_train"}


class ExportError(ValueError):
    """An export that cannot be; the message says why, and the mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which articles: all that fit every field that is set. Days are of publication, in UTC, both inclusive."""

    sites: Sequence[str] = ()
    language: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    rights: Rights = "any"  # what the site said of training: nothing against it, or that it may
    versions: bool = False  # every version, not only the current one

    def where(self) -> tuple[str, dict[str, Any]]:
        """Return the condition in SQL and its parameters."""
        conditions, parameters = [_RIGHTS[self.rights]], dict[str, Any]()
        if self.sites:
            conditions.append("list_contains($sites, site)")
            parameters["sites"] = list(self.sites)
        if self.language:
            conditions.append("lower(split_part(in_language, '-', 1)) = $language")
            parameters["language"] = self.language.split("-")[0].lower()
        if self.first_day:
            conditions.append("date_published >= $first")
            parameters["first"] = self.first_day
        if self.last_day:
            conditions.append("date_published < $end")
            parameters["end"] = self.last_day + timedelta(days=1)
        return " AND ".join(conditions), parameters

    def relation(self) -> str:
        """Return the rows to choose from, in SQL."""
        if self.versions:
            return "(SELECT *, may_train(rights, robots) AS may_train FROM article_versions)"
        return "articles"


class _Manifest(msgspec.Struct, frozen=True):
    """What an export holds: the question, and a fingerprint of the rows that answered it."""

    wanted: dict[str, Any]
    rows: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to. `written` is False where the target held just that already."""

    target: Path
    rows: int
    written: bool


def export(data: Path, target: Path, wanted: Wanted) -> Exported:
    """Export articles of the published copy.

    Args:
        data: the data folder.
        target: a file that ends in `.jsonl` or `.jsonl.gz`, else a folder for Parquet; outside the data folder.
        wanted: which articles.

    Raises:
        NotPublishedError: nothing has been published yet.
        ExportError: the target is in the data folder, or holds something that is no export.
        StoreFullError: the disk of the target is full; what stood there stands there still.
    """
    target = target.expanduser().absolute()
    lines = target.name.endswith(LINES)
    _check(data, target, lines=lines)
    where, parameters = wanted.where()
    part = target.with_name(target.name + PART)
    with reading(data, spill=target.with_name(target.name + ".spill")) as connection:
        connection.execute("USE store; SET preserve_insertion_order = false")
        rows, fingerprint = _fingerprint(connection, wanted.relation(), where, parameters)
        asked = {name: value for name, value in asdict(wanted).items() if value}
        manifest = _Manifest(msgspec.to_builtins(asked), rows, fingerprint)
        if _holds(target, manifest, lines=lines):
            return Exported(target, rows, written=False)
        _remove(part)
        with explained(part):
            place, query = quoted(part), f"FROM {wanted.relation()} WHERE {where}"
            connection.execute(_copy(place, query, target, lines=lines), parameters)
    if not lines:
        part.mkdir(exist_ok=True)  # DuckDB makes no folder for no rows
    _swap(part, target, manifest, lines=lines)
    return Exported(target, rows, written=True)


def _check(data: Path, target: Path, *, lines: bool) -> None:
    if target.is_relative_to(data.absolute()):
        raise ExportError(f"{target} is in the data folder, where a takedown must find every text; name another place")
    if lines and target.is_dir():
        raise ExportError(f"{target} is a folder; name a file")
    if not lines and target.is_file():
        raise ExportError(f"{target} is a file; name a folder, or a file that ends in {' or '.join(LINES)}")
    if not lines and target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).exists():
        raise ExportError(f"{target} holds something that is no export of ours; name an empty folder")
    if not target.parent.is_dir():
        raise ExportError(f"{target.parent} is not there; make it first")


def _fingerprint(
    connection: duckdb.DuckDBPyConnection, relation: str, where: str, parameters: dict[str, Any]
) -> tuple[int, str]:
    row = connection.execute(
        f"""SELECT count(*), coalesce(bit_xor(hash(url_key, version, valid_from, content_hash, extractor_version,
            may_train)), 0)::VARCHAR FROM {relation} WHERE {where}""",  # noqa: S608 -- our own conditions
        parameters,
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def _copy(place: str, query: str, target: Path, *, lines: bool) -> str:
    if lines:
        compression = "gzip" if target.name.endswith(".gz") else "none"
        return f"""COPY (SELECT * {query}) TO {place}
            (FORMAT json, COMPRESSION {compression}, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%fZ')"""
    month = "coalesce(strftime(date_published, '%Y-%m'), 'unknown') AS month"
    return f"""COPY (SELECT *, {month} {query}) TO {place}
        (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (site, month))"""


def _manifest(target: Path, *, lines: bool) -> Path:
    return target.with_name(f"{target.name}{MANIFEST}") if lines else target / MANIFEST


def _holds(target: Path, manifest: _Manifest, *, lines: bool) -> bool:
    try:
        found = msgspec.json.decode(_manifest(target, lines=lines).read_bytes(), type=_Manifest)
    except (OSError, msgspec.MsgspecError):
        return False
    return target.exists() and found == manifest


def _swap(part: Path, target: Path, manifest: _Manifest, *, lines: bool) -> None:
    """Put an export in its place. Killed in between, the old one stands beside it, and the next export removes it."""
    written = msgspec.json.format(msgspec.json.encode(manifest))
    if lines:
        _manifest(target, lines=True).unlink(missing_ok=True)  # it tells of a file that is going
        sync(part)
        part.rename(target)
        _manifest(target, lines=True).write_bytes(written)
    else:
        for path in part.rglob("*.parquet"):
            sync(path)
        (part / MANIFEST).write_bytes(written)
        old = target.with_name(target.name + OLD)
        _remove(old)
        if target.exists():
            target.rename(old)
        part.rename(target)
        _remove(old)
    _remove(target.with_name(target.name + ".spill"))
    sync(target.parent)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
