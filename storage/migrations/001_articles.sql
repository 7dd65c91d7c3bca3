-- The first schema. Plain tables on purpose: no PRIMARY KEY, index or foreign key (at 3 million rows they make a
-- nightly load 5 to 20 times slower); the loader asserts uniqueness instead. Every TIMESTAMP is in UTC.

CREATE TABLE sites (
    site VARCHAR, title VARCHAR, url VARCHAR, country VARCHAR, languages VARCHAR[], time_zone VARCHAR,
    enabled BOOLEAN, updated_at TIMESTAMP
);
COMMENT ON TABLE sites IS 'The sites of the last crawl that named them, one row a site.';
COMMENT ON COLUMN sites.site IS 'Name of the site, that of its file in sites/.';
COMMENT ON COLUMN sites.title IS 'Name for people.';
COMMENT ON COLUMN sites.url IS 'Home page.';
COMMENT ON COLUMN sites.country IS 'ISO 3166-1 alpha-2 code, lower case.';
COMMENT ON COLUMN sites.languages IS 'BCP 47 tags.';
COMMENT ON COLUMN sites.time_zone IS 'IANA name of the zone in which the site counts its days.';
COMMENT ON COLUMN sites.enabled IS 'Whether nightly crawls take it.';
COMMENT ON COLUMN sites.updated_at IS 'When this row was written, UTC.';

CREATE TABLE runs (
    run_id VARCHAR, kind VARCHAR, state VARCHAR, started_at TIMESTAMP, finished_at TIMESTAMP, reason VARCHAR,
    parameters VARCHAR, version VARCHAR
);
COMMENT ON TABLE runs IS 'Runs: nightly crawls, backfills, imports; one row a run.';
COMMENT ON COLUMN runs.run_id IS 'Name of the run, that of its folder in captures/.';
COMMENT ON COLUMN runs.kind IS 'nightly, backfill, import, …';
COMMENT ON COLUMN runs.state IS 'running, finished, cancelled or failed.';
COMMENT ON COLUMN runs.started_at IS 'Start, UTC.';
COMMENT ON COLUMN runs.finished_at IS 'End, UTC; null while it runs, and for ever after a crash.';
COMMENT ON COLUMN runs.reason IS 'Why it ended as it did; null where nothing is to be said.';
COMMENT ON COLUMN runs.parameters IS 'What was asked for, a JSON object.';
COMMENT ON COLUMN runs.version IS 'Version of the program.';

CREATE TABLE loads (
    load_id VARCHAR, loaded_at TIMESTAMP, segments INTEGER, fetches INTEGER, new_articles INTEGER,
    new_versions INTEGER
);
COMMENT ON TABLE loads IS 'Loads: one row a transaction that took segments into the store.';
COMMENT ON COLUMN loads.load_id IS 'Random name of the load.';
COMMENT ON COLUMN loads.loaded_at IS 'When, UTC.';
COMMENT ON COLUMN loads.segments IS 'Segments taken.';
COMMENT ON COLUMN loads.fetches IS 'Rows that it added to fetches.';
COMMENT ON COLUMN loads.new_articles IS 'Articles seen for the first time.';
COMMENT ON COLUMN loads.new_versions IS 'Further versions of articles that were there.';

CREATE TABLE load_lock (n BIGINT);
INSERT INTO load_lock VALUES (0);
COMMENT ON TABLE load_lock IS 'One row that every load changes first, so that two loads at once conflict.';
COMMENT ON COLUMN load_lock.n IS 'Loads begun.';

CREATE TABLE segments (
    run_id VARCHAR, segment VARCHAR, load_id VARCHAR, written_at TIMESTAMP, finished VARCHAR, urls INTEGER,
    fetches INTEGER, articles INTEGER
);
COMMENT ON TABLE segments IS 'Segments in the store: one row a segment of a run, taken once.';
COMMENT ON COLUMN segments.run_id IS 'The run.';
COMMENT ON COLUMN segments.segment IS 'Name of the segment within the run.';
COMMENT ON COLUMN segments.load_id IS 'The load that took it.';
COMMENT ON COLUMN segments.written_at IS 'When its rows were extracted, UTC.';
COMMENT ON COLUMN segments.finished IS 'On the last segment of a shard that ended by itself: why.';
COMMENT ON COLUMN segments.urls IS 'Discoveries in it.';
COMMENT ON COLUMN segments.fetches IS 'Pages and outcomes in it.';
COMMENT ON COLUMN segments.articles IS 'Pages of it that are articles.';

CREATE TABLE captures (
    capture_file VARCHAR, run_id VARCHAR, segment VARCHAR, pages INTEGER, bytes BIGINT, first_at TIMESTAMP,
    last_at TIMESTAMP, dropped_at TIMESTAMP, dropped_reason VARCHAR
);
COMMENT ON TABLE captures IS 'WARC files of responses as received, one row a file, kept after the file is dropped.';
COMMENT ON COLUMN captures.capture_file IS 'Path relative to the data folder.';
COMMENT ON COLUMN captures.run_id IS 'The run that wrote it.';
COMMENT ON COLUMN captures.segment IS 'The segment it belongs to.';
COMMENT ON COLUMN captures.pages IS 'Pages in it that were loaded.';
COMMENT ON COLUMN captures.bytes IS 'Size of the file when it was loaded; null if it was gone by then.';
COMMENT ON COLUMN captures.first_at IS 'When its first page was fetched, UTC.';
COMMENT ON COLUMN captures.last_at IS 'When its last page was fetched, UTC.';
COMMENT ON COLUMN captures.dropped_at IS 'When the file was deleted by retention or takedown, UTC; null while it is kept.';
COMMENT ON COLUMN captures.dropped_reason IS 'Why it was deleted.';

CREATE TABLE source_reads (
    run_id VARCHAR, segment VARCHAR, site VARCHAR, url VARCHAR, read_at TIMESTAMP, found_by VARCHAR, status INTEGER,
    outcome VARCHAR, reason VARCHAR, entries INTEGER, new INTEGER, known INTEGER, etag VARCHAR,
    last_modified VARCHAR, bounded VARCHAR
);
COMMENT ON TABLE source_reads IS 'Readings of feeds, sitemaps and section pages, one row a reading.';
COMMENT ON COLUMN source_reads.run_id IS 'The run.';
COMMENT ON COLUMN source_reads.segment IS 'The segment in whose journal it stands.';
COMMENT ON COLUMN source_reads.site IS 'The site.';
COMMENT ON COLUMN source_reads.url IS 'URL of the feed, sitemap or section page.';
COMMENT ON COLUMN source_reads.read_at IS 'When, UTC.';
COMMENT ON COLUMN source_reads.found_by IS 'feed, news_sitemap, sitemap or section.';
COMMENT ON COLUMN source_reads.status IS 'HTTP status; null where there was no answer.';
COMMENT ON COLUMN source_reads.outcome IS 'ok, or the outcome that kept it from being read.';
COMMENT ON COLUMN source_reads.reason IS 'The outcome or what was odd, in a sentence.';
COMMENT ON COLUMN source_reads.entries IS 'URLs it named.';
COMMENT ON COLUMN source_reads.new IS 'Of those, not known before.';
COMMENT ON COLUMN source_reads.known IS 'Of those, known before.';
COMMENT ON COLUMN source_reads.etag IS 'ETag of the answer.';
COMMENT ON COLUMN source_reads.last_modified IS 'Last-Modified of the answer, as sent.';
COMMENT ON COLUMN source_reads.bounded IS 'The limit that cut the reading short; null if none did.';

CREATE TABLE discoveries (
    run_id VARCHAR, segment VARCHAR, site VARCHAR, url_key VARCHAR, url VARCHAR, discovered_at TIMESTAMP,
    found_in VARCHAR, found_by VARCHAR, lastmod TIMESTAMP, published_hint TIMESTAMP, title_hint VARCHAR
);
COMMENT ON TABLE discoveries IS 'URLs that a run set out to fetch or refuse; a URL that is known and needs no visit is not among them.';
COMMENT ON COLUMN discoveries.run_id IS 'The run.';
COMMENT ON COLUMN discoveries.segment IS 'The segment in whose journal it stands.';
COMMENT ON COLUMN discoveries.site IS 'The site.';
COMMENT ON COLUMN discoveries.url_key IS 'Key of the URL: 24 hexadecimal digits, equal for twins (www, AMP, mobile, http).';
COMMENT ON COLUMN discoveries.url IS 'Canonical form of the URL.';
COMMENT ON COLUMN discoveries.discovered_at IS 'When, UTC.';
COMMENT ON COLUMN discoveries.found_in IS 'URL of the source that named it; list or pending for those two.';
COMMENT ON COLUMN discoveries.found_by IS 'feed, news_sitemap, sitemap, section, list or pending.';
COMMENT ON COLUMN discoveries.lastmod IS 'Last modification as the source said, UTC; null if it said none that can be used.';
COMMENT ON COLUMN discoveries.published_hint IS 'Publication as the source said, UTC.';
COMMENT ON COLUMN discoveries.title_hint IS 'Title as the source said.';

CREATE TABLE fetches (
    run_id VARCHAR, segment VARCHAR, site VARCHAR, url_key VARCHAR, url VARCHAR, ended_at TIMESTAMP, outcome VARCHAR,
    reason VARCHAR, status INTEGER, attempts INTEGER, final_url VARCHAR, found_in VARCHAR, found_by VARCHAR,
    content_type VARCHAR, body_bytes BIGINT, etag VARCHAR, last_modified VARCHAR, rights VARCHAR,
    capture_file VARCHAR, capture_offset BIGINT, article_key VARCHAR, content_hash VARCHAR, date_published TIMESTAMP
);
COMMENT ON TABLE fetches IS 'Tries of URLs and how each ended, one row a try; refusals without a request are tries too.';
COMMENT ON COLUMN fetches.run_id IS 'The run.';
COMMENT ON COLUMN fetches.segment IS 'The segment of the run.';
COMMENT ON COLUMN fetches.site IS 'The site.';
COMMENT ON COLUMN fetches.url_key IS 'Key of the URL that was asked for.';
COMMENT ON COLUMN fetches.url IS 'URL that was asked for, canonical.';
COMMENT ON COLUMN fetches.ended_at IS 'When the answer was there or the try ended, UTC.';
COMMENT ON COLUMN fetches.outcome IS 'How it ended, a word of the outcomes listed under urls.';
COMMENT ON COLUMN fetches.reason IS 'The outcome in a sentence; null where the word says all.';
COMMENT ON COLUMN fetches.status IS 'HTTP status; null where there was no answer.';
COMMENT ON COLUMN fetches.attempts IS 'Requests that this try took.';
COMMENT ON COLUMN fetches.final_url IS 'URL after redirects.';
COMMENT ON COLUMN fetches.found_in IS 'URL of the source that named it.';
COMMENT ON COLUMN fetches.found_by IS 'feed, news_sitemap, sitemap, section, list or pending.';
COMMENT ON COLUMN fetches.content_type IS 'Content-Type as sent.';
COMMENT ON COLUMN fetches.body_bytes IS 'Size of the body as sent, bytes.';
COMMENT ON COLUMN fetches.etag IS 'ETag as sent.';
COMMENT ON COLUMN fetches.last_modified IS 'Last-Modified as sent.';
COMMENT ON COLUMN fetches.rights IS 'What the site said of use when it was fetched, a JSON object of name and text.';
COMMENT ON COLUMN fetches.capture_file IS 'WARC file of the response, relative to the data folder.';
COMMENT ON COLUMN fetches.capture_offset IS 'Offset of the record in that file, bytes.';
COMMENT ON COLUMN fetches.article_key IS 'Key of the article that the page is (articles.url_key); null if it is none.';
COMMENT ON COLUMN fetches.content_hash IS 'Hash of the article''s normalised headline, lead and body.';
COMMENT ON COLUMN fetches.date_published IS 'Publication as that page said, UTC.';

CREATE TABLE urls (
    url_key VARCHAR, url VARCHAR, site VARCHAR, outcome VARCHAR, outcome_at TIMESTAMP, last_outcome VARCHAR,
    reason VARCHAR, status INTEGER, tries INTEGER, attempts INTEGER, final_url VARCHAR, first_seen_at TIMESTAMP,
    last_seen_at TIMESTAMP, found_in VARCHAR, found_by VARCHAR, lastmod TIMESTAMP, published_hint TIMESTAMP,
    title_hint VARCHAR, fetched_at TIMESTAMP, article_key VARCHAR, article_at TIMESTAMP, date_published TIMESTAMP,
    etag VARCHAR, last_modified VARCHAR, captured_at TIMESTAMP, capture_file VARCHAR, capture_offset BIGINT,
    next_visit TIMESTAMP, run_id VARCHAR
);
COMMENT ON TABLE urls IS 'The ledger: every URL ever discovered, one row each, with its current outcome.';
COMMENT ON COLUMN urls.url_key IS 'Key of the URL: 24 hexadecimal digits, equal for twins (www, AMP, mobile, http).';
COMMENT ON COLUMN urls.url IS 'Canonical form of the URL, as it was last discovered or tried.';
COMMENT ON COLUMN urls.site IS 'The site.';
COMMENT ON COLUMN urls.outcome IS 'Current outcome: pending if it was discovered after the last try, else last_outcome.';
COMMENT ON COLUMN urls.outcome_at IS 'When the last try ended, UTC; null if it was never tried.';
COMMENT ON COLUMN urls.last_outcome IS 'How the last try ended; null if it was never tried.';
COMMENT ON COLUMN urls.reason IS 'The last try''s reason.';
COMMENT ON COLUMN urls.status IS 'The last try''s HTTP status.';
COMMENT ON COLUMN urls.tries IS 'Rows of fetches about it.';
COMMENT ON COLUMN urls.attempts IS 'Requests that all tries took.';
COMMENT ON COLUMN urls.final_url IS 'Where the last try ended, after redirects.';
COMMENT ON COLUMN urls.first_seen_at IS 'When it was first discovered (or tried, if that is earlier), UTC.';
COMMENT ON COLUMN urls.last_seen_at IS 'When it was last discovered as in need of a visit, UTC.';
COMMENT ON COLUMN urls.found_in IS 'URL of the source that named it last.';
COMMENT ON COLUMN urls.found_by IS 'feed, news_sitemap, sitemap, section, list or pending.';
COMMENT ON COLUMN urls.lastmod IS 'Last modification as the source said last, UTC.';
COMMENT ON COLUMN urls.published_hint IS 'Publication as the source said last, UTC.';
COMMENT ON COLUMN urls.title_hint IS 'Title as the source said last.';
COMMENT ON COLUMN urls.fetched_at IS 'When the server last answered with the page, or said it is unchanged, UTC.';
COMMENT ON COLUMN urls.article_key IS 'Key of the article that the page was when it last was one (articles.url_key).';
COMMENT ON COLUMN urls.article_at IS 'When it last was one, UTC.';
COMMENT ON COLUMN urls.date_published IS 'Publication as that page said, UTC.';
COMMENT ON COLUMN urls.etag IS 'ETag of the page when last fetched.';
COMMENT ON COLUMN urls.last_modified IS 'Last-Modified of the page when last fetched, as sent.';
COMMENT ON COLUMN urls.captured_at IS 'When its last response was captured, UTC.';
COMMENT ON COLUMN urls.capture_file IS 'WARC file of that response, relative to the data folder.';
COMMENT ON COLUMN urls.capture_offset IS 'Offset of its record in that file, bytes.';
COMMENT ON COLUMN urls.next_visit IS 'When to look at the article again, UTC: at 1 h, 6 h, 1, 3 and 7 days of age; null if no more.';
COMMENT ON COLUMN urls.run_id IS 'The run of the last try, or of the last discovery if it was never tried.';

CREATE TABLE article_versions (
    url_key VARCHAR, version INTEGER, valid_from TIMESTAMP, valid_to TIMESTAMP, site VARCHAR, url VARCHAR,
    requested_url VARCHAR, requested_key VARCHAR, canonical_url VARCHAR,
    headline VARCHAR, alternative_headline VARCHAR, description VARCHAR,
    article_body VARCHAR USING COMPRESSION zstd,
    blocks STRUCT(kind VARCHAR, "level" INTEGER, "position" INTEGER, "start" INTEGER, length INTEGER, "time" TIMESTAMP)[],
    images STRUCT(url VARCHAR, caption VARCHAR, credit VARCHAR)[],
    authors VARCHAR[], dateline VARCHAR,
    date_published TIMESTAMP, date_published_raw VARCHAR, date_published_source VARCHAR,
    date_published_zone_known BOOLEAN,
    date_modified TIMESTAMP, date_modified_raw VARCHAR, date_modified_source VARCHAR,
    date_modified_zone_known BOOLEAN, dates_disagree BOOLEAN,
    in_language VARCHAR, publisher VARCHAR, article_section VARCHAR, keywords VARCHAR[], main_image VARCHAR,
    is_accessible_for_free BOOLEAN, article_type VARCHAR, page_class VARCHAR, robots VARCHAR[], flags VARCHAR[],
    evidence VARCHAR USING COMPRESSION zstd,
    content_hash VARCHAR, extractor_version VARCHAR, learned_version VARCHAR,
    date_first_seen TIMESTAMP, rights VARCHAR, capture_file VARCHAR, capture_offset BIGINT,
    run_id VARCHAR
);
COMMENT ON TABLE article_versions IS 'Every version of every article, the current one too (valid_to is null). A version arises where content_hash changes.';
COMMENT ON COLUMN article_versions.url_key IS 'Key of the article: that of its URL.';
COMMENT ON COLUMN article_versions.version IS '1 for the first text that was fetched, 2 for the next, …';
COMMENT ON COLUMN article_versions.valid_from IS 'When this text was first fetched, UTC.';
COMMENT ON COLUMN article_versions.valid_to IS 'When another text was first fetched, UTC; null for the current version.';
COMMENT ON COLUMN article_versions.site IS 'The site.';
COMMENT ON COLUMN article_versions.url IS 'Where the article lives: the page''s canonical URL if it can be trusted, else the final URL.';
COMMENT ON COLUMN article_versions.requested_url IS 'URL that was asked for.';
COMMENT ON COLUMN article_versions.requested_key IS 'Key of that URL (urls.url_key).';
COMMENT ON COLUMN article_versions.canonical_url IS 'Canonical URL as the page said.';
COMMENT ON COLUMN article_versions.headline IS 'Headline.';
COMMENT ON COLUMN article_versions.alternative_headline IS 'Second headline, if the page has one.';
COMMENT ON COLUMN article_versions.description IS 'Lead or summary.';
COMMENT ON COLUMN article_versions.article_body IS 'Text of the article without boilerplate, blocks parted by an empty line.';
COMMENT ON COLUMN article_versions.blocks IS 'Blocks of the text in order: kind, level (1-6 of a subhead, depth of a list item), position among all blocks of the page, start and length in article_body in characters (start from 0), time of a live post. The view article_blocks has them with their text.';
COMMENT ON COLUMN article_versions.images IS 'Pictures with caption and credit, which are never part of the text.';
COMMENT ON COLUMN article_versions.authors IS 'Names of persons.';
COMMENT ON COLUMN article_versions.dateline IS 'Dateline, as "BRUSSELS".';
COMMENT ON COLUMN article_versions.date_published IS 'Publication as the page says, UTC; null if it does not say.';
COMMENT ON COLUMN article_versions.date_published_raw IS 'The string it was read from.';
COMMENT ON COLUMN article_versions.date_published_source IS 'Where on the page that stood.';
COMMENT ON COLUMN article_versions.date_published_zone_known IS 'False where the string named no zone and UTC was assumed.';
COMMENT ON COLUMN article_versions.date_modified IS 'Last modification as the page says, UTC.';
COMMENT ON COLUMN article_versions.date_modified_raw IS 'The string it was read from.';
COMMENT ON COLUMN article_versions.date_modified_source IS 'Where on the page that stood.';
COMMENT ON COLUMN article_versions.date_modified_zone_known IS 'False where the string named no zone and UTC was assumed.';
COMMENT ON COLUMN article_versions.dates_disagree IS 'Whether the page named dates that differ.';
COMMENT ON COLUMN article_versions.in_language IS 'Language, BCP 47.';
COMMENT ON COLUMN article_versions.publisher IS 'Publisher as the page says.';
COMMENT ON COLUMN article_versions.article_section IS 'Section, as "World".';
COMMENT ON COLUMN article_versions.keywords IS 'Keywords.';
COMMENT ON COLUMN article_versions.main_image IS 'URL of the main picture.';
COMMENT ON COLUMN article_versions.is_accessible_for_free IS 'What the page says of its paywall; null if nothing.';
COMMENT ON COLUMN article_versions.article_type IS 'schema.org type, as NewsArticle.';
COMMENT ON COLUMN article_versions.page_class IS 'article, or another class that the site''s file keeps.';
COMMENT ON COLUMN article_versions.robots IS 'Directives of the robots meta element.';
COMMENT ON COLUMN article_versions.flags IS 'Doubts of the extraction, as doubtful_charset.';
COMMENT ON COLUMN article_versions.evidence IS 'Candidates for each metadata field, a JSON array of field, source, value, chosen.';
COMMENT ON COLUMN article_versions.content_hash IS 'Hash of the normalised headline, lead and body, equal for cosmetic edits.';
COMMENT ON COLUMN article_versions.extractor_version IS 'Version of the extraction that made the row.';
COMMENT ON COLUMN article_versions.learned_version IS 'Version of the learned boilerplate that it used; null if none.';
COMMENT ON COLUMN article_versions.date_first_seen IS 'When any version of the article was first fetched, UTC.';
COMMENT ON COLUMN article_versions.rights IS 'What the site said of use at that time, a JSON object of name and text.';
COMMENT ON COLUMN article_versions.capture_file IS 'WARC file of the page, relative to the data folder.';
COMMENT ON COLUMN article_versions.capture_offset IS 'Offset of its record in that file, bytes.';
COMMENT ON COLUMN article_versions.run_id IS 'The run that fetched it.';

CREATE TABLE removed_blocks (
    site VARCHAR, url_key VARCHAR, content_hash VARCHAR, kind VARCHAR, rule VARCHAR, text VARCHAR, "position" INTEGER
);
COMMENT ON TABLE removed_blocks IS 'Boilerplate taken out of articles, one row a block, once a text of an article: of the first page that had that text.';
COMMENT ON COLUMN removed_blocks.site IS 'The site.';
COMMENT ON COLUMN removed_blocks.url_key IS 'Key of the article (article_versions.url_key).';
COMMENT ON COLUMN removed_blocks.content_hash IS 'Its text (article_versions.content_hash).';
COMMENT ON COLUMN removed_blocks.kind IS 'related, caption, credit, ad_label, newsletter, share, byline, timestamp, tag, cookie, paywall, …';
COMMENT ON COLUMN removed_blocks.rule IS 'Name of the rule that took it.';
COMMENT ON COLUMN removed_blocks.text IS 'The block''s text.';
COMMENT ON COLUMN removed_blocks."position" IS 'Its place among all blocks of the page.';
