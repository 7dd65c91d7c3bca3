-- 8. What was taken, and by which load. Captures of pages that say noarchive are dropped by the load that takes them:
-- the files themselves go when it is done (storage/retention.py).
INSERT INTO captures BY NAME
SELECT f.capture_file, any_value(f.run_id) AS run_id, any_value(f.segment) AS segment, count(*)::INTEGER AS pages,
    any_value(s.bytes) AS bytes, min(ended_at) AS first_at, max(ended_at) AS last_at,
    CASE WHEN regexp_matches(any_value(f.segment), '\.noarchive-\d+$') THEN getvariable('loaded_at')::TIMESTAMP END AS dropped_at,
    CASE WHEN regexp_matches(any_value(f.segment), '\.noarchive-\d+$') THEN 'noarchive: the pages asked that no copy be kept' END AS dropped_reason
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
