-- How complete is each site: of all URLs ever discovered, how many are in the store, open, or not to be had?
SELECT site, count(*) AS discovered,
    count(*) FILTER (class = 'in_store') AS in_store,
    count(*) FILTER (open) AS open,
    count(*) FILTER (class = 'not_article') AS not_article,
    count(*) FILTER (class NOT IN ('in_store', 'not_article') AND NOT open) AS not_to_be_had,
    round(100.0 * count(*) FILTER (class = 'in_store') / nullif(count(*) FILTER (class <> 'not_article'), 0), 1) AS percent
FROM urls JOIN outcomes USING (outcome)
GROUP BY site
ORDER BY percent, site;
