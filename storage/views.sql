-- Views and macros: what people query. Written anew into a store whenever this file changes, so they never need a
-- migration; they travel with every copy of the file.

CREATE OR REPLACE MACRO next_visit(base, fetched) AS list_min(list_filter(
    [base + INTERVAL 1 HOUR, base + INTERVAL 6 HOUR, base + INTERVAL 1 DAY, base + INTERVAL 3 DAY, base + INTERVAL 7 DAY],
    lambda visit: visit > fetched));
COMMENT ON MACRO next_visit IS 'When to look again at an article of that date of birth (UTC) that was last fetched then: at 1 h, 6 h, 1, 3 and 7 days of age; null when it is older.';

CREATE OR REPLACE MACRO may_train(rights, robots) AS CASE
    WHEN regexp_matches(json_extract_string(rights, '$.content_signal'), 'ai-train\s*=\s*no', 'i')
        OR regexp_matches(json_extract_string(rights, '$.content_usage'), 'train-ai\s*=\s*n', 'i')
        OR regexp_matches(json_extract_string(rights, '$.x_robots_tag'), '\b(noai|noindex|none)\b', 'i')
        OR regexp_matches(json_extract_string(rights, '$.robots_meta'), '\b(noai|noindex|none)\b', 'i')
        OR trim(json_extract_string(rights, '$.tdm_reservation')) = '1'
        OR json_extract_string(rights, '$.licence') IS NOT NULL AND coalesce(json_extract_string(rights, '$.licence_train'), '') <> 'yes'
        OR list_has_any(robots, ['noai', 'noindex', 'none']) THEN false
    WHEN regexp_matches(json_extract_string(rights, '$.content_signal'), 'ai-train\s*=\s*yes', 'i')
        OR regexp_matches(json_extract_string(rights, '$.content_usage'), 'train-ai\s*=\s*y', 'i')
        OR trim(json_extract_string(rights, '$.tdm_reservation')) = '0'
        OR json_extract_string(rights, '$.licence_train') = 'yes' THEN true END;
COMMENT ON MACRO may_train IS 'may_train(rights, robots): false if the site reserved training on its text (Content-Signal, Content-Usage, X-Robots-Tag, robots meta, TDMRep, a licence that does not give it for nothing or could not be read), true if it allowed it, null if it said nothing. What was said, not what is lawful.';

CREATE OR REPLACE MACRO may_search(rights, robots) AS CASE
    WHEN regexp_matches(json_extract_string(rights, '$.content_signal'), 'search\s*=\s*no', 'i')
        OR regexp_matches(json_extract_string(rights, '$.content_usage'), 'search\s*=\s*n', 'i')
        OR regexp_matches(json_extract_string(rights, '$.x_robots_tag'), '\b(noindex|none)\b', 'i')
        OR regexp_matches(json_extract_string(rights, '$.robots_meta'), '\b(noindex|none)\b', 'i')
        OR json_extract_string(rights, '$.licence_search') <> 'yes'
        OR list_has_any(robots, ['noindex', 'none']) THEN false
    WHEN regexp_matches(json_extract_string(rights, '$.content_signal'), 'search\s*=\s*yes', 'i')
        OR regexp_matches(json_extract_string(rights, '$.content_usage'), 'search\s*=\s*y', 'i')
        OR json_extract_string(rights, '$.licence_search') = 'yes' THEN true END;
COMMENT ON MACRO may_search IS 'may_search(rights, robots): false if the site does not let its text be found by search (Content-Signal, Content-Usage, robots, a licence that does not give it for nothing), true if it does, null if it said nothing.';

CREATE OR REPLACE VIEW articles AS
SELECT * EXCLUDE (valid_to), valid_from AS date_downloaded, may_train(rights, robots) AS may_train,
    may_search(rights, robots) AS may_search
FROM article_versions WHERE valid_to IS NULL;
COMMENT ON COLUMN articles.may_train IS 'What the site said of training on its text when it was fetched: false reserved, true allowed, null nothing.';
COMMENT ON COLUMN articles.may_search IS 'What the site said of its text being found by search when it was fetched: false no, true yes, null nothing.';
COMMENT ON COLUMN articles.date_downloaded IS 'When this version was first fetched, UTC (valid_from by its usual name).';
COMMENT ON VIEW articles IS 'Articles as they are now: the current version of each, one row an article.';

CREATE OR REPLACE VIEW rights AS
SELECT run_id, site, url_key, url, ended_at, outcome,
    json_extract_string(rights, '$.content_signal') AS content_signal,
    json_extract_string(rights, '$.content_usage') AS content_usage,
    json_extract_string(rights, '$.tdm_reservation') AS tdm_reservation,
    json_extract_string(rights, '$.tdm_policy') AS tdm_policy,
    nullif(concat_ws(', ', json_extract_string(rights, '$.x_robots_tag'), json_extract_string(rights, '$.robots_meta')), '') AS robots,
    json_extract_string(rights, '$.licence') AS licence,
    json_extract_string(rights, '$.licence_terms') AS licence_terms,
    may_train(rights, []) AS may_train, may_search(rights, []) AS may_search
FROM fetches WHERE rights IS NOT NULL;
COMMENT ON VIEW rights IS 'What sites said of the use of their pages, one row a fetch that they said anything with.';
COMMENT ON COLUMN rights.content_signal IS 'Content-Signal of robots.txt or the response (contentsignals.org).';
COMMENT ON COLUMN rights.content_usage IS 'Content-Usage of robots.txt or the response (IETF AI preferences).';
COMMENT ON COLUMN rights.tdm_reservation IS 'TDM reservation by the page''s meta, else its response, else /.well-known/tdmrep.json: 1 reserved, 0 not.';
COMMENT ON COLUMN rights.tdm_policy IS 'URL of the policy that goes with it.';
COMMENT ON COLUMN rights.robots IS 'Directives of X-Robots-Tag and robots meta, as noai or noarchive.';
COMMENT ON COLUMN rights.licence IS 'URL of the RSL licence that holds for the page: its own, else that of robots.txt.';
COMMENT ON COLUMN rights.licence_terms IS 'What that licence permits, prohibits and asks for, in words; why it could not be read.';
COMMENT ON COLUMN rights.may_train IS 'As articles.may_train.';
COMMENT ON COLUMN rights.may_search IS 'As articles.may_search.';

CREATE OR REPLACE MACRO article_as_of(t) AS TABLE
SELECT * FROM article_versions WHERE valid_from <= t AND (valid_to IS NULL OR valid_to > t);
COMMENT ON MACRO TABLE article_as_of IS 'article_as_of(t): articles as they were known at a time t (TIMESTAMP, UTC), one row an article.';

CREATE OR REPLACE VIEW article_history AS
SELECT url_key, site, url, version, valid_from, valid_to, headline, date_published, date_modified, characters,
    characters - lag(characters) OVER one AS characters_more,
    headline IS DISTINCT FROM lag(headline) OVER one AND version > 1 AS headline_changed,
    version > 1 AND (extractor_version, learned_version, rules_version) IS DISTINCT FROM
        (lag(extractor_version) OVER one, lag(learned_version) OVER one, lag(rules_version) OVER one) AS reading_changed
FROM article_versions WINDOW one AS (PARTITION BY url_key ORDER BY version);
COMMENT ON VIEW article_history IS 'Versions of articles and what changed from one to the next, one row a version.';
COMMENT ON COLUMN article_history.characters_more IS 'Characters more than in the version before; negative if fewer.';
COMMENT ON COLUMN article_history.reading_changed IS 'Whether the page was read by another version of the extraction, with other rules of the site or other learned lines than the version before: the difference may then be ours. nightdesk reextract reads both alike.';
COMMENT ON COLUMN article_history.headline_changed IS 'Whether the headline differs from that of the version before.';

CREATE OR REPLACE VIEW withdrawals AS
SELECT a.url_key, a.site, a.url, a.headline, a.date_published, u.fetched_at AS last_seen_at,
    min(f.ended_at) AS withdrawn_at, arg_min(f.status, f.ended_at) AS status
FROM fetches f JOIN urls u ON u.url_key = f.url_key AND f.ended_at > u.fetched_at JOIN articles a ON a.requested_key = u.url_key
WHERE f.outcome = 'gone' GROUP BY ALL;
COMMENT ON VIEW withdrawals IS 'Articles that their site has deleted since they were fetched, one row an article. One that came back is none.';
COMMENT ON COLUMN withdrawals.last_seen_at IS 'When the server last gave the page, or said that it is unchanged, UTC.';
COMMENT ON COLUMN withdrawals.withdrawn_at IS 'When it was first answered with 404 or 410 after that, UTC: deleted between the two.';
COMMENT ON COLUMN withdrawals.status IS 'That answer.';

CREATE OR REPLACE VIEW article_blocks AS
SELECT url_key, version, valid_to IS NULL AS current, site, b."position", b.kind, b."level", b."time",
    substring(article_body, b."start" + 1, b.length) AS text
FROM (SELECT * EXCLUDE (blocks), unnest(blocks) AS b FROM article_versions);
COMMENT ON VIEW article_blocks IS 'Blocks of articles with their text, one row a block of a version.';
COMMENT ON COLUMN article_blocks.current IS 'Whether the version is the current one.';
COMMENT ON COLUMN article_blocks."position" IS 'Place among all blocks of the page, those removed too.';
COMMENT ON COLUMN article_blocks.kind IS 'paragraph, subhead, quote, list_item, table, live_post or code.';
COMMENT ON COLUMN article_blocks."level" IS '1-6 of a subhead, depth of a list item, else 0.';
COMMENT ON COLUMN article_blocks."time" IS 'Time of a live post, UTC.';
COMMENT ON COLUMN article_blocks.text IS 'The block''s text.';

CREATE OR REPLACE MACRO sudden_change(entries, usual, readings) AS CASE
    WHEN readings < 3 OR usual < 5 THEN NULL
    WHEN entries = 0 THEN format('names nothing, where it usually names {:.0f} URLs', usual)
    WHEN entries >= 10 * usual THEN format('names {} URLs, where it usually names {:.0f}', entries, usual) END;
COMMENT ON MACRO sudden_change IS 'sudden_change(entries, usual, readings): what is odd about a source that names nothing, or ten times what it usually names; null if nothing is, or after fewer than three earlier readings.';

CREATE OR REPLACE VIEW sources AS
SELECT site, url, last(found_by ORDER BY read_at) AS found_by, min(read_at) AS first_read_at,
    max(read_at) AS last_read_at, count(*) AS readings, max(read_at) FILTER (outcome = 'ok') AS last_ok_at,
    last(status ORDER BY read_at) AS status, last(outcome ORDER BY read_at) AS outcome,
    last(reason ORDER BY read_at) AS reason, last(entries ORDER BY read_at) AS entries,
    round(median(entries) FILTER (outcome = 'ok'), 1) AS usual_entries, last(new ORDER BY read_at) AS new,
    last(bounded ORDER BY read_at) AS bounded,
    sudden_change(last(entries ORDER BY read_at), median(entries) FILTER (outcome = 'ok'),
        count(*) FILTER (outcome = 'ok') - 1) AS sudden_change
FROM source_reads WHERE found_by NOT IN ('warc', 'cdx') GROUP BY site, url;
COMMENT ON VIEW sources IS 'Feeds, sitemaps and section pages with the state of the last reading, one row a source.';
COMMENT ON COLUMN sources.found_by IS 'feed, news_sitemap, sitemap or section.';
COMMENT ON COLUMN sources.first_read_at IS 'First reading, UTC.';
COMMENT ON COLUMN sources.last_read_at IS 'Last reading, UTC.';
COMMENT ON COLUMN sources.readings IS 'How often it was read.';
COMMENT ON COLUMN sources.last_ok_at IS 'Last reading that worked, UTC.';
COMMENT ON COLUMN sources.usual_entries IS 'Median of the URLs it named.';
COMMENT ON COLUMN sources.sudden_change IS 'What is odd about the last reading: nothing named, or ten times the usual; null if nothing is.';

CREATE OR REPLACE VIEW outcomes AS
SELECT outcome, class, outcome IN ('pending', 'deferred', 'over_limit', 'robots_unreachable', 'rate_limited',
    'server_error', 'timeout', 'connection_failed', 'dns_failed', 'truncated', 'capture_damaged') AS open
FROM (VALUES
    ('pending', 'not_tried'), ('deferred', 'not_tried'), ('over_limit', 'not_tried'),
    ('loaded', 'in_store'), ('unchanged', 'in_store'), ('duplicate', 'in_store'),
    ('index', 'not_article'), ('live', 'not_article'), ('gallery', 'not_article'), ('teaser', 'not_article'),
    ('consent_wall', 'not_article'), ('paywall', 'not_article'), ('error_page', 'not_article'),
    ('script_only', 'not_article'), ('empty', 'not_article'), ('not_html', 'not_article'),
    ('truncated', 'not_readable'), ('undecodable', 'not_readable'), ('too_large', 'not_readable'),
    ('extraction_timeout', 'not_readable'), ('extraction_failed', 'not_readable'), ('capture_damaged', 'not_readable'),
    ('bad_url', 'not_allowed'), ('refused_scheme', 'not_allowed'), ('refused_address', 'not_allowed'),
    ('off_site', 'not_allowed'), ('excluded', 'not_allowed'), ('robots', 'not_allowed'), ('robots_unreachable', 'not_allowed'),
    ('noindex', 'not_allowed'), ('licence_required', 'not_allowed'), ('taken_down', 'not_allowed'),
    ('gone', 'not_given'), ('blocked', 'not_given'), ('rate_limited', 'not_given'), ('http_error', 'not_given'),
    ('server_error', 'not_given'), ('redirect_limit', 'not_given'), ('redirected_home', 'not_given'),
    ('timeout', 'not_reached'), ('connection_failed', 'not_reached'), ('dns_failed', 'not_reached'),
    ('tls_failed', 'not_reached')
) t(outcome, class);
COMMENT ON VIEW outcomes IS 'The vocabulary of outcomes, one row a word.';
COMMENT ON COLUMN outcomes.outcome IS 'The word, as in urls.outcome and fetches.outcome.';
COMMENT ON COLUMN outcomes.class IS 'in_store, or why not: not_tried, not_article, not_readable (bytes), not_allowed (rules), not_given (the site''s answer), not_reached (the wire).';
COMMENT ON COLUMN outcomes.open IS 'Whether the next crawl tries such a URL again.';

CREATE OR REPLACE VIEW missed AS
SELECT u.site, u.outcome, o.class, o.open, coalesce(u.reason, u.outcome) AS reason, u.url, u.title_hint, u.published_hint,
    u.first_seen_at, u.outcome_at, u.status, u.tries, u.capture_file, u.capture_offset, u.run_id, u.url_key
FROM urls u LEFT JOIN outcomes o USING (outcome)
WHERE o.class IS DISTINCT FROM 'in_store';
COMMENT ON VIEW missed IS 'URLs that are not in the store, and why, one row a URL. With those that are (class in_store) they sum to all of urls.';
COMMENT ON COLUMN missed.class IS 'Class of the outcome, as in outcomes.';
COMMENT ON COLUMN missed.open IS 'Whether the next crawl tries it again.';
COMMENT ON COLUMN missed.reason IS 'Why, in a sentence.';

CREATE OR REPLACE VIEW coverage AS
WITH named AS (
    SELECT u.site, u.outcome, u.fetched_at, u.found_by, true AS discovered,
        ((coalesce(u.date_published, u.published_hint, u.lastmod, u.first_seen_at) AT TIME ZONE 'UTC')
            AT TIME ZONE coalesce(s.time_zone, 'UTC'))::DATE AS day
    FROM urls u LEFT JOIN sites s USING (site)
    UNION ALL BY NAME
    SELECT site, found_by, false AS discovered, day FROM (
        SELECT DISTINCT ON (url_key) * FROM backfill_urls ANTI JOIN urls USING (url_key) WHERE day IS NOT NULL)
)
SELECT site, day, count(*) FILTER (found_by IN ('feed', 'news_sitemap', 'sitemap', 'section', 'pending')) AS expected,
    count(*) FILTER (discovered) AS discovered, count(*) FILTER (fetched_at IS NOT NULL) AS fetched,
    count(*) FILTER (o.class = 'in_store') AS in_store, count(*) FILTER (o.class = 'not_article') AS not_article,
    count(*) FILTER (o.open) AS open,
    count(*) FILTER (o.class NOT IN ('in_store', 'not_article') AND NOT o.open) AS not_to_be_had,
    count(*) FILTER (NOT discovered OR o.open) AS missing,
    coalesce(histogram(outcome) FILTER (o.class <> 'in_store' AND NOT o.open), MAP {}) AS rejected
FROM named LEFT JOIN outcomes o USING (outcome)
GROUP BY site, day;
COMMENT ON VIEW coverage IS 'What is known of each day of each site: discovered = in_store + not_article + open + not_to_be_had, and missing of those and of what backfills have planned.';
COMMENT ON COLUMN coverage.day IS 'Day in the site''s time zone: of publication as the page said, else as the source said, else of discovery.';
COMMENT ON COLUMN coverage.expected IS 'URLs of that day that the site''s own feeds, sitemaps and section pages named, those that backfills have planned included.';
COMMENT ON COLUMN coverage.discovered IS 'URLs of that day in the ledger.';
COMMENT ON COLUMN coverage.fetched IS 'Of those, ever answered by the server.';
COMMENT ON COLUMN coverage.in_store IS 'Of those, articles in the store.';
COMMENT ON COLUMN coverage.not_article IS 'Of those, pages that are no articles.';
COMMENT ON COLUMN coverage.open IS 'Of those, to be tried by the next crawl.';
COMMENT ON COLUMN coverage.not_to_be_had IS 'Of those, the rest: refused, gone, unreadable, …';
COMMENT ON COLUMN coverage.missing IS 'URLs that were not tried yet or are to be tried again: the open ones, and those that a backfill has planned and not fetched.';
COMMENT ON COLUMN coverage.rejected IS 'Of those discovered, how many ended with which outcome that is final and not in the store.';

CREATE OR REPLACE VIEW gaps AS
WITH spans AS (
    SELECT site, unnest(generate_series(min(day), max(day), INTERVAL 1 DAY))::DATE AS day,
        median(in_store) FILTER (in_store > 0) AS usual
    FROM coverage WHERE in_store > 0 GROUP BY site
), silent AS (
    SELECT DISTINCT site, day FROM backfill_chunks WHERE state = 'finished' AND planned = 0
)
SELECT site, day, coalesce(c.discovered, 0) AS discovered, coalesce(c.open, 0) AS open,
    coalesce(c.missing, 0) AS missing, p.usual AS usually_in_store
FROM (SELECT site, day FROM spans UNION SELECT site, day FROM coverage WHERE missing > 0) days
    LEFT JOIN spans p USING (site, day) LEFT JOIN coverage c USING (site, day)
WHERE coalesce(c.missing, 0) > 0 OR (coalesce(c.in_store, 0) = 0 AND (site, day) NOT IN (SELECT (site, day) FROM silent));
COMMENT ON VIEW gaps IS 'Days of which something is missing, and days without an article in the store between the first and the last day that a site has any, unless a backfill found that the site names nothing of them.';
COMMENT ON COLUMN gaps.day IS 'Day in the site''s time zone.';
COMMENT ON COLUMN gaps.discovered IS 'URLs known of that day.';
COMMENT ON COLUMN gaps.open IS 'Of those, to be tried by the next crawl.';
COMMENT ON COLUMN gaps.missing IS 'URLs of that day that are open, or planned by a backfill and not fetched yet.';
COMMENT ON COLUMN gaps.usually_in_store IS 'Median of the site''s articles on days that have any; null for days before the first or after the last.';

CREATE OR REPLACE VIEW run_urls AS
SELECT run_id, url_key, arg_max(site, (tried, moment)) AS site, arg_max(url, (tried, moment)) AS url,
    arg_max(outcome, (tried, moment)) AS outcome, arg_max(reason, (tried, moment)) FILTER (tried) AS reason,
    max(moment) FILTER (tried) AS ended_at, bool_or(fetched) AS fetched
FROM (
    SELECT run_id, url_key, site, url, outcome, reason, ended_at AS moment, true AS tried,
        capture_file IS NOT NULL AS fetched FROM fetches
    UNION ALL
    SELECT run_id, url_key, site, url, 'pending', NULL, discovered_at, false, false FROM discoveries
)
GROUP BY run_id, url_key;
COMMENT ON VIEW run_urls IS 'How each URL of a run ended in that run, one row a URL and run.';
COMMENT ON COLUMN run_urls.outcome IS 'Outcome at the end of that run; pending if it was not tried.';
COMMENT ON COLUMN run_urls.fetched IS 'Whether a response of it was captured in that run.';

CREATE OR REPLACE VIEW run_outcomes AS
SELECT run_id, site, outcome, class, coalesce(o.open, false) AS open, count(*) AS urls,
    count(*) FILTER (fetched) AS fetched
FROM run_urls LEFT JOIN outcomes o USING (outcome) GROUP BY ALL;
COMMENT ON VIEW run_outcomes IS 'URLs of each run by site and outcome.';
COMMENT ON COLUMN run_outcomes.class IS 'Class of the outcome, as in outcomes.';
COMMENT ON COLUMN run_outcomes.open IS 'Whether the next crawl tries such a URL again.';
COMMENT ON COLUMN run_outcomes.urls IS 'How many URLs ended so.';
COMMENT ON COLUMN run_outcomes.fetched IS 'Of those, with a response captured.';

CREATE OR REPLACE VIEW run_summary AS
SELECT run_id, site, sum(urls)::BIGINT AS discovered, sum(fetched)::BIGINT AS fetched,
    coalesce(sum(urls) FILTER (outcome = 'loaded'), 0)::BIGINT AS loaded,
    coalesce(sum(urls) FILTER (outcome = 'unchanged'), 0)::BIGINT AS unchanged,
    coalesce(sum(urls) FILTER (outcome = 'duplicate'), 0)::BIGINT AS duplicate,
    coalesce(sum(urls) FILTER (o.open), 0)::BIGINT AS open,
    coalesce(sum(urls) FILTER (class IS DISTINCT FROM 'in_store' AND NOT o.open), 0)::BIGINT AS rejected,
    map_from_entries(coalesce(list((outcome, urls) ORDER BY urls DESC, outcome)
        FILTER (class IS DISTINCT FROM 'in_store'), [])) AS reasons
FROM run_outcomes o
GROUP BY run_id, site;
COMMENT ON VIEW run_summary IS 'Each run by site: discovered = loaded + unchanged + duplicate + open + rejected.';
COMMENT ON COLUMN run_summary.discovered IS 'URLs that the run set out to fetch or refuse.';
COMMENT ON COLUMN run_summary.fetched IS 'Of those, with a response captured.';
COMMENT ON COLUMN run_summary.loaded IS 'Of those, articles that are new or changed.';
COMMENT ON COLUMN run_summary.unchanged IS 'Of those, articles that were the same as before.';
COMMENT ON COLUMN run_summary.duplicate IS 'Of those, articles that another URL holds.';
COMMENT ON COLUMN run_summary.open IS 'Of those, to be tried by the next crawl: not tried yet, or an outcome that may pass.';
COMMENT ON COLUMN run_summary.rejected IS 'Of those, all others.';
COMMENT ON COLUMN run_summary.reasons IS 'Outcomes of the open and rejected ones with their counts, most first.';

CREATE OR REPLACE VIEW removed_by_rule AS
SELECT site, kind, rule, count(*) AS blocks, mode(text) AS most_frequent_text,
    any_value(text) AS for_example
FROM removed_blocks GROUP BY site, kind, rule;
COMMENT ON VIEW removed_by_rule IS 'Boilerplate removed, by site, kind and rule.';
COMMENT ON COLUMN removed_by_rule.blocks IS 'Blocks removed.';
COMMENT ON COLUMN removed_by_rule.most_frequent_text IS 'The text that was removed most often; it takes a second a million blocks.';
COMMENT ON COLUMN removed_by_rule.for_example IS 'The text of one of them.';

CREATE OR REPLACE VIEW provenance AS
SELECT v.url_key, v.version, v.site, v.url, v.headline, f.found_by IN ('warc', 'cdx') AS from_archive, f.found_by,
    f.found_in, v.valid_from AS captured_at, v.run_id, v.capture_file, v.capture_offset
FROM article_versions v
LEFT JOIN fetches f ON f.url_key = v.requested_key AND f.ended_at = v.valid_from AND f.run_id = v.run_id;
COMMENT ON VIEW provenance IS 'Where the text of each version of each article comes from.';
COMMENT ON COLUMN provenance.from_archive IS 'Whether somebody else captured the page (a WARC file, a web archive) and not this program.';
COMMENT ON COLUMN provenance.found_by IS 'feed, news_sitemap, sitemap, section, list or pending; warc or cdx if it was taken from an archive.';
COMMENT ON COLUMN provenance.found_in IS 'URL of the source that named the page; of an archive the URL of the capture, or the WARC file and the offset of the record in it.';
COMMENT ON COLUMN provenance.captured_at IS 'When the page was captured, by whomever, UTC.';

COMMENT ON COLUMN reextractions.gone IS 'Pages whose captures are not on the machine that read again (dropped, deleted, damaged, or fetched by another machine); their rows are kept as they are.';
COMMENT ON COLUMN reextraction_sites.gone IS 'Pages whose captures are not on that machine.';
COMMENT ON COLUMN source_reads.found_by IS 'feed, news_sitemap, sitemap or section; warc or cdx for a file or index of an archive.';
COMMENT ON COLUMN source_reads.url IS 'URL of the feed, sitemap, section page or index; name of the WARC file.';
COMMENT ON COLUMN discoveries.discovered_at IS 'When, UTC; of a page that was taken from an archive, when it was captured.';
COMMENT ON COLUMN discoveries.found_by IS 'feed, news_sitemap, sitemap, section, list or pending; warc or cdx if it was taken from an archive.';
COMMENT ON COLUMN fetches.ended_at IS 'When the answer was there or the try ended, UTC; of a page that was taken from an archive, when it was captured.';
COMMENT ON COLUMN fetches.found_by IS 'feed, news_sitemap, sitemap, section, list or pending; warc or cdx if it was taken from an archive.';
COMMENT ON COLUMN fetches.found_in IS 'URL of the source that named it; of an archive the URL of the capture, or the WARC file and the offset of the record in it.';
COMMENT ON COLUMN urls.found_by IS 'feed, news_sitemap, sitemap, section, list or pending; warc or cdx if it was taken from an archive.';
