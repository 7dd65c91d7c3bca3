-- Shared by loads and re-extractions. Reads: stage_fetches, stage_discoveries, prior_urls and
-- url_places (what the ledger has of the same URLs), timeline, late.
-- 7. The ledger: the fold of what it held and of what came. Discovered counts from the latest discovery, tried from
-- the latest try, fetched from the latest answer, article from the latest page that was one.
CREATE OR REPLACE TEMP TABLE ledger AS
WITH came AS (
    SELECT f.url_key, f.ended_at AS tried_at, f.ended_at AS first_at, 1 AS tries, f.attempts,
        struct_pack(site := f.site, url := f.url, found_in := f.found_in, found_by := f.found_by, run_id := f.run_id,
            outcome := coalesce(t.outcome, f.outcome), reason := f.reason, status := f.status, final_url := f.final_url
        ) AS try,
        CASE WHEN f.capture_file IS NOT NULL OR f.outcome = 'unchanged' THEN f.ended_at END AS fetched_at,
        struct_pack(etag := f.etag, last_modified := f.last_modified) AS validators,
        CASE WHEN f.capture_file IS NOT NULL THEN f.ended_at END AS captured_at,
        struct_pack(file := f.capture_file, "offset" := f.capture_offset) AS capture,
        CASE WHEN f.article_key IS NOT NULL THEN f.ended_at END AS article_at,
        struct_pack("key" := f.article_key, date_published := f.date_published) AS article
    FROM stage_fetches f LEFT JOIN timeline t ON t.staged AND t.url_key = f.url_key AND t.ended_at = f.ended_at
    UNION ALL BY NAME
    SELECT url_key, discovered_at AS seen_at, discovered_at AS first_at,
        struct_pack(site := site, url := url, found_in := found_in, found_by := found_by, run_id := run_id,
            lastmod := lastmod, published_hint := published_hint, title_hint := title_hint) AS sight
    FROM stage_discoveries
    UNION ALL BY NAME
    SELECT url_key, last_seen_at AS seen_at, outcome_at AS tried_at, first_seen_at AS first_at, tries, attempts,
        struct_pack(site := site, url := url, found_in := found_in, found_by := found_by, run_id := run_id,
            outcome := last_outcome, reason := reason, status := status, final_url := final_url) AS try,
        struct_pack(site := site, url := url, found_in := found_in, found_by := found_by, run_id := run_id,
            lastmod := lastmod, published_hint := published_hint, title_hint := title_hint) AS sight,
        fetched_at, struct_pack(etag := etag, last_modified := last_modified) AS validators,
        captured_at, struct_pack(file := capture_file, "offset" := capture_offset) AS capture,
        article_at, struct_pack("key" := article_key, date_published := date_published) AS article
    FROM prior_urls
), folded AS (
    SELECT url_key, max(seen_at) AS seen_at, max(tried_at) AS tried_at, min(first_at) AS first_seen_at,
        coalesce(sum(tries), 0)::INTEGER AS tries, coalesce(sum(attempts), 0)::INTEGER AS attempts,
        arg_max(try, (tried_at, try.outcome)) FILTER (tried_at IS NOT NULL) AS try,
        arg_max(sight, (seen_at, sight.url)) FILTER (seen_at IS NOT NULL) AS sight,
        max(fetched_at) AS fetched_at, arg_max(validators, captured_at) AS validators,
        max(captured_at) AS captured_at, arg_max(capture, captured_at) AS capture,
        max(article_at) AS article_at, arg_max(article, article_at) AS article
    FROM came GROUP BY url_key
)
SELECT url_key, coalesce(sight.url, try.url) AS url, coalesce(sight.site, try.site) AS site,
    CASE WHEN tried_at IS NULL OR seen_at > tried_at THEN 'pending' ELSE try.outcome END AS outcome,
    tried_at AS outcome_at, try.outcome AS last_outcome, try.reason AS reason, try.status AS status, tries, attempts,
    try.final_url AS final_url, first_seen_at, seen_at AS last_seen_at,
    coalesce(sight.found_in, try.found_in) AS found_in, coalesce(sight.found_by, try.found_by) AS found_by,
    sight.lastmod AS lastmod, sight.published_hint AS published_hint, sight.title_hint AS title_hint,
    fetched_at, article."key" AS article_key, article_at, article.date_published AS date_published,
    validators.etag AS etag, validators.last_modified AS last_modified,
    captured_at, capture.file AS capture_file, capture."offset" AS capture_offset,
    CASE WHEN try.outcome IN ('loaded', 'unchanged') THEN next_visit(
        least(coalesce(article.date_published, first_seen_at), first_seen_at), fetched_at)
        -- A page that we failed to read is fetched again on the same days: five times at most.
        WHEN try.outcome IN ('extraction_failed', 'extraction_timeout') THEN next_visit(first_seen_at, tried_at)
        END AS next_visit,
    CASE WHEN tried_at IS NULL THEN sight.run_id ELSE try.run_id END AS run_id
FROM folded;

DELETE FROM urls WHERE rowid IN (FROM url_places);

INSERT INTO urls BY NAME SELECT * FROM ledger;

UPDATE urls SET last_outcome = t.outcome, outcome = CASE WHEN urls.outcome = 'pending' THEN 'pending' ELSE t.outcome END,
    next_visit = CASE WHEN t.outcome <> 'duplicate' THEN next_visit(
        least(coalesce(urls.date_published, urls.first_seen_at), urls.first_seen_at), urls.fetched_at) END
FROM timeline t
WHERE NOT t.staged AND NOT t.anchor AND urls.article_key IN (SELECT article_key FROM late)
    AND urls.url_key = t.url_key AND urls.outcome_at = t.ended_at AND urls.last_outcome <> t.outcome;
