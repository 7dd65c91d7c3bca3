-- What did the run $run_id come to, site by site?
WITH ended AS (
    SELECT site, map_from_entries(list((outcome, urls))) AS outcomes
    FROM run_outcomes WHERE run_id = $run_id GROUP BY site
), fetched AS (
    SELECT site, count(*) AS fetched, count(article_key) AS extracted
    FROM fetches WHERE run_id = $run_id AND capture_file IS NOT NULL GROUP BY site
), written AS (
    SELECT site, count(*) FILTER (version = 1) AS new, count(*) FILTER (version > 1) AS versions
    FROM article_versions WHERE run_id = $run_id GROUP BY site
), usual AS (
    SELECT site, url, median(entries) AS usual, count(*) AS readings
    FROM source_reads WHERE run_id <> $run_id AND outcome = 'ok'
        AND read_at < (SELECT min(read_at) FROM source_reads WHERE run_id = $run_id)
    GROUP BY site, url
), troubles AS (
    SELECT site, list(found_by || ' ' || url || ': ' || coalesce(sudden, reason, bounded, outcome) ORDER BY read_at)[:10] AS problems
    FROM (
        SELECT r.*, sudden_change(entries, usual, readings) AS sudden
        FROM source_reads r LEFT JOIN usual USING (site, url) WHERE run_id = $run_id
    ) WHERE outcome <> 'ok' OR bounded IS NOT NULL OR sudden IS NOT NULL GROUP BY site
), read AS (
    SELECT site, count(*) FILTER (outcome = 'ok') AS sources_read FROM source_reads WHERE run_id = $run_id GROUP BY site
)
SELECT site, outcomes, coalesce(fetched, 0), coalesce(extracted, 0), coalesce(new, 0), coalesce(versions, 0), problems,
    coalesce(sources_read, 0)
FROM ended FULL JOIN fetched USING (site) FULL JOIN written USING (site) FULL JOIN troubles USING (site)
    FULL JOIN read USING (site);
