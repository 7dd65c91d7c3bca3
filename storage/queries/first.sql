-- Who publishes first, and how long after do the others have it?
WITH told AS MATERIALIZED (SELECT cluster_id, site, date_published, similarity, is_original FROM story_articles)
SELECT o.site AS first, c.site AS later, count(DISTINCT cluster_id) AS stories,
    round(median(date_diff('minute', o.date_published, c.date_published)) / 60, 1) AS median_hours_later,
    round(avg(c.similarity), 2) AS similarity
FROM told o JOIN told c USING (cluster_id)
WHERE o.is_original AND c.site <> o.site
GROUP BY ALL ORDER BY stories DESC, first, later LIMIT 100;
