-- How did the stories that most sites have spread over them in time?
WITH told AS MATERIALIZED (
    SELECT cluster_id, site, headline, date_published, date_first_seen, similarity, is_original FROM story_articles
), widest AS (
    SELECT cluster_id, count(DISTINCT site) AS sites, any_value(headline) FILTER (is_original) AS headline, min(date_first_seen) AS first_seen_at
    FROM told GROUP BY cluster_id HAVING sites > 1 ORDER BY sites DESC, first_seen_at DESC, cluster_id LIMIT 20
), steps AS (
    SELECT cluster_id, site, min(coalesce(date_published, date_first_seen)) AS at, min(similarity) AS similarity
    FROM told WHERE cluster_id IN (SELECT cluster_id FROM widest) GROUP BY cluster_id, site
)
SELECT w.sites, w.headline, s.site, s.at,
    round(date_diff('minute', min(s.at) OVER (PARTITION BY s.cluster_id), s.at) / 60, 1) AS hours_later, s.similarity
FROM steps s JOIN widest w USING (cluster_id)
ORDER BY w.sites DESC, w.first_seen_at DESC, s.cluster_id, s.at, s.site;
