-- Which captured pages are to be read again: all of each article or URL that is wanted, whenever they were fetched, so
-- that its whole history is read by the same extraction. Newest articles first, up to the limit.
CREATE OR REPLACE TEMP TABLE wanted AS
SELECT u.url_key, u.article_key
FROM store.urls u LEFT JOIN store.sites s USING (site),
    LATERAL (SELECT ((coalesce(u.date_published, u.published_hint, u.lastmod, u.first_seen_at) AT TIME ZONE 'UTC')
        AT TIME ZONE coalesce(s.time_zone, 'UTC'))::DATE AS day)
WHERE (len($sites::VARCHAR[]) = 0 OR list_contains($sites::VARCHAR[], u.site))
    AND ($first_day::DATE IS NULL OR day >= $first_day::DATE) AND ($last_day::DATE IS NULL OR day <= $last_day::DATE);
