-- What did the newest articles say a day before the last, and were they still there?
WITH newest AS (
    SELECT url_key, site, headline, version, valid_from, valid_to, url
    FROM article_as_of((SELECT max(valid_from) - INTERVAL 1 DAY FROM article_versions)) ORDER BY valid_from DESC LIMIT 100
)
SELECT a.site, a.headline, a.version, a.valid_from, a.valid_to AS said_otherwise_from, w.withdrawn_at, a.url
FROM newest a LEFT JOIN withdrawals w USING (url_key)
ORDER BY a.valid_from DESC;
