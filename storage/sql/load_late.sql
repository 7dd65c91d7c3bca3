-- 6b. Histories that are written anew, after what came was added; only where there are any (`late`): each statement reads
-- a large table, or all the files.
DELETE FROM article_versions WHERE url_key IN (SELECT article_key FROM late);

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

DELETE FROM removed_blocks WHERE url_key IN (SELECT article_key FROM late)
    AND (url_key, content_hash) NOT IN (SELECT (article_key, content_hash) FROM versions WHERE late);

UPDATE fetches SET outcome = t.outcome
FROM timeline t
WHERE NOT t.staged AND NOT t.anchor AND fetches.article_key IN (SELECT article_key FROM late)
    AND fetches.url_key = t.url_key AND fetches.ended_at = t.ended_at AND fetches.outcome <> t.outcome;
