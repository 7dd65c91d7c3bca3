-- What was seen of articles (`sightings`) becomes their timeline and their versions. Shared by loads and re-extractions.
-- Reads: sightings; current_articles, whose rows that are not late are anchors; late.
CREATE OR REPLACE TEMP TABLE seen_again AS
SELECT article_key FROM sightings GROUP BY article_key HAVING count(*) > 1;

-- Most articles are new and were seen once: that sighting begins their first version, and needs no windows.
CREATE OR REPLACE TEMP TABLE timeline AS
WITH judged AS (
    SELECT *, own OR coalesce(ended_at < min(ended_at) FILTER (own) OVER (PARTITION BY article_key), true) AS counts
    FROM (FROM sightings SEMI JOIN seen_again USING (article_key)
        QUALIFY row_number() OVER (PARTITION BY article_key, url_key, ended_at, anchor ORDER BY staged) = 1)
), marked AS (
    SELECT *, counts AND content_hash IS DISTINCT FROM
        lag(content_hash) OVER (PARTITION BY article_key, counts ORDER BY ended_at, own, url_key) AS starts
    FROM judged
), numbered AS (
    SELECT *, count(*) FILTER (starts) OVER (
        PARTITION BY article_key ORDER BY ended_at, counts, own, url_key ROWS UNBOUNDED PRECEDING) AS nth
    FROM marked
)
SELECT *, CASE
    WHEN starts THEN 'loaded'
    WHEN counts AND (own OR url_key = any_value(url_key) FILTER (starts) OVER (PARTITION BY article_key, nth))
    THEN 'unchanged' ELSE 'duplicate' END AS outcome
FROM numbered
UNION ALL BY NAME
SELECT *, true AS counts, true AS starts, 1 AS nth, 'loaded' AS outcome
FROM sightings ANTI JOIN seen_again USING (article_key);

CREATE OR REPLACE TEMP TABLE versions AS
SELECT t.article_key, coalesce(c.version - 1, 0) + t.nth AS version, t.ended_at AS valid_from,
    lead(t.ended_at) OVER one AS valid_to, coalesce(c.date_first_seen, first_value(t.ended_at) OVER one) AS date_first_seen,
    t.content_hash, t.url_key AS requested_key, t.url AS requested_url, t.anchor, l.article_key IS NOT NULL AS late,
    t.run_id, t.segment, t.rights, t.capture_file, t.capture_offset
FROM timeline t
LEFT JOIN (SELECT * FROM current_articles WHERE NOT late) c USING (article_key)
LEFT JOIN late l USING (article_key)
WHERE t.starts
WINDOW one AS (PARTITION BY t.article_key ORDER BY t.nth);
