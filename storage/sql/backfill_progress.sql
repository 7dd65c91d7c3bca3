-- How far is each chunk of the backfill $id, by what the ledger says now? Chunks that are finished stay as they are.
WITH backfill AS (
    SELECT *, coalesce(json_extract(parameters, '$.refetch')::BOOLEAN, false) AS refetch FROM backfills
    WHERE backfill_id = $id
), ended AS (
    SELECT b.site, b.day, u.fetched_at >= c.planned_at AS fetched, u.outcome,
        CASE WHEN u.outcome IS NULL OR o.open OR (f.refetch AND coalesce(u.outcome_at < c.planned_at, true)) THEN 'open'
            WHEN o.class = 'in_store' THEN 'in_store' ELSE 'rejected' END AS ending
    FROM backfill_urls b JOIN backfill f USING (backfill_id)
        JOIN backfill_chunks c ON c.backfill_id = b.backfill_id AND c.site = b.site AND c.day IS NOT DISTINCT FROM b.day
        LEFT JOIN urls u USING (url_key) LEFT JOIN outcomes o ON o.outcome = u.outcome
), counted AS (
    SELECT site, day, count(*) FILTER (fetched) AS fetched, count(*) FILTER (ending = 'in_store') AS in_store,
        count(*) FILTER (ending = 'rejected') AS rejected, count(*) FILTER (ending = 'open') AS open,
        mode(outcome) FILTER (ending = 'open' AND outcome <> 'pending') AS obstacle
    FROM ended GROUP BY site, day
), settled AS (
    SELECT c.*, coalesce(n.fetched, 0) AS n_fetched, coalesce(n.in_store, 0) AS n_in_store,
        coalesce(n.rejected, 0) AS n_rejected, coalesce(n.open, 0) AS n_open, obstacle
    FROM backfill_chunks c LEFT JOIN counted n ON n.site = c.site AND n.day IS NOT DISTINCT FROM c.day
    WHERE c.backfill_id = $id
)
SELECT site, day,
    CASE WHEN state IN ('finished', 'left_out') THEN state WHEN n_open = 0 AND whole THEN 'finished'
        WHEN n_open = 0 THEN 'incomplete' WHEN n_in_store + n_rejected > 0 THEN 'open' ELSE 'planned' END AS state,
    planned, known,
    CASE WHEN state IN ('finished', 'left_out') THEN fetched ELSE n_fetched END::INTEGER AS fetched,
    CASE WHEN state IN ('finished', 'left_out') THEN in_store ELSE n_in_store END::INTEGER AS in_store,
    CASE WHEN state IN ('finished', 'left_out') THEN rejected ELSE n_rejected END::INTEGER AS rejected,
    CASE WHEN state IN ('finished', 'left_out') THEN open ELSE n_open END::INTEGER AS open,
    whole, CASE WHEN n_open > 0 AND obstacle IS NOT NULL THEN 'most of what is open: ' || replace(obstacle, '_', ' ')
        WHEN NOT whole OR state IN ('finished', 'left_out') THEN reason END AS reason,
    planned_at
FROM settled ORDER BY site, day NULLS LAST
