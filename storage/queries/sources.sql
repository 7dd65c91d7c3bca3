-- Which feeds and sitemaps fail, or name far fewer or far more URLs than usual?
SELECT site, url, found_by, outcome, reason, entries, usual_entries, last_read_at, last_ok_at, bounded, sudden_change
FROM sources
WHERE outcome <> 'ok' OR entries < usual_entries / 4 OR bounded IS NOT NULL OR sudden_change IS NOT NULL
ORDER BY site, url;
