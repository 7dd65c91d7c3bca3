"""What must be true of a store at any moment at which anybody can look at it."""

import duckdb

#: Name → query that answers true.
INVARIANTS = {
    "every segment is whole": """SELECT coalesce(bool_and(s.fetches = coalesce(f.n, 0)), true) FROM segments s
        LEFT JOIN (SELECT run_id, segment, count(*) AS n FROM fetches GROUP BY ALL) f USING (run_id, segment)""",
    "nothing came without its segment": """SELECT count(*) = 0 FROM fetches f
        ANTI JOIN segments s ON s.run_id = f.run_id AND s.segment = f.segment""",
    "loads sum to what is there": """SELECT coalesce(sum(fetches), 0) = (SELECT count(*) FROM fetches)
        AND coalesce(sum(segments), 0) = (SELECT count(*) FROM segments) FROM loads""",
    "a URL stands once in the ledger": "SELECT count(*) = count(DISTINCT url_key) FROM urls",
    "every URL is in the ledger": """SELECT count(*) = 0 FROM (SELECT url_key FROM fetches UNION
        SELECT url_key FROM discoveries) ANTI JOIN urls USING (url_key)""",
    "an article is current once": "SELECT count(*) = count(DISTINCT url_key) FROM articles",
    "every article of a fetch is stored": """SELECT count(*) = 0 FROM fetches f
        ANTI JOIN articles a ON a.url_key = f.article_key WHERE f.article_key IS NOT NULL""",
    "versions count from 1 without a gap": """SELECT coalesce(bool_and(n = last AND first = 1), true) FROM
        (SELECT count(*) AS n, max(version) AS last, min(version) AS first FROM article_versions GROUP BY url_key)""",
}


def broken(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the invariants that do not hold, checked in one snapshot of the store."""
    rows = connection.execute(" UNION ALL ".join(f"SELECT '{name}', ({sql})" for name, sql in INVARIANTS.items()))
    return [name for name, holds in rows.fetchall() if not holds]
