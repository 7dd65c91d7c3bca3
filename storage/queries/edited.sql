-- Which articles were edited most, and what changed?
WITH often AS (
    SELECT url_key, max(version) AS versions FROM article_versions WHERE version > 1 GROUP BY url_key
    ORDER BY versions DESC, url_key LIMIT 20
)
SELECT o.versions, h.site, last(h.headline ORDER BY h.version) AS headline, min(h.valid_from) AS first_fetched,
    max(h.valid_from) AS last_change, count(*) FILTER (h.headline_changed) AS headline_changes,
    sum(h.characters_more) AS characters_more, h.url_key
FROM often o JOIN article_history h USING (url_key)
GROUP BY o.versions, h.site, h.url_key
ORDER BY o.versions DESC, last_change DESC;
