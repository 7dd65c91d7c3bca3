-- Which feeds and sitemaps fail, or name far fewer URLs than usual?
SELECT site, url, found_by, outcome, reason, entries, usual_entries, last_read_at, last_ok_at, bounded
FROM sources
WHERE outcome <> 'ok' OR entries < usual_entries / 4 OR bounded IS NOT NULL
ORDER BY site, url;
