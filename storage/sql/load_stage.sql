-- A load, part 1 of 5: takes segments into the store, inside the transaction that storage/load.py has begun.
-- Variables: load_id; segments (a list of structs); urls, fetches, articles, removed_blocks, sources (lists of files).
--
-- Every row that changes is a function of what is known about its URL or article and never of the order in which
-- segments come: the ledger folds events by their time, and an article's versions follow the time of its sightings.

-- Two loads at once conflict here, on every kind of store.
UPDATE load_lock SET n = n + 1;

SET VARIABLE load_number = (SELECT n FROM load_lock);
SET VARIABLE versions_before = (SELECT count(*) FROM article_versions);

-- 1. Stage what came: one row an event. All rows first, then without the second ones: a window over all columns takes
-- twice the time, DISTINCT ON, which keeps each column's first by itself, four times.
CREATE OR REPLACE TEMP TABLE stage_fetches AS FROM read_parquet(getvariable('fetches'));

DELETE FROM stage_fetches WHERE rowid IN (
    SELECT rowid FROM stage_fetches
    QUALIFY row_number() OVER (PARTITION BY url_key, ended_at ORDER BY run_id, segment) > 1);

CREATE OR REPLACE TEMP TABLE stage_discoveries AS FROM read_parquet(getvariable('urls'));

DELETE FROM stage_discoveries WHERE rowid IN (
    SELECT rowid FROM stage_discoveries
    QUALIFY row_number() OVER (PARTITION BY run_id, url_key, discovered_at ORDER BY segment) > 1);

-- What was taken down does not come back, by whatever way or address it comes.
CREATE OR REPLACE TEMP TABLE taken_down AS
SELECT unnest(url_keys) AS url_key FROM takedowns WHERE lifted_at IS NULL;

UPDATE stage_fetches SET outcome = 'taken_down', reason = 'it was taken down', article_key = NULL, content_hash = NULL,
    date_published = NULL
WHERE outcome IN ('article', 'unchanged') AND (url_key IN (FROM taken_down) OR article_key IN (FROM taken_down)
    OR site IN (SELECT site FROM takedowns WHERE kind = 'site' AND lifted_at IS NULL));

UPDATE stage_discoveries SET title_hint = NULL
WHERE url_key IN (FROM taken_down) OR site IN (SELECT site FROM takedowns WHERE kind = 'site' AND lifted_at IS NULL);

-- 2. What the store knows about the same articles and URLs. The keys of each large table are scanned, then those rows
-- are read by their places, which a scan asks for before it unpacks anything (dynamic_or_filter_threshold).
CREATE OR REPLACE TEMP TABLE seen AS
SELECT article_key, min(ended_at) AS first_at FROM stage_fetches WHERE outcome = 'article' GROUP BY article_key;

CREATE OR REPLACE TEMP TABLE version_places AS
SELECT rowid AS place FROM article_versions WHERE url_key IN (SELECT article_key FROM seen);

CREATE OR REPLACE TEMP TABLE prior_versions AS
SELECT rowid AS place, url_key AS article_key, version, content_hash, requested_key, valid_from, valid_to, date_first_seen
FROM article_versions WHERE rowid IN (FROM version_places);

CREATE OR REPLACE TEMP TABLE fetch_places AS
SELECT rowid AS place FROM fetches WHERE article_key IN (SELECT article_key FROM seen);

CREATE OR REPLACE TEMP TABLE prior_sightings AS
SELECT article_key, max(ended_at) AS last_at, bool_or(url_key = article_key) AS own_seen
FROM fetches WHERE rowid IN (FROM fetch_places) GROUP BY article_key;

CREATE OR REPLACE TEMP TABLE url_places AS
SELECT rowid AS place FROM urls
WHERE url_key IN (SELECT url_key FROM stage_fetches UNION SELECT url_key FROM stage_discoveries);

CREATE OR REPLACE TEMP TABLE prior_times AS
SELECT rowid AS place, url_key, outcome_at, last_seen_at, captured_at, article_at, fetched_at, first_seen_at, tries,
    attempts
FROM urls WHERE rowid IN (FROM url_places);

-- Of most of them what came is newer in everything, so that nothing but times and counts goes into the ledger's fold:
-- the other columns are read only where something else of the row stays.
CREATE OR REPLACE TEMP TABLE staying AS
SELECT p.place
FROM prior_times p
LEFT JOIN (
    SELECT url_key, max(ended_at) AS tried_at, max(ended_at) FILTER (capture_file IS NOT NULL) AS captured_at,
        max(ended_at) FILTER (article_key IS NOT NULL) AS article_at
    FROM stage_fetches GROUP BY url_key
) f USING (url_key)
LEFT JOIN (SELECT url_key, max(discovered_at) AS seen_at FROM stage_discoveries GROUP BY url_key) d USING (url_key)
WHERE coalesce(p.outcome_at >= coalesce(f.tried_at, p.outcome_at), false)
    OR coalesce(p.last_seen_at >= coalesce(d.seen_at, p.last_seen_at), false)
    OR coalesce(p.captured_at >= coalesce(f.captured_at, p.captured_at), false)
    OR coalesce(p.article_at >= coalesce(f.article_at, p.article_at), false);

SET VARIABLE any_stays = (SELECT count(*) > 0 FROM staying);

CREATE OR REPLACE TEMP TABLE prior_urls AS
SELECT p.* EXCLUDE (place), u.* EXCLUDE (place, url_key, outcome_at, last_seen_at, captured_at, article_at, fetched_at,
    first_seen_at, tries, attempts)
FROM prior_times p
LEFT JOIN (
    SELECT rowid AS place, * FROM urls WHERE getvariable('any_stays') AND rowid IN (FROM staying)
) u USING (place);

-- 3. The articles that are there. `late`: a sighting is not later than all that are known, so the article's history has
-- to be written anew. Rare: a segment that was repaired after later ones had been loaded.
CREATE OR REPLACE TEMP TABLE current_articles AS
SELECT p.*, f.own_seen, s.first_at <= f.last_at AS late
FROM prior_versions p JOIN seen s USING (article_key) JOIN prior_sightings f USING (article_key)
WHERE p.valid_to IS NULL;

CREATE OR REPLACE TEMP TABLE late AS SELECT article_key FROM current_articles WHERE late;

SET VARIABLE any_late = (SELECT count(*) > 0 FROM late);

CREATE OR REPLACE TEMP TABLE late_texts AS
SELECT * FROM article_versions WHERE getvariable('any_late') AND url_key IN (SELECT article_key FROM late);

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
FROM fetches WHERE getvariable('any_late') AND article_key IN (SELECT article_key FROM late);
