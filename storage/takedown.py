"""Takedowns: an article, or all of a site, erased for good; what and why stays on record, the text does not.

A takedown is a file in `<data>/takedowns/`, written first: whatever is killed, it tells what is still to be done. Then
the rows go and the rest is published (nobody reads the texts from then on), the store is written anew without them
(DELETE leaves text behind in a DuckDB file), and the other files are cleaned (`flows.takedown`).
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import duckdb
import msgspec

from extraction.records import Outcome
from extraction.urls import BadUrlError, canonicalize, url_key
from storage.database import StoreError, connect, is_published, store_of, sync, transaction, writer
from storage.place import lake_of

FOLDER: Final = Path("takedowns")
#: Tables whose rows about an erased URL stay, without what they quote of the text; of others with a column url_key or
#: article_key the rows go.
KEPT: Final = ("urls", "fetches", "discoveries")
_TIMES: Final = ("registered_at", "erased_at", "lifted_at")

Kind = Literal["url", "site"]


class TakedownError(StoreError):
    """A takedown that cannot be; the message says why, and the mend."""


class Takedown(msgspec.Struct, frozen=True, kw_only=True):
    """A takedown as its file has it. Times are UTC; `url_keys` is empty for a site: every URL of it counts."""

    takedown_id: str
    kind: Kind
    target: str
    site: str | None
    url_keys: list[str]
    reason: str
    registered_at: datetime
    erased_at: datetime | None = None
    lifted_at: datetime | None = None
    articles: int = 0
    versions: int = 0
    removed_blocks: int = 0
    responses: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a takedown would erase, counted in the published copy. `copies` are URLs of others with the same text."""

    kind: Kind
    target: str
    site: str | None
    url_keys: tuple[str, ...]
    articles: int = 0
    versions: int = 0
    removed_blocks: int = 0
    responses: int = 0
    headlines: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


def find(data: Path, target: str) -> Target:
    """Say what a takedown of this URL, or of the site of this name, would erase.

    A URL that the store does not know can be taken down too: it is then never fetched.

    Raises:
        TakedownError: it is neither a URL nor a site of the store.
    """
    if not is_published(data):
        return Target(kind="url", target=_canonical(target), site=None, url_keys=(url_key(_canonical(target)),))
    with connect(data) as connection:
        if "/" not in target and "." not in target:
            return _find_site(connection, target)
        return _find_url(connection, _canonical(target))


def _canonical(target: str) -> str:
    try:
        return canonicalize(target)
    except BadUrlError as error:
        raise TakedownError(f"{error}; name a URL as https://…, or a site by its name") from error


def _find_site(connection: duckdb.DuckDBPyConnection, site: str) -> Target:
    if not connection.execute("SELECT 1 FROM urls WHERE site = ? LIMIT 1", [site]).fetchone():
        known = connection.execute("SELECT DISTINCT site FROM urls ORDER BY site LIMIT 20").fetchall()
        names = ", ".join(name for (name,) in known) or "none"
        raise TakedownError(f"{site}: neither a URL nor a site of the store, which has {names}")
    counts = _counts(connection, "site = $site", {"site": site})
    return Target(kind="site", target=site, site=site, url_keys=(), **counts)


def _find_url(connection: duckdb.DuckDBPyConnection, url: str) -> Target:
    keys = [
        key
        for (key,) in connection.execute(
            """WITH named AS (SELECT $key AS k UNION SELECT article_key FROM urls WHERE url_key = $key
                UNION SELECT article_key FROM fetches WHERE url_key = $key)
            SELECT k FROM named WHERE k IS NOT NULL
            UNION SELECT url_key FROM fetches WHERE article_key IN (FROM named)
            UNION SELECT url_key FROM urls WHERE article_key IN (FROM named) ORDER BY 1""",
            {"key": url_key(url)},
        ).fetchall()
    ]
    parameters = {"keys": keys}
    site = connection.execute("SELECT site FROM urls WHERE list_contains($keys, url_key)", parameters).fetchone()
    copies = connection.execute(
        """SELECT url FROM articles WHERE NOT list_contains($keys, url_key) AND content_hash IN
            (SELECT content_hash FROM article_versions WHERE list_contains($keys, url_key)) ORDER BY url LIMIT 20""",
        parameters,
    ).fetchall()
    return Target(
        kind="url",
        target=url,
        site=site[0] if site else None,
        url_keys=tuple(keys),
        copies=tuple(each for (each,) in copies),
        **_counts(connection, "list_contains($keys, url_key)", parameters),
    )


def _counts(connection: duckdb.DuckDBPyConnection, where: str, parameters: dict[str, Any]) -> dict[str, Any]:
    def one(query: str) -> Any:  # noqa: ANN401 -- a number or a list
        row = connection.execute(query, parameters).fetchone()
        assert row is not None
        return row[0]

    return {
        "articles": one(f"SELECT count(*) FROM articles WHERE {where}"),  # noqa: S608 -- our own words
        "versions": one(f"SELECT count(*) FROM article_versions WHERE {where}"),  # noqa: S608
        "removed_blocks": one(f"SELECT count(*) FROM removed_blocks WHERE {where}"),  # noqa: S608
        "responses": one(f"SELECT count(*) FROM fetches WHERE capture_offset IS NOT NULL AND {where}"),  # noqa: S608
        "headlines": tuple(
            one(f"SELECT coalesce(list(headline ORDER BY date_published DESC)[:5], []) FROM articles WHERE {where}")  # noqa: S608
        ),
    }


def order(data: Path, target: Target, reason: str) -> Takedown:
    """Order a takedown: write its file, and return it. Nothing is erased yet; `register` is next."""
    now = datetime.now(UTC)
    takedown = Takedown(
        takedown_id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
        kind=target.kind,
        target=target.target,
        site=target.site,
        url_keys=list(target.url_keys),
        reason=reason,
        registered_at=now,
        articles=target.articles,
        versions=target.versions,
        removed_blocks=target.removed_blocks,
        responses=target.responses,
    )
    write(data, takedown)
    return takedown


def takedowns(data: Path) -> list[Takedown]:
    """Return the takedowns of a data folder, oldest first. Raises TakedownError for a file that is none."""
    found = []
    for path in sorted((data / FOLDER).glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Takedown))
        except msgspec.MsgspecError as error:
            raise TakedownError(f"{path}: {error}; restore the file from a backup, or mend it") from error
    return found


def adopt(data: Path) -> None:
    """Let the takedowns that other machines of a lake ordered, or lifted, be on record here too, with a file each.

    One that is new here has still to be erased from the captures of this machine. Raises as `connect` does.
    """
    if lake_of(data) is None or not is_published(data):
        return
    with connect(data) as connection:
        cursor = connection.execute("SELECT * FROM takedowns")
        names = [column[0] for column in cursor.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    here = {each.takedown_id: each for each in takedowns(data)}
    for row in rows:
        times = {name: row[name] and row[name].replace(tzinfo=UTC) for name in _TIMES}
        theirs = Takedown(**{**row, **times})
        mine = here.get(theirs.takedown_id)
        if mine is None:
            write(data, theirs if theirs.lifted_at else msgspec.structs.replace(theirs, erased_at=None))
        elif theirs.lifted_at and not mine.lifted_at:
            write(data, msgspec.structs.replace(mine, lifted_at=theirs.lifted_at))


def unfinished(data: Path) -> list[Takedown]:
    """Return the takedowns that were ordered and have not erased everything yet."""
    return [takedown for takedown in takedowns(data) if takedown.erased_at is None]


def write(data: Path, takedown: Takedown) -> None:
    """Write a takedown's file, durably: it is there as it was or as it is now."""
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{takedown.takedown_id}.part"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(takedown)))
    sync(part)
    part.rename(folder / f"{takedown.takedown_id}.json")
    sync(folder)


def register(data: Path, takedown: Takedown) -> None:
    """Delete the rows of a takedown, note its URLs as taken down, and publish. Doing it again changes nothing.

    The texts may still stand in blocks of the store's file that are free: `compact` is next. Raises as
    `storage.database.writer` does.
    """
    with writer(data, publish=True) as connection, transaction(connection):
        _erase(connection, takedown)
        _record(connection, takedown)


def finish(data: Path, takedown: Takedown, *, responses: int) -> Takedown:
    """Note that nothing of a takedown is left to erase, and return it as it is now on record."""
    responses = max(responses, takedown.responses or 0)  # a part of them went before a crash, perhaps
    done = msgspec.structs.replace(takedown, erased_at=datetime.now(UTC), responses=responses)
    _note(data, done)
    return done


def lift(data: Path, takedown_id: str) -> Takedown:
    """Let the URLs of a takedown be fetched again, and return it. What was erased does not come back by itself.

    Raises:
        TakedownError: there is none of that name, it is lifted already, or it has not erased everything yet.
    """
    found = {takedown.takedown_id: takedown for takedown in takedowns(data)}
    takedown = found.get(takedown_id)
    if takedown is None:
        raise TakedownError(f"there is no takedown {takedown_id!r}; `nightdesk takedown --list` names them")
    if takedown.lifted_at or not takedown.erased_at:
        raise TakedownError(f"{takedown_id}: {'lifted already' if takedown.lifted_at else 'not finished yet'}")
    lifted = msgspec.structs.replace(takedown, lifted_at=datetime.now(UTC))
    _note(data, lifted)
    return lifted


def _note(data: Path, takedown: Takedown) -> None:
    """Bring a takedown's row to what it is now, then its file."""
    with writer(data, publish=True) as connection, transaction(connection):
        _record(connection, takedown)
        if takedown.lifted_at:
            connection.execute(_FORGET, {"keys": takedown.url_keys, "site": _whole(takedown)})
    write(data, takedown)


#: A URL whose takedown is lifted is as if it had never been tried: the next source that names it has it fetched.
_FORGET: Final = """UPDATE urls SET outcome = 'pending', last_outcome = NULL, outcome_at = NULL, fetched_at = NULL
    WHERE last_outcome = 'taken_down' AND (list_contains($keys, url_key) OR site = $site)"""


def _whole(takedown: Takedown) -> str | None:
    return takedown.site if takedown.kind == "site" else None


def _erase(connection: duckdb.DuckDBPyConnection, takedown: Takedown) -> None:
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE erased AS SELECT unnest($keys::VARCHAR[]) AS url_key
        UNION SELECT url_key FROM urls WHERE site = $site
        UNION SELECT url_key FROM article_versions WHERE site = $site""",
        {"keys": takedown.url_keys, "site": _whole(takedown)},
    )
    for table, column in _tables_with_keys(connection):
        if table not in KEPT:
            connection.execute(f"DELETE FROM {table} WHERE {column} IN (FROM erased)")  # noqa: S608 -- our own names
    if takedown.kind == "site":
        connection.execute("DELETE FROM learned_lines WHERE site = ?", [takedown.site])
    connection.execute("UPDATE discoveries SET title_hint = NULL WHERE url_key IN (FROM erased)")
    # Where the response stood is needed still, to erase it: capture_offset goes when that is done.
    connection.execute("""UPDATE fetches SET outcome = 'taken_down', reason = 'it was taken down', article_key = NULL,
        content_hash = NULL, date_published = NULL
        WHERE (url_key IN (FROM erased) OR article_key IN (FROM erased)) AND article_key IS NOT NULL""")
    connection.execute(
        """UPDATE urls SET outcome = 'taken_down', last_outcome = 'taken_down', reason = 'it was taken down',
        outcome_at = coalesce(outcome_at, $at), title_hint = NULL, article_key = NULL, article_at = NULL,
        date_published = NULL, etag = NULL, last_modified = NULL, capture_file = NULL, capture_offset = NULL,
        next_visit = NULL WHERE url_key IN (FROM erased)""",
        {"at": _naive(takedown.registered_at)},
    )
    connection.execute(
        """INSERT INTO urls BY NAME SELECT $key AS url_key, $url AS url, coalesce($site, '') AS site,
        'taken_down' AS outcome, 'taken_down' AS last_outcome, 'it was taken down' AS reason, $at AS outcome_at,
        $at AS first_seen_at, 0 AS tries, 0 AS attempts
        WHERE $kind = 'url' AND NOT EXISTS (FROM urls WHERE url_key = $key)""",
        {
            "key": url_key(takedown.target) if takedown.kind == "url" else "",
            "url": takedown.target,
            "site": takedown.site,
            "at": _naive(takedown.registered_at),
            "kind": takedown.kind,
        },
    )


def _tables_with_keys(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute(
        """SELECT c.table_name, c.column_name FROM duckdb_columns() c
        JOIN duckdb_tables() t ON t.table_oid = c.table_oid AND t.database_name = c.database_name
        WHERE c.database_name = 'store' AND c.column_name IN ('url_key', 'article_key')"""
    ).fetchall()


def _record(connection: duckdb.DuckDBPyConnection, takedown: Takedown) -> None:
    row = msgspec.structs.asdict(takedown)
    row |= {name: _naive(row[name]) for name in _TIMES}
    connection.execute("DELETE FROM takedowns WHERE takedown_id = ?", [takedown.takedown_id])
    columns = ", ".join(f"${name} AS {name}" for name in row)
    connection.execute(f"INSERT INTO takedowns BY NAME SELECT {columns}", row)
    if takedown.erased_at:
        connection.execute(
            """UPDATE fetches SET capture_offset = NULL WHERE outcome = 'taken_down' AND article_key IS NULL
            AND (list_contains($keys, url_key) OR site = $site)""",
            {"keys": takedown.url_keys, "site": _whole(takedown)},
        )


def segments_of(data: Path, takedown: Takedown) -> list[tuple[str, str]]:
    """Return (run_id, segment) of each segment that met a URL of a takedown, as the published copy knows."""
    parameters = {"keys": takedown.url_keys, "site": _whole(takedown)}
    with connect(data) as connection:
        return connection.execute(
            """SELECT run_id, segment FROM fetches WHERE list_contains($keys, url_key) OR site = $site
            UNION SELECT run_id, segment FROM discoveries WHERE list_contains($keys, url_key) OR site = $site
            ORDER BY 1, 2""",
            parameters,
        ).fetchall()


def compact(data: Path) -> None:
    """Write anew what holds rows that were deleted, and publish: deleted texts are in no file of the store then.

    Killed at any moment, the old or the new is there, whole. Raises as `storage.database.writer` does; it needs as
    much room as the store has.
    """
    store_of(data).compact()


def _naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def held_sites(found: Iterable[Takedown]) -> dict[str, Takedown]:
    """Return the sites that are taken down as a whole, by name."""
    return {takedown.target: takedown for takedown in found if takedown.kind == "site" and not takedown.lifted_at}


def refused(data: Path) -> list[tuple[str, str, str, int]]:
    """Return the captured responses that the loader refused because of a takedown and that are still to be erased:
    site, url_key, file and offset of each.
    """  # noqa: D205
    if not is_published(data):
        return []
    with connect(data) as connection:
        return connection.execute(
            """SELECT site, url_key, capture_file, capture_offset FROM fetches
            WHERE outcome = ? AND capture_offset IS NOT NULL ORDER BY capture_file, capture_offset""",
            [Outcome.TAKEN_DOWN],
        ).fetchall()


def forget_responses(data: Path, files: Sequence[str]) -> None:
    """Note that the refused responses in these files are erased. Publishes."""
    with writer(data, publish=True) as connection, transaction(connection):
        connection.execute(
            """UPDATE fetches SET capture_offset = NULL
            WHERE outcome = 'taken_down' AND list_contains($files, capture_file)""",
            {"files": list(files)},
        )
