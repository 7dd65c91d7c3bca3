-- Backfills: what was planned of past days, how far each day of each site is, and the URLs that are still to be fetched.
CREATE TABLE backfills (
    backfill_id VARCHAR, sites VARCHAR[], first_day DATE, last_day DATE, parameters VARCHAR, state VARCHAR,
    reason VARCHAR, created_at TIMESTAMP, updated_at TIMESTAMP, run_id VARCHAR
);
COMMENT ON TABLE backfills IS 'Backfills from sites'' own archives, one row a set of parameters: asked for again, it goes on with what is missing.';
COMMENT ON COLUMN backfills.backfill_id IS 'Name of the backfill: a hash of its parameters.';
COMMENT ON COLUMN backfills.sites IS 'Its sites.';
COMMENT ON COLUMN backfills.first_day IS 'First day, in each site''s own time zone.';
COMMENT ON COLUMN backfills.last_day IS 'Last day, itself included.';
COMMENT ON COLUMN backfills.parameters IS 'What was asked for, a JSON object.';
COMMENT ON COLUMN backfills.state IS 'planned, running, finished, incomplete, cancelled or failed; running of a killed process until the next run.';
COMMENT ON COLUMN backfills.reason IS 'Why it ended as it did; null where nothing is to be said.';
COMMENT ON COLUMN backfills.created_at IS 'When it was planned first, UTC.';
COMMENT ON COLUMN backfills.updated_at IS 'When its state changed last, UTC.';
COMMENT ON COLUMN backfills.run_id IS 'The run that worked on it last (runs.run_id).';

CREATE TABLE backfill_chunks (
    backfill_id VARCHAR, site VARCHAR, day DATE, state VARCHAR, planned INTEGER, known INTEGER, fetched INTEGER,
    in_store INTEGER, rejected INTEGER, open INTEGER, whole BOOLEAN, reason VARCHAR, planned_at TIMESTAMP,
    updated_at TIMESTAMP
);
COMMENT ON TABLE backfill_chunks IS 'Backfills by site and day: planned = known + in_store + rejected + open.';
COMMENT ON COLUMN backfill_chunks.backfill_id IS 'The backfill.';
COMMENT ON COLUMN backfill_chunks.site IS 'The site.';
COMMENT ON COLUMN backfill_chunks.day IS 'Day in the site''s time zone; null for URLs of which no source tells the day.';
COMMENT ON COLUMN backfill_chunks.state IS 'planned; open (part of it is done); finished; incomplete (done as far as the site''s indexes could be read); left_out (day not told, and not asked for).';
COMMENT ON COLUMN backfill_chunks.planned IS 'URLs that the site''s indexes name of that day.';
COMMENT ON COLUMN backfill_chunks.known IS 'Of those, known well when it was planned: not to be fetched.';
COMMENT ON COLUMN backfill_chunks.fetched IS 'Of those, answered by the server since it was planned.';
COMMENT ON COLUMN backfill_chunks.in_store IS 'Of those that were to be fetched, articles in the store.';
COMMENT ON COLUMN backfill_chunks.rejected IS 'Of those that were to be fetched, ended otherwise: no article, gone, refused, …';
COMMENT ON COLUMN backfill_chunks.open IS 'Of those that were to be fetched, not tried yet or to be tried again.';
COMMENT ON COLUMN backfill_chunks.whole IS 'Whether all indexes of the site that name old articles could be read when it was planned.';
COMMENT ON COLUMN backfill_chunks.reason IS 'Why it is not finished, or what its plan lacks; null where nothing is to be said.';
COMMENT ON COLUMN backfill_chunks.planned_at IS 'When the site''s indexes were read for it, UTC.';
COMMENT ON COLUMN backfill_chunks.updated_at IS 'When its counts were taken, UTC.';

CREATE TABLE backfill_urls (
    backfill_id VARCHAR, site VARCHAR, day DATE, url_key VARCHAR, url VARCHAR, found_in VARCHAR, found_by VARCHAR,
    lastmod TIMESTAMP, published_hint TIMESTAMP, title_hint VARCHAR
);
COMMENT ON TABLE backfill_urls IS 'URLs that the chunks of backfills are to fetch, until their chunk is finished.';
COMMENT ON COLUMN backfill_urls.backfill_id IS 'The backfill.';
COMMENT ON COLUMN backfill_urls.site IS 'The site.';
COMMENT ON COLUMN backfill_urls.day IS 'Day that it was planned for, in the site''s time zone; null where it is not told.';
COMMENT ON COLUMN backfill_urls.url_key IS 'Key of the URL (urls.url_key).';
COMMENT ON COLUMN backfill_urls.url IS 'Canonical form of the URL.';
COMMENT ON COLUMN backfill_urls.found_in IS 'URL of the source that named it.';
COMMENT ON COLUMN backfill_urls.found_by IS 'feed, news_sitemap, sitemap or section.';
COMMENT ON COLUMN backfill_urls.lastmod IS 'Last modification as the source said, UTC.';
COMMENT ON COLUMN backfill_urls.published_hint IS 'Publication as the source said, UTC.';
COMMENT ON COLUMN backfill_urls.title_hint IS 'Title as the source said.';
