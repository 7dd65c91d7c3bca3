-- Which articles did the last load bring, new and changed?
WITH came AS (
    SELECT url_key, site, version, headline, date_published, valid_from, url, extractor_version, learned_version, rules_version
    FROM articles WHERE run_id = (SELECT run_id FROM segments ORDER BY written_at DESC LIMIT 1)
    ORDER BY valid_from DESC, url_key LIMIT 100
)
SELECT a.site, CASE WHEN a.version = 1 THEN 'new'
    WHEN (a.extractor_version, a.learned_version, a.rules_version)
        IS DISTINCT FROM (p.extractor_version, p.learned_version, p.rules_version) THEN 'read otherwise'
    ELSE 'changed' END AS what, a.version, a.headline, a.date_published, a.valid_from, a.url
FROM came a LEFT JOIN article_versions p ON p.url_key = a.url_key AND p.version = a.version - 1
ORDER BY a.valid_from DESC, a.url_key;
