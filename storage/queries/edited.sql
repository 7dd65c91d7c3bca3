-- Which articles were edited most, and what changed?
WITH often AS (
    SELECT url_key, max(version) AS versions FROM article_versions WHERE version > 1 GROUP BY url_key
    ORDER BY versions DESC, url_key LIMIT 20
)
SELECT o.versions, v.site, last(v.headline ORDER BY v.version) AS headline, count(DISTINCT v.headline) AS headlines,
    min(v.valid_from) AS first_fetched, max(v.valid_from) AS last_change,
    last(v.characters ORDER BY v.version) - first(v.characters ORDER BY v.version) AS characters_more, v.url_key
FROM article_versions v JOIN often o USING (url_key)
GROUP BY o.versions, v.site, v.url_key
ORDER BY o.versions DESC, last_change DESC;
