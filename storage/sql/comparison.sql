-- What the pages of a plan came to, then and now. A case is a text of a URL (or a rejection) and what it became: one row,
-- however often the page was fetched meanwhile. Variable: plan (a file).
CREATE OR REPLACE TEMP TABLE pages AS
SELECT p.site, p.url, p.url_key, p.ended_at, p.capture_file, p.dropped, f.article_key AS old_article,
    f.content_hash AS old_hash, CASE WHEN f.article_key IS NULL THEN f.outcome ELSE 'article' END AS old_outcome,
    r.outcome, r.reason, r.article_key, r.content_hash
FROM read_parquet(getvariable('plan')) p
JOIN store.fetches f USING (url_key, ended_at)
LEFT JOIN new_fetches r USING (url_key, ended_at);

CREATE OR REPLACE TEMP TABLE cases AS
SELECT row_number() OVER () AS id, site, url_key, old_article, old_hash, old_outcome, article_key, content_hash, outcome,
    min(ended_at) AS ended_at, any_value(url) AS url, any_value(reason) AS reason, count(*)::INTEGER AS pages
FROM pages WHERE outcome IS NOT NULL
GROUP BY site, url_key, old_article, old_hash, old_outcome, article_key, content_hash, outcome;

CREATE OR REPLACE TEMP TABLE old_texts AS
SELECT DISTINCT ON (c.id) c.id, v.url_key, v.version, v.content_hash, v.characters
FROM cases c JOIN store.article_versions v ON v.url_key = c.old_article AND v.content_hash = c.old_hash
ORDER BY c.id, v.requested_key <> c.url_key, v.version;
