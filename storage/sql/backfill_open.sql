-- Which URLs of the sites $sites has the backfill $id still to fetch, by what the ledger says now?
SELECT b.site, b.day, b.url_key, b.url, b.found_in, b.found_by, b.lastmod, b.published_hint, b.title_hint
FROM backfill_urls b JOIN backfills f USING (backfill_id)
    JOIN backfill_chunks c ON c.backfill_id = b.backfill_id AND c.site = b.site AND c.day IS NOT DISTINCT FROM b.day
    LEFT JOIN urls u USING (url_key) LEFT JOIN outcomes o ON o.outcome = u.outcome
WHERE b.backfill_id = $id AND list_contains($sites, b.site) AND c.state NOT IN ('finished', 'left_out')
    AND (u.outcome IS NULL OR o.open OR (coalesce(json_extract(f.parameters, '$.refetch')::BOOLEAN, false)
        AND coalesce(u.outcome_at < c.planned_at, true)))
ORDER BY b.day DESC NULLS LAST, b.site, b.url_key
