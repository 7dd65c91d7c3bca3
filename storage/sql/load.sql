-- Takes segments into the store, inside the transaction that storage/load.py has begun.
-- Variables: load_id; segments (a list of structs); urls, fetches, articles, removed_blocks, sources (lists of files).
--
-- Every row that changes is a function of what is known about its URL or article and never of the order in which
-- segments come: the ledger folds events by their time, and an article's versions follow the time of its sightings.

-- Two loads at once conflict here, on every kind of store.
UPDATE load_lock SET n = n + 1;

SET VARIABLE load_number = (SELECT n FROM load_lock);
SET VARIABLE versions_before = (SELECT count(*) FROM article_versions);

-- 1. Stage what came: one row an event.
CREATE OR REPLACE TEMP TABLE stage_fetches AS
SELECT DISTINCT ON (url_key, ended_at) * FROM read_parquet(getvariable('fetches')) ORDER BY run_id, segment;

CREATE OR REPLACE TEMP TABLE stage_discoveries AS
SELECT DISTINCT ON (run_id, url_key, discovered_at) * FROM read_parquet(getvariable('urls')) ORDER BY segment;

-- 2. What the store knows about the same articles and URLs. Each large table is scanned once.
CREATE OR REPLACE TEMP TABLE seen AS
SELECT article_key, min(ended_at) AS first_at FROM stage_fetches WHERE outcome = 'article' GROUP BY article_key;

CREATE OR REPLACE TEMP TABLE prior_versions AS
SELECT url_key AS article_key, version, content_hash, requested_key, valid_from, valid_to, date_first_seen
FROM article_versions WHERE url_key IN (SELECT article_key FROM seen);

CREATE OR REPLACE TEMP TABLE prior_sightings AS
SELECT article_key, max(ended_at) AS last_at, bool_or(url_key = article_key) AS own_seen
FROM fetches WHERE article_key IN (SELECT article_key FROM seen) GROUP BY article_key;

CREATE OR REPLACE TEMP TABLE prior_urls AS
SELECT * FROM urls WHERE url_key IN (SELECT url_key FROM stage_fetches UNION SELECT url_key FROM stage_discoveries);

-- 3. The articles that are there. `late`: a sighting is not later than all that are known, so the article's history has
-- to be written anew. Rare: a segment that was repaired after later ones had been loaded.
CREATE OR REPLACE TEMP TABLE current_articles AS
SELECT p.*, f.own_seen, s.first_at <= f.last_at AS late
FROM prior_versions p JOIN seen s USING (article_key) JOIN prior_sightings f USING (article_key)
WHERE p.valid_to IS NULL;

CREATE OR REPLACE TEMP TABLE late AS SELECT article_key FROM current_articles WHERE late;

CREATE OR REPLACE TEMP TABLE late_texts AS
SELECT * FROM article_versions WHERE url_key IN (SELECT article_key FROM late);

-- 4. The timeline of each article: what was staged, after its current version as anchor or, if late, with all that was
-- ever seen of it. Once the article's own URL has been seen, other URLs that lead to it (AMP, print, a canonical link)
-- are duplicates and make no versions.
CREATE OR REPLACE TEMP TABLE sightings AS
SELECT article_key, url_key, ended_at, content_hash, true AS staged, false AS anchor, url_key = article_key AS own,
    run_id, segment, url, rights, capture_file, capture_offset
FROM stage_fetches WHERE outcome = 'article'
UNION ALL BY NAME
SELECT article_key, requested_key AS url_key, valid_from AS ended_at, content_hash, false AS staged, true AS anchor,
    own_seen AS own
FROM current_articles WHERE NOT late
UNION ALL BY NAME
SELECT article_key, url_key, ended_at, content_hash, false AS staged, false AS anchor, url_key = article_key AS own,
    run_id, segment, url, rights, capture_file, capture_offset
FROM fetches WHERE article_key IN (SELECT article_key FROM late);

CREATE OR REPLACE TEMP TABLE timeline AS
WITH judged AS (
    SELECT *, own OR coalesce(ended_at < min(ended_at) FILTER (own) OVER (PARTITION BY article_key), true) AS counts
    FROM (SELECT DISTINCT ON (article_key, url_key, ended_at, anchor) * FROM sightings ORDER BY staged)
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
FROM numbered;

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

-- 5. Articles. Texts are read from the files only now, and only those that are stored.
UPDATE article_versions SET valid_to = v.valid_to
FROM versions v
WHERE v.anchor AND v.valid_to IS NOT NULL
    AND article_versions.url_key = v.article_key AND article_versions.version = v.version;

DELETE FROM article_versions WHERE url_key IN (SELECT article_key FROM late);

INSERT INTO article_versions BY NAME
SELECT a.* EXCLUDE (run_id, segment, url_key, ended_at, article_key), length(a.article_body) AS characters,
    getvariable('load_number') AS load_number,
    v.article_key AS url_key, v.version, v.valid_from, v.valid_to, v.date_first_seen, v.requested_key, v.requested_url, v.run_id, v.rights, v.capture_file, v.capture_offset
FROM versions v
JOIN read_parquet(getvariable('articles'), union_by_name := true) a
    ON a.article_key = v.article_key AND a.url_key = v.requested_key AND a.ended_at = v.valid_from
    AND a.run_id = v.run_id AND a.segment = v.segment
WHERE NOT v.anchor AND NOT v.late;

-- A late article's text can stand in the files or in the store, fetched then or at another time when it was the same.
INSERT INTO article_versions BY NAME
WITH texts AS (
    SELECT * EXCLUDE (run_id, segment, url_key), url_key AS requested_key
    FROM read_parquet(getvariable('articles'), union_by_name := true) WHERE article_key IN (SELECT article_key FROM late)
    UNION ALL BY NAME
    SELECT * EXCLUDE (url_key, version, valid_from, valid_to, date_first_seen, requested_url, run_id, rights,
        capture_file, capture_offset, characters, load_number), url_key AS article_key, valid_from AS ended_at
    FROM late_texts
)
SELECT DISTINCT ON (v.article_key, v.version) a.* EXCLUDE (requested_key, ended_at, article_key),
    length(a.article_body) AS characters,
    getvariable('load_number') AS load_number, v.article_key AS url_key, v.version, v.valid_from, v.valid_to, v.date_first_seen, v.requested_key, v.requested_url, v.run_id, v.rights,
    v.capture_file, v.capture_offset
FROM versions v JOIN texts a ON a.article_key = v.article_key AND a.content_hash = v.content_hash
WHERE v.late
ORDER BY a.ended_at <> v.valid_from OR a.requested_key <> v.requested_key, a.ended_at, a.requested_key;

INSERT INTO removed_blocks BY NAME
WITH first_texts AS (
    SELECT DISTINCT ON (article_key, content_hash) * FROM versions v
    WHERE NOT anchor AND NOT EXISTS (
        FROM prior_versions p WHERE p.article_key = v.article_key AND p.content_hash = v.content_hash)
    ORDER BY valid_from
)
SELECT r.site, v.article_key AS url_key, r.content_hash, r.kind, r.rule, r.text, r."position"
FROM first_texts v
JOIN read_parquet(getvariable('removed_blocks')) r
    ON r.article_key = v.article_key AND r.url_key = v.requested_key AND r.ended_at = v.valid_from
    AND r.run_id = v.run_id AND r.segment = v.segment;

DELETE FROM removed_blocks WHERE url_key IN (SELECT article_key FROM late)
    AND (url_key, content_hash) NOT IN (SELECT (article_key, content_hash) FROM versions WHERE late);

-- 6. Facts are added.
INSERT INTO fetches BY NAME
SELECT f.* REPLACE (coalesce(t.outcome, f.outcome) AS outcome)
FROM stage_fetches f LEFT JOIN timeline t ON t.staged AND t.url_key = f.url_key AND t.ended_at = f.ended_at;

INSERT INTO discoveries BY NAME SELECT * FROM stage_discoveries;

INSERT INTO source_reads BY NAME SELECT * FROM read_parquet(getvariable('sources'));

UPDATE fetches SET outcome = t.outcome
FROM timeline t
WHERE NOT t.staged AND NOT t.anchor AND fetches.article_key IN (SELECT article_key FROM late)
    AND fetches.url_key = t.url_key AND fetches.ended_at = t.ended_at AND fetches.outcome <> t.outcome;

-- 7. The ledger: the fold of what it held and of what came. Discovered counts from the latest discovery, tried from
-- the latest try, fetched from the latest answer, article from the latest page that was one.
CREATE OR REPLACE TEMP TABLE ledger AS
WITH came AS (
    SELECT f.url_key, f.ended_at AS tried_at, f.ended_at AS first_at, 1 AS tries, f.attempts,
        struct_pack(site := f.site, url := f.url, found_in := f.found_in, found_by := f.found_by, run_id := f.run_id,
            outcome := coalesce(t.outcome, f.outcome), reason := f.reason, status := f.status, final_url := f.final_url
        ) AS try,
        CASE WHEN f.capture_file IS NOT NULL OR f.outcome = 'unchanged' THEN f.ended_at END AS fetched_at,
        struct_pack(etag := f.etag, last_modified := f.last_modified) AS validators,
        CASE WHEN f.capture_file IS NOT NULL THEN f.ended_at END AS captured_at,
        struct_pack(file := f.capture_file, "offset" := f.capture_offset) AS capture,
        CASE WHEN f.article_key IS NOT NULL THEN f.ended_at END AS article_at,
        struct_pack("key" := f.article_key, date_published := f.date_published) AS article
    FROM stage_fetches f LEFT JOIN timeline t ON t.staged AND t.url_key = f.url_key AND t.ended_at = f.ended_at
    UNION ALL BY NAME
    SELECT url_key, discovered_at AS seen_at, discovered_at AS first_at,
        struct_pack(site := site, url := url, found_in := found_in, found_by := found_by, run_id := run_id,
            lastmod := lastmod, published_hint := published_hint, title_hint := title_hint) AS sight
    FROM stage_discoveries
    UNION ALL BY NAME
    SELECT url_key, last_seen_at AS seen_at, outcome_at AS tried_at, first_seen_at AS first_at, tries, attempts,
        struct_pack(site := site, url := url, found_in := found_in, found_by := found_by, run_id := run_id,
            outcome := last_outcome, reason := reason, status := status, final_url := final_url) AS try,
        struct_pack(site := site, url := url, found_in := found_in, found_by := found_by, run_id := run_id,
            lastmod := lastmod, published_hint := published_hint, title_hint := title_hint) AS sight,
        fetched_at, struct_pack(etag := etag, last_modified := last_modified) AS validators,
        captured_at, struct_pack(file := capture_file, "offset" := capture_offset) AS capture,
        article_at, struct_pack("key" := article_key, date_published := date_published) AS article
    FROM prior_urls
), folded AS (
    SELECT url_key, max(seen_at) AS seen_at, max(tried_at) AS tried_at, min(first_at) AS first_seen_at,
        coalesce(sum(tries), 0)::INTEGER AS tries, coalesce(sum(attempts), 0)::INTEGER AS attempts,
        arg_max(try, (tried_at, try.outcome)) FILTER (tried_at IS NOT NULL) AS try,
        arg_max(sight, (seen_at, sight.url)) FILTER (seen_at IS NOT NULL) AS sight,
        max(fetched_at) AS fetched_at, arg_max(validators, captured_at) AS validators,
        max(captured_at) AS captured_at, arg_max(capture, captured_at) AS capture,
        max(article_at) AS article_at, arg_max(article, article_at) AS article
    FROM came GROUP BY url_key
)
SELECT url_key, coalesce(sight.url, try.url) AS url, coalesce(sight.site, try.site) AS site,
    CASE WHEN tried_at IS NULL OR seen_at > tried_at THEN 'pending' ELSE try.outcome END AS outcome,
    tried_at AS outcome_at, try.outcome AS last_outcome, try.reason AS reason, try.status AS status, tries, attempts,
    try.final_url AS final_url, first_seen_at, seen_at AS last_seen_at,
    coalesce(sight.found_in, try.found_in) AS found_in, coalesce(sight.found_by, try.found_by) AS found_by,
    sight.lastmod AS lastmod, sight.published_hint AS published_hint, sight.title_hint AS title_hint,
    fetched_at, article."key" AS article_key, article_at, article.date_published AS date_published,
    validators.etag AS etag, validators.last_modified AS last_modified,
    captured_at, capture.file AS capture_file, capture."offset" AS capture_offset,
    CASE WHEN try.outcome IN ('loaded', 'unchanged') THEN next_visit(
        least(coalesce(article.date_published, first_seen_at), first_seen_at), fetched_at) END AS next_visit,
    CASE WHEN tried_at IS NULL THEN sight.run_id ELSE try.run_id END AS run_id
FROM folded;

DELETE FROM urls WHERE url_key IN (SELECT url_key FROM ledger);

INSERT INTO urls BY NAME SELECT * FROM ledger;

UPDATE urls SET last_outcome = t.outcome, outcome = CASE WHEN urls.outcome = 'pending' THEN 'pending' ELSE t.outcome END,
    next_visit = CASE WHEN t.outcome <> 'duplicate' THEN next_visit(
        least(coalesce(urls.date_published, urls.first_seen_at), urls.first_seen_at), urls.fetched_at) END
FROM timeline t
WHERE NOT t.staged AND NOT t.anchor AND urls.article_key IN (SELECT article_key FROM late)
    AND urls.url_key = t.url_key AND urls.outcome_at = t.ended_at AND urls.last_outcome <> t.outcome;

-- 8. What was taken, and by which load.
INSERT INTO captures BY NAME
SELECT f.capture_file, any_value(f.run_id) AS run_id, any_value(f.segment) AS segment, count(*)::INTEGER AS pages,
    any_value(s.bytes) AS bytes, min(ended_at) AS first_at, max(ended_at) AS last_at
FROM stage_fetches f
LEFT JOIN (SELECT unnest(getvariable('captures'), recursive := true)) s ON s.capture_file = f.capture_file
WHERE f.capture_file IS NOT NULL AND f.capture_file NOT IN (SELECT capture_file FROM captures)
GROUP BY f.capture_file;

INSERT INTO segments BY NAME
SELECT s.*, getvariable('load_id') AS load_id FROM (SELECT unnest(getvariable('segments'), recursive := true)) s;

INSERT INTO loads BY NAME
SELECT getvariable('load_id') AS load_id, getvariable('load_number') AS number, getvariable('loaded_at')::TIMESTAMP AS loaded_at,
    (SELECT count(*) FROM (SELECT unnest(getvariable('segments'))))::INTEGER AS segments,
    (SELECT count(*) FROM stage_fetches)::INTEGER AS fetches,
    (SELECT count(*) FROM versions WHERE version = 1 AND article_key NOT IN (SELECT article_key FROM prior_versions)
    )::INTEGER AS new_articles,
    (SELECT count(*) FROM versions WHERE NOT anchor AND NOT late AND version > 1)::INTEGER AS new_versions;
