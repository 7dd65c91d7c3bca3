-- What new readings replace, in the form of readings: so that they can be taken back. Rows of `fetches`, `articles` and
-- `removed_blocks`, as an extraction makes them.
CREATE OR REPLACE TEMP VIEW former_fetches AS
SELECT url_key, ended_at, CASE WHEN article_key IS NOT NULL THEN 'article' ELSE outcome END AS outcome, reason,
    article_key, content_hash, date_published, reextraction_id
FROM fetches WHERE (url_key, ended_at) IN (SELECT (url_key, ended_at) FROM changes);

CREATE OR REPLACE TEMP VIEW former_articles AS
SELECT * EXCLUDE (url_key, version, valid_from, valid_to, date_first_seen, requested_key, requested_url, rights,
        capture_file, capture_offset, characters, load_number),
    url_key AS article_key, requested_key AS url_key, valid_from AS ended_at, NULL::VARCHAR AS segment
FROM article_versions WHERE url_key IN (SELECT article_key FROM touched);

CREATE OR REPLACE TEMP VIEW former_removed AS
SELECT r.* EXCLUDE (url_key), r.url_key AS article_key, v.requested_key AS url_key, v.valid_from AS ended_at
FROM removed_blocks r JOIN (
    SELECT DISTINCT ON (article_key, content_hash) * FROM prior_versions ORDER BY version
) v ON v.article_key = r.url_key AND v.content_hash = r.content_hash;
