-- What did sites say about the use of their articles, and how many does it concern?
SELECT site, coalesce(rights, 'nothing said') AS said, count(*) AS articles, max(valid_from) AS last_fetched
FROM articles
GROUP BY site, said
ORDER BY site, articles DESC;
