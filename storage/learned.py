"""What the store teaches of a site's recurring lines: counted over its newest articles, kept as `learned_lines`.

What is boilerplate is decided by `extraction.learned`; here are the articles that it decides on, and what it decided.
A line that was taken out of an article counts as one of its lines, else it would be forgotten and come back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import duckdb

from extraction import learned as lines
from extraction.learned import Learned, Sighting
from extraction.records import Block, BlockKind
from storage.database import connect, is_published, transaction, writer

#: Articles of a site that are looked at, the newest.
NEWEST: Final = 200
_BATCH: Final = 500


class UnknownLineError(LookupError):
    """Raised for a line that is not among those learned of a site; the message says where they are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of `learned_lines`."""

    site: str
    fingerprint: str
    text: str
    pages: int
    of_pages: int
    revoked: bool


def learn(data: Path, sites: Sequence[str]) -> dict[str, Learned]:
    """Learn the recurring lines of sites from their newest articles, store what changed, and return them by site.

    Read from the published copy; a site with too few articles, or none that recur, is left out. Raises as
    `storage.database.writer` does.
    """
    known = {site: Learned.of(row.fingerprint for row in rows) for site, rows in _by_site(data, sites)}
    changed = {}
    found: dict[str, Learned] = {}
    revoked = _revoked(data)
    for site, articles in _articles(data, sites):
        pages = list(articles)
        seen = {each.fingerprint: each for each in lines.sightings(pages)}
        learned = lines.learn(seen.values(), len(pages), revoked=revoked.get(site, frozenset()))
        if learned.fingerprints:
            found[site] = learned
        if learned != known.get(site, Learned.of(())):
            changed[site] = (learned, [seen[each] for each in sorted(learned.fingerprints)], len(pages))
    if changed:
        _store(data, changed)
    return found


def stored(data: Path, sites: Sequence[str]) -> dict[str, Learned]:
    """Return what was last learned of these sites and not revoked, from the published copy; none without one."""
    return {site: Learned.of(row.fingerprint for row in rows) for site, rows in _by_site(data, sites)}


def known_lines(data: Path, site: str | None = None) -> list[Line]:
    """Return the lines that were learned, revoked ones too, of one site or all; none without a published copy."""
    if not is_published(data):
        return []
    with connect(data) as connection:
        if not connection.execute("FROM duckdb_tables() WHERE table_name = 'learned_lines'").fetchone():
            return []  # published by an older program
        rows = connection.execute(
            """SELECT site, fingerprint, text, pages, of_pages, revoked FROM learned_lines
            WHERE $site IS NULL OR site = $site ORDER BY site, pages DESC, fingerprint""",
            {"site": site},
        ).fetchall()
    return [Line(**dict(zip(Line.__slots__, row, strict=True))) for row in rows]


def revoke(data: Path, site: str, fingerprint: str, *, revoked: bool = True) -> Line:
    """Say that a learned line is the articles' own, or (`revoked=False`) take that back; publish, and return the line.

    Raises:
        UnknownLineError: no such line was learned of the site.
        StoreError: as `storage.database.writer` raises it.
    """
    with writer(data, publish=True) as connection, transaction(connection):
        parameters = {"site": site, "fingerprint": fingerprint, "revoked": revoked}
        row = connection.execute(
            """SELECT site, fingerprint, text, pages, of_pages, $revoked FROM learned_lines
            WHERE site = $site AND fingerprint = $fingerprint""",
            parameters,
        ).fetchone()
        if row is None:
            raise UnknownLineError(
                f"no line {fingerprint!r} was learned of {site!r}; `nightdesk learned list` names those that were"
            )
        connection.execute(
            "UPDATE learned_lines SET revoked = $revoked WHERE site = $site AND fingerprint = $fingerprint", parameters
        )
        left = connection.execute(
            "SELECT fingerprint FROM learned_lines WHERE site = ? AND NOT revoked", [site]
        ).fetchall()
        connection.execute(
            "UPDATE learned_lines SET learned_version = ? WHERE site = ?",
            [Learned.of(each for (each,) in left).version, site],
        )
    return Line(**dict(zip(Line.__slots__, row, strict=True)))


def _by_site(data: Path, sites: Sequence[str]) -> Iterator[tuple[str, Iterator[Line]]]:
    wanted = [line for line in known_lines(data) if line.site in set(sites) and not line.revoked]
    return groupby(wanted, key=lambda line: line.site)


def _revoked(data: Path) -> dict[str, frozenset[str]]:
    rows = [line for line in known_lines(data) if line.revoked]
    return {
        site: frozenset(line.fingerprint for line in group) for site, group in groupby(rows, key=lambda line: line.site)
    }


def _articles(data: Path, sites: Sequence[str]) -> Iterator[tuple[str, Iterator[tuple[str, Sequence[Block]]]]]:
    """Yield each site with its newest articles as headline and blocks, what was learned and taken out among them."""
    if not is_published(data):
        return
    with connect(data) as connection:
        cursor = connection.execute(_NEWEST, {"sites": list(sites), "newest": NEWEST})
        for site, rows in groupby(_rows(cursor), key=lambda row: row[0]):
            yield site, ((headline or "", _blocks([*kept, *(taken or ())])) for _, headline, kept, taken in rows)


_NEWEST: Final = """
    WITH newest AS (
        SELECT url_key, version FROM article_versions WHERE valid_to IS NULL AND list_contains($sites, site)
        QUALIFY row_number() OVER (PARTITION BY site ORDER BY date_first_seen DESC, url_key) <= $newest
    ), taken AS (
        SELECT url_key, content_hash, list(('paragraph', text, "position")) AS blocks FROM removed_blocks
        WHERE kind = 'site_repeated' AND url_key IN (SELECT url_key FROM newest) GROUP BY url_key, content_hash
    )
    SELECT v.site, v.headline, list_transform(v.blocks, lambda b:
        (b.kind, substring(v.article_body, b."start" + 1, b.length), b."position")), t.blocks
    FROM article_versions v JOIN newest USING (url_key, version) LEFT JOIN taken t USING (url_key, content_hash)
    ORDER BY v.site, v.url_key"""


def _rows(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(_BATCH):
        yield from rows


def _blocks(parts: Iterable[tuple[str, str | None, int]]) -> list[Block]:
    there = sorted((part for part in parts if part[1]), key=lambda part: part[2])
    return [Block(kind=BlockKind(kind), text=text or "", position=position) for kind, text, position in there]


def _store(data: Path, changed: Mapping[str, tuple[Learned, list[Sighting], int]]) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    with writer(data, publish=True) as connection, transaction(connection):
        for site, (learned, seen, pages) in changed.items():
            connection.execute("DELETE FROM learned_lines WHERE site = ? AND NOT revoked", [site])
            kept = connection.execute("SELECT fingerprint FROM learned_lines WHERE site = ?", [site]).fetchall()
            rows = [
                (site, each.fingerprint, each.text, each.pages, pages, now, learned.version, False)
                for each in seen
                if (each.fingerprint,) not in kept  # revoked meanwhile
            ]
            if rows:
                connection.executemany("INSERT INTO learned_lines VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
