-- How many articles did each site publish on each of the last 14 days (UTC)?
SELECT date_published::DATE AS day, site, count(*) AS articles, sum(characters)::BIGINT AS characters
FROM articles
WHERE date_published >= (SELECT max(date_published) FROM articles WHERE date_published <= date_first_seen) - INTERVAL 14 DAY
GROUP BY day, site
ORDER BY day DESC, articles DESC, site;
