-- How good was the extraction of each site on the last 14 days it was read, and what changed suddenly?
SELECT day, site, pages, articles, texts, characters, percent_articles, percent_titled, percent_dated, percent_authored,
    percent_doubtful, sudden_changes
FROM quality
WHERE day > (SELECT max(ended_at) FROM fetches)::DATE - 14
ORDER BY len(sudden_changes) DESC, day DESC, site;
