-- 5. Articles. Texts are read from the files only now, and only those that are stored.
UPDATE article_versions SET valid_to = v.valid_to
FROM (SELECT p.place, v.valid_to FROM versions v JOIN prior_versions p USING (article_key, version)
    WHERE v.anchor AND v.valid_to IS NOT NULL) v
WHERE article_versions.rowid = v.place;

INSERT INTO article_versions BY NAME
SELECT a.* EXCLUDE (run_id, segment, url_key, ended_at, article_key), length(a.article_body) AS characters,
    getvariable('load_number') AS load_number,
    v.article_key AS url_key, v.version, v.valid_from, v.valid_to, v.date_first_seen, v.requested_key, v.requested_url, v.run_id, v.rights, v.capture_file, v.capture_offset
FROM versions v
JOIN read_parquet(getvariable('articles'), union_by_name := true) a
    ON a.article_key = v.article_key AND a.url_key = v.requested_key AND a.ended_at = v.valid_from
    AND a.run_id = v.run_id AND a.segment = v.segment
WHERE NOT v.anchor AND NOT v.late;

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

-- 6. Facts are added.
INSERT INTO fetches BY NAME
SELECT f.* REPLACE (coalesce(t.outcome, f.outcome) AS outcome)
FROM stage_fetches f LEFT JOIN timeline t ON t.staged AND t.url_key = f.url_key AND t.ended_at = f.ended_at;

INSERT INTO discoveries BY NAME SELECT * FROM stage_discoveries;

INSERT INTO source_reads BY NAME SELECT * FROM read_parquet(getvariable('sources'));
