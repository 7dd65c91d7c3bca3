CREATE OR REPLACE TEMP TABLE plan AS
WITH pages AS (
    SELECT f.site, f.url, f.url_key, f.ended_at, f.run_id, f.segment, f.capture_file, f.capture_offset,
        c.dropped_at IS NOT NULL AS dropped, coalesce(f.article_key, f.url_key) AS whole
    FROM store.fetches f LEFT JOIN store.captures c USING (capture_file)
    WHERE f.capture_file IS NOT NULL AND (f.url_key IN (SELECT url_key FROM wanted)
        OR f.article_key IN (SELECT article_key FROM wanted WHERE article_key IS NOT NULL))
), wholes AS (
    SELECT whole, sum(count(*)) OVER (ORDER BY max(ended_at) DESC, whole) AS so_far FROM pages GROUP BY whole
)
SELECT p.* EXCLUDE (whole) FROM pages p JOIN wholes w USING (whole)
WHERE getvariable('limit_pages') IS NULL OR w.so_far <= getvariable('limit_pages')
ORDER BY capture_file, capture_offset;
