-- New readings, part 3: the fetches with what their pages came to, the articles, what was removed from them, and the
-- facts that the ledger is told anew from.
CREATE OR REPLACE TEMP TABLE new_fetches AS
SELECT f.* REPLACE (coalesce(t.outcome, c.outcome, f.outcome) AS outcome,
    CASE WHEN c.url_key IS NULL THEN f.reason ELSE c.reason END AS reason,
    CASE WHEN c.url_key IS NULL THEN f.article_key ELSE c.article_key END AS article_key,
    CASE WHEN c.url_key IS NULL THEN f.content_hash ELSE c.content_hash END AS content_hash,
    CASE WHEN c.url_key IS NULL THEN f.date_published ELSE c.date_published END AS date_published,
    CASE WHEN c.url_key IS NULL THEN f.reextraction_id ELSE c.reextraction_id END AS reextraction_id)
FROM fetches f
LEFT JOIN changes c USING (url_key, ended_at)
LEFT JOIN timeline t ON t.url_key = f.url_key AND t.ended_at = f.ended_at
WHERE c.url_key IS NOT NULL OR t.url_key IS NOT NULL;

DELETE FROM fetches WHERE (url_key, ended_at) IN (SELECT (url_key, ended_at) FROM new_fetches);

INSERT INTO fetches BY NAME SELECT * FROM new_fetches;

CREATE OR REPLACE TEMP TABLE kept_texts AS
SELECT v.* FROM article_versions v JOIN (SELECT DISTINCT article_key, old_version FROM chosen WHERE NOT fresh) c
    ON c.article_key = v.url_key AND c.old_version = v.version;

DELETE FROM article_versions WHERE url_key IN (SELECT article_key FROM touched);

INSERT INTO article_versions BY NAME
SELECT a.* EXCLUDE (run_id, segment, url_key, ended_at, article_key), length(a.article_body) AS characters,
    getvariable('load_number') AS load_number, c.article_key AS url_key, c.version, c.valid_from, c.valid_to,
    c.date_first_seen, c.requested_key, c.requested_url, c.run_id, c.rights, c.capture_file, c.capture_offset
FROM chosen c JOIN reread_articles a
    ON a.article_key = c.article_key AND a.url_key = c.text_key AND a.ended_at = c.text_at
WHERE c.fresh;

INSERT INTO article_versions BY NAME
SELECT k.* REPLACE (getvariable('load_number') AS load_number, c.version AS version, c.valid_from AS valid_from,
    c.valid_to AS valid_to, c.date_first_seen AS date_first_seen, c.requested_key AS requested_key,
    c.requested_url AS requested_url, c.run_id AS run_id, c.rights AS rights, c.capture_file AS capture_file,
    c.capture_offset AS capture_offset)
FROM chosen c JOIN kept_texts k ON k.url_key = c.article_key AND k.version = c.old_version
WHERE NOT c.fresh;

DELETE FROM removed_blocks
WHERE url_key IN (SELECT article_key FROM touched)
    AND (url_key, content_hash) NOT IN (SELECT (article_key, content_hash) FROM chosen WHERE NOT fresh);

INSERT INTO removed_blocks BY NAME
SELECT r.site, c.article_key AS url_key, r.content_hash, r.kind, r.rule, r.text, r."position"
FROM (SELECT DISTINCT ON (article_key, content_hash) * FROM chosen WHERE fresh ORDER BY version) c
JOIN reread_removed r ON r.article_key = c.article_key AND r.content_hash = c.content_hash
    AND r.url_key = c.text_key AND r.ended_at = c.text_at;

INSERT INTO departures BY NAME
SELECT DISTINCT article_key AS url_key, getvariable('load_number') AS load_number
FROM prior_versions WHERE article_key NOT IN (SELECT article_key FROM versions);

-- Stories: texts are sketched anew, and articles that are none any more leave their clusters.
DELETE FROM text_sketches WHERE url_key IN (SELECT article_key FROM touched);

DELETE FROM story_members
WHERE url_key IN (SELECT url_key FROM departures WHERE load_number = getvariable('load_number'));

CREATE OR REPLACE TEMP TABLE stage_fetches AS
SELECT * FROM fetches WHERE url_key IN (SELECT url_key FROM new_fetches);

CREATE OR REPLACE TEMP TABLE stage_discoveries AS
SELECT * FROM discoveries WHERE url_key IN (SELECT url_key FROM new_fetches);

CREATE OR REPLACE TEMP TABLE prior_urls AS SELECT * FROM urls LIMIT 0;

CREATE OR REPLACE TEMP TABLE url_places AS
SELECT rowid AS place FROM urls
WHERE url_key IN (SELECT url_key FROM stage_fetches UNION SELECT url_key FROM stage_discoveries);

INSERT INTO loads BY NAME
SELECT getvariable('load_id') AS load_id, getvariable('load_number') AS number,
    getvariable('loaded_at')::TIMESTAMP AS loaded_at, 0 AS segments, 0 AS fetches,
    (SELECT count(DISTINCT article_key) FROM versions WHERE article_key NOT IN (SELECT article_key FROM prior_versions)
    )::INTEGER AS new_articles, 0 AS new_versions;
