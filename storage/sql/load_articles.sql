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
