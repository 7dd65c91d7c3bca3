-- Views that judge: which articles are copies of each other, and how good the extraction of each site is. Written anew
-- into a store whenever this file changes, after views.sql.

CREATE OR REPLACE VIEW story_articles AS
WITH known AS (
    SELECT m.*, a.site, a.url, a.headline, a.date_published, a.date_first_seen, a.in_language, a.author_organisations,
        a.characters, coalesce(list_contains(list(a.canonical_url) FILTER (a.canonical_url <> a.url)
            OVER (PARTITION BY m.cluster_id), a.url), false) AS is_named
    FROM story_members m JOIN articles a USING (url_key)
), ranked AS (
    SELECT *, CASE WHEN date_published <= date_first_seen THEN date_published END AS published,
        row_number() OVER (PARTITION BY cluster_id ORDER BY NOT is_named, published NULLS LAST, date_first_seen, url_key) AS rank
    FROM known
)
SELECT cluster_id, url_key, site, headline, url, in_language, author_organisations, characters, date_published,
    date_first_seen, rank = 1 AS is_original, is_named, nearest_key, similarity, resemblance, joined_at
FROM ranked QUALIFY count(*) OVER (PARTITION BY cluster_id) > 1;
COMMENT ON VIEW story_articles IS 'Articles whose text stands in other articles too (wire copy, light rewrites, partial reprints), one row an article.';
COMMENT ON COLUMN story_articles.is_original IS 'A guess: the one that another page names as canonical, else the one that says it was published first, else the one that was fetched first.';
COMMENT ON COLUMN story_articles.is_named IS 'Whether another article of the cluster names it as its canonical URL.';

CREATE OR REPLACE VIEW story_clusters AS
SELECT cluster_id, count(*) AS articles, count(DISTINCT site) AS sites, min(date_first_seen) AS first_seen_at,
    max(date_first_seen) AS last_seen_at, min(date_published) FILTER (date_published <= date_first_seen) AS first_published_at,
    any_value(url_key) FILTER (is_original) AS original_key, any_value(site) FILTER (is_original) AS original_site,
    any_value(headline) FILTER (is_original) AS headline, min(similarity) AS similarity, list_sort(list(DISTINCT site)) AS all_sites
FROM story_articles GROUP BY cluster_id;
COMMENT ON VIEW story_clusters IS 'Stories that stand in more than one article, one row a cluster of copies.';
COMMENT ON COLUMN story_clusters.articles IS 'Articles in it.';
COMMENT ON COLUMN story_clusters.sites IS 'Sites that have it.';
COMMENT ON COLUMN story_clusters.first_seen_at IS 'When the first of them was first fetched, UTC.';
COMMENT ON COLUMN story_clusters.last_seen_at IS 'When the last of them was first fetched, UTC.';
COMMENT ON COLUMN story_clusters.first_published_at IS 'Earliest publication that one of them states and that is not after its first fetch, UTC.';
COMMENT ON COLUMN story_clusters.original_key IS 'A guess at where it comes from, as story_articles.is_original.';
COMMENT ON COLUMN story_clusters.original_site IS 'Site of that article.';
COMMENT ON COLUMN story_clusters.headline IS 'Headline of that article.';
COMMENT ON COLUMN story_clusters.similarity IS 'Least similarity with which one of them joined.';
COMMENT ON COLUMN story_clusters.all_sites IS 'Names of the sites.';
COMMENT ON COLUMN story_articles.cluster_id IS 'The cluster: url_key of the article that it began with. It stays when the cluster grows.';
COMMENT ON COLUMN story_articles.nearest_key IS 'The article whose text was nearest when this one joined; null for the one that the cluster began with.';
COMMENT ON COLUMN story_articles.similarity IS 'Share of the runs of three words of the shorter of the two texts that the other has as well, 0.6 to 1.';
COMMENT ON COLUMN story_articles.resemblance IS 'Share of the runs of three words of either that both have, 0.2 to 1.';
COMMENT ON COLUMN story_articles.joined_at IS 'When it joined, UTC.';
COMMENT ON COLUMN story_clusters.cluster_id IS 'url_key of the article that it began with. It stays when the cluster grows.';

CREATE OR REPLACE VIEW quality AS
WITH read AS (
    SELECT site, ended_at::DATE AS day, count(*) AS pages, count(article_key) AS articles
    FROM fetches WHERE capture_file IS NOT NULL GROUP BY ALL
), texts AS (
    SELECT site, valid_from::DATE AS day, count(*) AS texts, median(characters)::INTEGER AS characters,
        100.0 * count(date_published) / texts AS percent_dated,
        100.0 * count(*) FILTER (len(authors) > 0 OR len(author_organisations) > 0) / texts AS percent_authored,
        100.0 * count(headline) / texts AS percent_titled, 100.0 * count(*) FILTER (len(flags) > 0) / texts AS percent_doubtful
    FROM article_versions GROUP BY ALL
), days AS (
    SELECT *, 100.0 * articles / pages AS percent_articles FROM read LEFT JOIN texts USING (site, day)
), compared AS (
    SELECT *, median(percent_articles) OVER before AS usual_articles, median(characters) OVER before AS usual_characters,
        median(percent_dated) OVER before AS usual_dated, median(percent_authored) OVER before AS usual_authored
    FROM days WINDOW before AS (
        PARTITION BY site ORDER BY day RANGE BETWEEN INTERVAL 28 DAYS PRECEDING AND INTERVAL 1 DAY PRECEDING)
)
SELECT site, day, pages, articles, coalesce(texts, 0) AS texts, characters, round(percent_articles, 1) AS percent_articles,
    round(percent_titled, 1) AS percent_titled, round(percent_dated, 1) AS percent_dated,
    round(percent_authored, 1) AS percent_authored, round(percent_doubtful, 1) AS percent_doubtful,
    list_filter([
        CASE WHEN pages >= 10 AND percent_articles < usual_articles - 25 THEN 'fewer pages are articles' END,
        CASE WHEN texts >= 10 AND characters < 0.6 * usual_characters THEN 'shorter texts' END,
        CASE WHEN texts >= 10 AND characters > 1.6 * usual_characters THEN 'longer texts' END,
        CASE WHEN texts >= 10 AND percent_dated < usual_dated - 25 THEN 'fewer dates' END,
        CASE WHEN texts >= 10 AND percent_authored < usual_authored - 25 THEN 'fewer authors' END
    ], lambda change: change IS NOT NULL) AS sudden_changes
FROM compared;
COMMENT ON VIEW quality IS 'How good the extraction was, one row a site and day of fetching (UTC).';
COMMENT ON COLUMN quality.site IS 'The site.';
COMMENT ON COLUMN quality.day IS 'Day of fetching, UTC.';
COMMENT ON COLUMN quality.pages IS 'Pages that were fetched.';
COMMENT ON COLUMN quality.articles IS 'Of those, pages that are articles, new ones or not.';
COMMENT ON COLUMN quality.texts IS 'New articles and new versions.';
COMMENT ON COLUMN quality.characters IS 'Median length of those texts.';
COMMENT ON COLUMN quality.percent_articles IS 'Share of the pages that are articles, per cent.';
COMMENT ON COLUMN quality.percent_titled IS 'Share of the texts with a headline, per cent.';
COMMENT ON COLUMN quality.percent_dated IS 'Share of the texts with a date of publication, per cent.';
COMMENT ON COLUMN quality.percent_authored IS 'Share of the texts with an author, a person or an organisation, per cent.';
COMMENT ON COLUMN quality.percent_doubtful IS 'Share of the texts that the extraction doubts (flags), per cent.';
COMMENT ON COLUMN quality.sudden_changes IS 'What is far from the median of the 28 days before (25 points; lengths 0.6 or 1.6 times), on days of at least 10: a layout that changed, most likely.';

CREATE OR REPLACE VIEW rejections AS
SELECT site, ended_at::DATE AS day, outcome, coalesce(reason, outcome) AS reason, count(*) AS pages
FROM fetches WHERE capture_file IS NOT NULL AND article_key IS NULL GROUP BY ALL;
COMMENT ON VIEW rejections IS 'Pages that were fetched and are no articles, by site, day of fetching (UTC) and reason.';
COMMENT ON COLUMN rejections.day IS 'Day of fetching, UTC.';
COMMENT ON COLUMN rejections.reason IS 'Why, in a sentence.';
COMMENT ON COLUMN rejections.pages IS 'How many pages.';

CREATE OR REPLACE VIEW removed_by_day AS
SELECT v.site, v.day, r.kind, count(*) AS blocks, count(DISTINCT r.url_key) AS articles
FROM removed_blocks r
JOIN (SELECT url_key, content_hash, any_value(site) AS site, min(valid_from)::DATE AS day FROM article_versions GROUP BY ALL) v
    USING (url_key, content_hash)
GROUP BY ALL;
COMMENT ON VIEW removed_by_day IS 'Boilerplate that was removed, by site, day of fetching (UTC) and kind.';
COMMENT ON COLUMN removed_by_day.site IS 'The site.';
COMMENT ON COLUMN removed_by_day.day IS 'Day on which the text was first fetched, UTC.';
COMMENT ON COLUMN removed_by_day.kind IS 'Kind of boilerplate.';
COMMENT ON COLUMN removed_by_day.blocks IS 'Blocks removed.';
COMMENT ON COLUMN removed_by_day.articles IS 'Articles that had such blocks.';

CREATE OR REPLACE MACRO search(query) AS TABLE
SELECT url_key, 1.0 + 3 * len(list_filter(words, lambda word: contains(lower(coalesce(headline, '')), word))) AS score
FROM (SELECT url_key, headline, article_body, string_split(lower(trim(query)), ' ') AS words FROM articles)
WHERE len(list_filter(words, lambda word: NOT contains(lower(concat_ws(' ', headline, article_body)), word))) = 0;
COMMENT ON MACRO TABLE search IS 'search(query): keys of the articles that hold all words of a query, as they stand, anywhere in a word; score is higher where the headline has them. It reads every text. In nightdesk sql it is the search index instead, with its whole syntax.';
