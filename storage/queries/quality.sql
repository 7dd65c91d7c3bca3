-- How good is the extraction of each site: what do articles lack, by month of first fetch?
SELECT date_trunc('month', date_first_seen)::DATE AS month, site, count(*) AS articles,
    round(avg(characters)) AS characters,
    round(100.0 * count(*) FILTER (headline IS NULL) / count(*), 1) AS percent_no_headline,
    round(100.0 * count(*) FILTER (len(authors) = 0) / count(*), 1) AS percent_no_author,
    round(100.0 * count(*) FILTER (date_published IS NULL) / count(*), 1) AS percent_no_date,
    round(100.0 * count(*) FILTER (len(flags) > 0) / count(*), 1) AS percent_doubtful
FROM articles
GROUP BY month, site
ORDER BY month DESC, articles DESC, site;
