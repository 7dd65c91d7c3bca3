-- Which articles did the last load bring, new and changed?
SELECT a.site, CASE WHEN a.version = 1 THEN 'new'
    WHEN (a.extractor_version, a.learned_version, a.rules_version)
        IS DISTINCT FROM (p.extractor_version, p.learned_version, p.rules_version) THEN 'read otherwise'
    ELSE 'changed' END AS what, a.version, a.headline, a.date_published, a.valid_from, a.url
FROM articles a LEFT JOIN article_versions p ON p.url_key = a.url_key AND p.version = a.version - 1
WHERE a.run_id = (SELECT run_id FROM segments ORDER BY written_at DESC LIMIT 1)
ORDER BY a.valid_from DESC, a.url_key
LIMIT 100;
