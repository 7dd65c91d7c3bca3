-- On which days did the extraction of a site suddenly change?
SELECT day, site, sudden_changes, pages, texts, characters, percent_articles, percent_dated, percent_authored
FROM quality
WHERE len(sudden_changes) > 0
ORDER BY day DESC, site
LIMIT 100;
