"""What a takedown takes out of a folder of extracted rows: the texts; that there were rows stays true.

A folder is written anew and swapped in. Killed in between, it is missing, and its segment is extracted again, from
captures that hold those pages no more.
"""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from storage.batches import write_folder
from storage.manifest import MANIFEST, PART, TABLES, DamagedFolderError, read_manifest

#: End of a folder's name while it is written anew; the loader passes over it.
REDACTED: Final = f".redacted{PART}"
#: Tables of a folder whose rows go, and columns of the others that are blanked.
_DROPPED: Final = ("articles", "removed_blocks")
_BLANKED: Final = {"urls": ("title_hint",), "fetches": ("article_key", "content_hash", "date_published")}


def redact_rows(folder: Path, url_keys: Collection[str], site: str | None) -> int:
    """Take the texts of these URLs, or of a whole site, out of a folder of rows; return how many articles it held.

    A folder that is damaged, or was not finished, goes: its segment is extracted again.
    """
    try:
        manifest = read_manifest(folder)
    except DamagedFolderError:
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in TABLES}
    marks = {name: _marks(tables[name], url_keys, site) for name in (*_DROPPED, *_BLANKED)}
    if not any(pc.any(mark).as_py() for mark in marks.values()):
        return 0
    articles = pc.sum(marks["articles"]).as_py() or 0
    for name in _DROPPED:
        tables[name] = tables[name].filter(pc.invert(marks[name]))
    for name, columns in _BLANKED.items():
        tables[name] = _blanked(tables[name], columns, marks[name])
    part = folder.with_name(folder.name + REDACTED)
    shutil.rmtree(part, ignore_errors=True)
    write_folder(part, manifest.run_id, manifest.segment, tables, finished=manifest.finished)
    shutil.rmtree(folder)
    part.rename(folder)
    return int(articles)


def leftovers(run: Path) -> list[Path]:
    """Return the folders of a run's rows that are no finished ones: torn, damaged or half redacted."""
    return [
        path
        for path in run.iterdir()
        if path.is_dir() and (not (path / MANIFEST).exists() or ".damaged" in path.suffixes or path.suffix == PART)
    ]


def _marks(table: pa.Table, url_keys: Collection[str], site: str | None) -> pa.ChunkedArray:
    if site is not None:
        return pc.fill_null(pc.equal(table["site"], site), fill_value=False)
    wanted = pa.array(list(url_keys), pa.string())
    mark = pc.is_in(table["url_key"], value_set=wanted)
    return (
        pc.or_(mark, pc.is_in(table["article_key"], value_set=wanted)) if "article_key" in table.schema.names else mark
    )


def _blanked(table: pa.Table, columns: Collection[str], mark: pa.ChunkedArray) -> pa.Table:
    for name in columns:
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        kept = pc.if_else(mark, pa.scalar(None, field.type), table[name])
        table = table.set_column(place, field, kept)
    if "outcome" in table.schema.names:  # an article that has no row any more
        place = table.schema.get_field_index("outcome")
        was = pc.and_(mark, pc.equal(table["outcome"], "article"))
        table = table.set_column(place, table.schema.field(place), pc.if_else(was, "taken_down", table["outcome"]))
    return table


def holds_rows(folder: Path, url_keys: Collection[str], site: str | None) -> bool:
    """Whether any Parquet file below a folder has rows of these URLs, or of a whole site."""
    for path in sorted(folder.rglob("*.parquet")):
        names = pq.read_schema(path).names
        columns = [name for name in ("url_key", "article_key", "site") if name in names]
        table = pq.read_table(path, columns=columns) if columns else None
        if table is None:
            continue
        if site is not None and "site" in columns:
            found = pc.equal(table["site"], site)
        else:
            wanted = pa.array(list(url_keys), pa.string())
            found = pc.is_in(table[columns[0]], value_set=wanted)
            if "article_key" in columns:
                found = pc.or_(found, pc.is_in(table["article_key"], value_set=wanted))
        if pc.any(found).as_py():
            return True
    return False
