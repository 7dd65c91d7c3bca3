-- New readings, part 2, after the timeline: the text of each version. The new reading of that very page, else of another
-- page with the same text, else the text that the store had.
CREATE OR REPLACE TEMP TABLE texts AS
SELECT article_key, content_hash, url_key AS text_key, ended_at AS text_at, true AS fresh, NULL::INTEGER AS old_version
FROM reread_articles WHERE (url_key, ended_at) IN (SELECT (url_key, ended_at) FROM reread)
UNION ALL BY NAME
SELECT article_key, content_hash, requested_key AS text_key, valid_from AS text_at, false AS fresh, version AS old_version
FROM prior_versions;

CREATE OR REPLACE TEMP TABLE chosen AS
SELECT DISTINCT ON (v.article_key, v.version) v.*, t.text_key, t.text_at, t.fresh, t.old_version
FROM versions v JOIN texts t ON t.article_key = v.article_key AND t.content_hash = v.content_hash
ORDER BY NOT t.fresh, t.text_at <> v.valid_from OR t.text_key <> v.requested_key, t.text_at, t.text_key;

-- A page that another one's rejection left alone, with a text that nobody has: its capture is gone and it was a
-- duplicate. It goes with the page that it was the twin of.
CREATE OR REPLACE TEMP TABLE orphans AS
SELECT s.url_key, s.ended_at, s.article_key AS old_article, s.content_hash AS old_hash,
    coalesce((SELECT arg_max(r.outcome, r.ended_at) FROM reread r
        WHERE r.old_article = s.article_key AND r.article_key IS DISTINCT FROM s.article_key AND r.outcome <> 'article'),
        'capture_damaged') AS outcome,
    'its article was read again and is none; the capture of this twin is gone' AS reason,
    NULL::VARCHAR AS article_key, NULL::VARCHAR AS content_hash, NULL::TIMESTAMP AS date_published,
    getvariable('reextraction') AS reextraction_id
FROM sightings s JOIN versions v ON v.article_key = s.article_key AND v.content_hash = s.content_hash
WHERE (v.article_key, v.version) NOT IN (SELECT (article_key, version) FROM chosen);
