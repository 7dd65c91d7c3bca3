-- Which articles were edited most, and what changed?
WITH told AS (
    SELECT url_key, version > 1 AND (extractor_version, learned_version, rules_version) IS NOT DISTINCT FROM
        (lag(extractor_version) OVER one, lag(learned_version) OVER one, lag(rules_version) OVER one) AS edited
    FROM article_versions WHERE url_key IN (SELECT url_key FROM article_versions WHERE version > 1)
    WINDOW one AS (PARTITION BY url_key ORDER BY version)
), often AS (
    SELECT url_key, count(*) FILTER (edited) AS edits FROM told GROUP BY url_key HAVING edits > 0
    ORDER BY edits DESC, url_key LIMIT 20
)
SELECT o.edits, v.site, last(v.headline ORDER BY v.version) AS headline, count(DISTINCT v.headline) AS headlines,
    min(v.valid_from) AS first_fetched, max(v.valid_from) AS last_change,
    last(v.characters ORDER BY v.version) - first(v.characters ORDER BY v.version) AS characters_more, v.url_key
FROM article_versions v JOIN often o USING (url_key)
GROUP BY o.edits, v.site, v.url_key
ORDER BY o.edits DESC, last_change DESC;
