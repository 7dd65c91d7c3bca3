-- What is known of the articles in the variable `linked` (a list of keys), and of those that their clusters began with,
-- in the order in which they were fetched: cluster or null, article, the article that the cluster began with, values of
-- the sketches of all its texts.
WITH linked AS (
    SELECT unnest(getvariable('linked')::VARCHAR[]) AS url_key
), clusters AS (
    SELECT cluster_id, coalesce(any_value(url_key) FILTER (url_key = cluster_id), arg_min(url_key, (joined_at, url_key))) AS began
    FROM story_members
    WHERE cluster_id IN (SELECT cluster_id FROM story_members WHERE url_key IN (FROM linked))
    GROUP BY cluster_id
), involved AS (
    FROM linked UNION SELECT began FROM clusters
)
SELECT m.cluster_id, i.url_key, c.began, coalesce(s.sketch, []) AS sketch
FROM involved i
LEFT JOIN story_members m USING (url_key)
LEFT JOIN clusters c USING (cluster_id)
LEFT JOIN (
    SELECT url_key, list_distinct(flatten(list(sketch))) AS sketch
    FROM text_sketches WHERE url_key IN (FROM involved) GROUP BY url_key
) s USING (url_key)
JOIN (
    SELECT url_key, min(valid_from) AS first_at
    FROM article_versions WHERE url_key IN (FROM involved) GROUP BY url_key
) f USING (url_key)
ORDER BY f.first_at, i.url_key;
