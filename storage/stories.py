"""Stories: articles whose text stands in other articles too, clustered after each load.

Two texts are copies if the shorter has 60% of its runs of three words from the other, and they share a fifth of all
(`sql/sketch.sql`); texts of one site must share 90%. A cluster begins with the article that was fetched first and is
named by it. An article joins the cluster of the text that is nearest to its own, if it still has something of the
article that the cluster began with: so reports that are each made from yesterday's do not become one endless story.
Clusters that a new text shows to be one are merged into the older, whose name stays.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import duckdb

from storage.database import sql, transaction

#: Raised when sketches become others; DuckDB's hash is asked too, which may change with its version.
METHOD: Final = "3 words, 6 characters, 32 least, site"
#: Texts at a time: their whole sets take 3 MB a thousand.
CHUNK: Final = 20_000
HASH: Final = "SELECT hash('runs of words')"
#: Values that two sketches of 32 must share to have something of each other: by chance alone they share none.
MEET: Final = 3


@dataclass(frozen=True, slots=True)
class Link:
    """Two articles that are copies, of which `newer` is the one that was fetched later."""

    newer: str
    older: str
    similarity: float
    resemblance: float


@dataclass(frozen=True, slots=True)
class Joined:
    """An article that joined a cluster; `nearest` is None for the one that the cluster begins with."""

    cluster: str
    article: str
    nearest: str | None = None
    similarity: float | None = None
    resemblance: float | None = None


@dataclass(slots=True)
class Clusters:
    """Clusters as they are known and as they become.

    Args:
        of: article → its cluster.
        began: cluster → the first of its articles that are there.
        sketches: article → the values of the sketches of its texts.
        order: article → its place in the order in which articles were fetched.
    """

    of: dict[str, str]
    began: dict[str, str]
    sketches: Mapping[str, frozenset[int]]
    order: Mapping[str, int]
    joined: list[Joined] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)

    def add(self, links: Iterable[Link]) -> None:
        """Put articles into clusters by their links, those that were fetched first first, by their nearest text."""
        for link in sorted(links, key=lambda link: (self.order[link.newer], -link.similarity, self.order[link.older])):
            newer, older = self.of.get(link.newer), self.of.get(link.older)
            if newer is None and older is None:
                self._begin(link)
            elif newer is None:
                self._join(link, link.newer, link.older)
            elif older is None:
                self._join(link, link.older, link.newer)
            elif newer != older and self._meet(self.began[newer], self.began[older]):
                self._merge(newer, older)

    def _begin(self, link: Link) -> None:
        self.began[link.older] = link.older
        self._put(Joined(link.older, link.older))
        self._put(Joined(link.older, link.newer, link.older, link.similarity, link.resemblance))

    def _join(self, link: Link, article: str, member: str) -> None:
        cluster = self.of[member]
        if self._meet(article, self.began[cluster]):
            self._put(Joined(cluster, article, member, link.similarity, link.resemblance))

    def _put(self, row: Joined) -> None:
        self.of[row.article] = row.cluster
        self.joined.append(row)

    def _merge(self, one: str, other: str) -> None:
        older, newer = sorted((one, other), key=lambda cluster: self.order[self.began[cluster]])
        self.merged[newer] = older  # may itself be merged later: in order, so that the last one wins
        for article, cluster in self.of.items():
            if cluster == newer:
                self.of[article] = older

    def _meet(self, one: str, other: str) -> bool:
        return one == other or len(self.sketches[one] & self.sketches[other]) >= MEET


def cluster(connection: duckdb.DuckDBPyConnection, *, chunk: int = CHUNK) -> int:
    """Cluster the texts of a store that were not looked at yet; return how many those were.

    For the one who writes: the connection stands in the loader's file. Each chunk is a transaction, so that a store of
    a million articles that were never looked at takes bounded memory, and a kill costs one chunk.
    """
    loaded = _number(connection, "SELECT coalesce(max(number), -1) FROM loads")
    since = _since(connection)
    if since >= loaded:
        return 0
    connection.execute("SET VARIABLE stories_since = ?", [since])
    connection.execute("SET VARIABLE stories_chunk = ?", [chunk])
    count = 0
    while True:
        with transaction(connection):
            connection.execute(sql("sketch"))
            taken = _number(connection, "SELECT count(*) FROM fresh")
            if taken:
                _write(connection, _clustered(connection))
            if taken < chunk:
                connection.execute("UPDATE story_state SET load_number = ?", [loaded])
        count += taken
        if taken < chunk:
            return count


def _since(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the load up to which texts are clustered; -1, with nothing clustered, if they were by another method."""
    method = f"{METHOD}, {_number(connection, HASH)}"
    row = connection.execute("SELECT load_number, method FROM story_state").fetchone()
    assert row is not None
    if row[1] == method:
        return int(row[0])
    with transaction(connection):
        connection.execute("DELETE FROM text_sketches; DELETE FROM story_members; DELETE FROM story_merges")
        connection.execute("UPDATE story_state SET load_number = -1, method = ?", [method])
    return -1


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _clustered(connection: duckdb.DuckDBPyConnection) -> Clusters:
    """Fetch what the links of the fresh texts are about, and put articles into clusters."""
    links = connection.execute("SELECT a, b, similarity, resemblance FROM links").fetchall()
    connection.execute("SET VARIABLE linked = ?", [sorted({key for link in links for key in link[:2]})])
    rows = connection.execute(sql("linked")).fetchall()
    order = {key: place for place, (_, key, _, _) in enumerate(rows)}
    clusters = Clusters(
        of={key: cluster for cluster, key, _, _ in rows if cluster},
        began={cluster: began for cluster, _, began, _ in rows if cluster},
        sketches={key: frozenset(sketch) for _, key, _, sketch in rows},
        order=order,
    )
    clusters.add(
        Link(*((a, b) if order[a] > order[b] else (b, a)), similarity, resemblance)
        for a, b, similarity, resemblance in links
    )
    return clusters


def _write(connection: duckdb.DuckDBPyConnection, clusters: Clusters) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    joined = clusters.joined
    connection.execute(
        """INSERT INTO story_members BY NAME SELECT unnest($cluster::VARCHAR[]) AS cluster_id,
        unnest($article::VARCHAR[]) AS url_key, unnest($nearest::VARCHAR[]) AS nearest_key,
        unnest($similarity::FLOAT[]) AS similarity, unnest($resemblance::FLOAT[]) AS resemblance,
        $now::TIMESTAMP AS joined_at""",
        {
            "cluster": [clusters.of[row.article] for row in joined],
            "article": [row.article for row in joined],
            "nearest": [row.nearest for row in joined],
            "similarity": [row.similarity for row in joined],
            "resemblance": [row.resemblance for row in joined],
            "now": now,
        },
    )
    for newer, older in clusters.merged.items():
        connection.execute("UPDATE story_members SET cluster_id = ? WHERE cluster_id = ?", [older, newer])
        connection.execute("UPDATE story_merges SET merged_into = ? WHERE merged_into = ?", [older, newer])
        connection.execute("INSERT INTO story_merges VALUES (?, ?, ?)", [newer, older, now])
