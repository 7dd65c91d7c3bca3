-- Which articles did the last load bring, new and changed?
SELECT site, CASE version WHEN 1 THEN 'new' ELSE 'changed' END AS what, version, headline, date_published, valid_from, url
FROM articles
WHERE run_id = (SELECT run_id FROM segments ORDER BY written_at DESC LIMIT 1)
ORDER BY valid_from DESC, url_key
LIMIT 100;
