-- New readings of pages that the store has, part 1: which fetches change, and what was seen of their articles.
-- Inside the transaction that storage/promotion.py has begun, which has made the views `readings`, `reread_articles` and
-- `reread_removed`: rows of fetches, articles and removed blocks as an extraction makes them, and `reextraction_id`.
--
-- The fetches are facts and stay; what extraction made of their pages is replaced. Articles and their versions are then
-- told anew from all that was ever seen of them, as if the pages had been read so when they were fetched: what the
-- publisher changed stays a version, what only our reading changed is none.
UPDATE load_lock SET n = n + 1;

SET VARIABLE load_number = (SELECT n FROM load_lock);

CREATE OR REPLACE TEMP TABLE reread AS
SELECT f.url_key, f.ended_at, f.article_key AS old_article, f.content_hash AS old_hash,
    CASE WHEN r.article_key IS NOT NULL THEN 'article' ELSE r.outcome END AS outcome,
    r.reason, r.article_key, r.content_hash, r.date_published, r.reextraction_id
FROM fetches f JOIN (SELECT DISTINCT ON (url_key, ended_at) * FROM readings) r USING (url_key, ended_at)
-- A failure of ours takes no article away.
WHERE getvariable('reextraction') IS NULL OR f.article_key IS NULL
    OR r.outcome NOT IN ('extraction_failed', 'extraction_timeout');

CREATE OR REPLACE TEMP TABLE touched AS
SELECT old_article AS article_key FROM reread WHERE old_article IS NOT NULL
UNION SELECT article_key FROM reread WHERE article_key IS NOT NULL;

-- Sightings that cannot be read again (their captures are gone, or they came since) had the same text as one that was:
-- they have the same text now. Else an article would seem to be edited between the two.
CREATE OR REPLACE TEMP TABLE inherited AS
SELECT DISTINCT ON (f.url_key, f.ended_at) f.url_key, f.ended_at, f.article_key AS old_article,
    f.content_hash AS old_hash, 'article' AS outcome, NULL::VARCHAR AS reason, r.article_key, r.content_hash,
    r.date_published, r.reextraction_id
FROM fetches f
JOIN reread r ON r.old_article = f.article_key AND r.old_hash = f.content_hash AND r.article_key IS NOT NULL
    AND (r.article_key = f.article_key OR r.url_key = f.url_key)
WHERE (f.url_key, f.ended_at) NOT IN (SELECT (url_key, ended_at) FROM reread)
ORDER BY r.url_key <> f.url_key, abs(epoch(r.ended_at) - epoch(f.ended_at)), r.ended_at, r.url_key;

-- "Not modified" says that the page is what it was: so is what it came to.
CREATE OR REPLACE TEMP TABLE revisits AS
WITH visits AS (
    SELECT f.url_key, f.ended_at, f.outcome AS old_outcome, max(c.ended_at) AS captured_at
    FROM fetches f JOIN fetches c ON c.url_key = f.url_key AND c.ended_at < f.ended_at AND c.capture_file IS NOT NULL
    WHERE f.status = 304 AND f.url_key IN (SELECT url_key FROM reread)
        AND (f.url_key, f.ended_at) NOT IN (SELECT (url_key, ended_at) FROM reread)
    GROUP BY ALL
), judged AS (
    SELECT v.url_key, v.ended_at, v.old_outcome, r.reextraction_id,
        CASE WHEN r.article_key IS NOT NULL THEN 'unchanged' ELSE r.outcome END AS outcome,
        CASE WHEN r.article_key IS NULL THEN 'not modified since it was read as: ' || coalesce(r.reason, r.outcome) END
        AS reason
    FROM visits v JOIN reread r ON r.url_key = v.url_key AND r.ended_at = v.captured_at
)
SELECT url_key, ended_at, outcome, reason, reextraction_id FROM judged WHERE outcome <> old_outcome;

CREATE OR REPLACE TEMP TABLE changes AS
SELECT * FROM reread UNION ALL BY NAME SELECT * FROM inherited UNION ALL BY NAME SELECT * FROM revisits;

-- The history of each article starts from nothing: there are no anchors.
CREATE OR REPLACE TEMP TABLE current_articles AS
SELECT url_key AS article_key, version, date_first_seen, true AS late FROM article_versions LIMIT 0;

CREATE OR REPLACE TEMP TABLE late AS SELECT article_key FROM touched;

CREATE OR REPLACE TEMP TABLE prior_versions AS
SELECT url_key AS article_key, version, content_hash, requested_key, valid_from
FROM article_versions WHERE url_key IN (SELECT article_key FROM touched);

CREATE OR REPLACE TEMP TABLE sightings AS
SELECT article_key, url_key, ended_at, content_hash, false AS staged, false AS anchor, url_key = article_key AS own,
    run_id, segment, url, rights, capture_file, capture_offset
FROM (
    SELECT * FROM fetches WHERE (url_key, ended_at) NOT IN (SELECT (url_key, ended_at) FROM changes)
    UNION ALL BY NAME
    SELECT f.* REPLACE (c.article_key AS article_key, c.content_hash AS content_hash)
    FROM fetches f JOIN changes c USING (url_key, ended_at)
) WHERE article_key IN (SELECT article_key FROM touched);
