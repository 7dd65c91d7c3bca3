-- Which texts are copies of each other. Filled by storage/stories.py after each load, for what was there before too.
CREATE TABLE text_sketches (
    url_key VARCHAR, version INTEGER, load_number BIGINT, shingles INTEGER, sketch UINTEGER[]
);
COMMENT ON TABLE text_sketches IS 'Sketches of texts, by which copies are found, one row a version of an article.';
COMMENT ON COLUMN text_sketches.url_key IS 'Key of the article.';
COMMENT ON COLUMN text_sketches.version IS 'Version of the article.';
COMMENT ON COLUMN text_sketches.load_number IS 'The load that wrote the text (loads.number).';
COMMENT ON COLUMN text_sketches.shingles IS 'Different runs of 3 words in article_body (of 6 characters in Chinese, Japanese and Thai).';
COMMENT ON COLUMN text_sketches.sketch IS 'The 32 smallest hashes of those runs (Broder 1997); empty where there are fewer than 20 runs: too short to be told from chance.';

CREATE TABLE story_members (
    cluster_id VARCHAR, url_key VARCHAR, nearest_key VARCHAR, similarity FLOAT, resemblance FLOAT,
    joined_at TIMESTAMP
);
COMMENT ON TABLE story_members IS 'Articles whose text stands in other articles too, one row an article: each belongs to one cluster.';
COMMENT ON COLUMN story_members.cluster_id IS 'The cluster: url_key of the article that it began with. It stays when the cluster grows.';
COMMENT ON COLUMN story_members.url_key IS 'Key of the article.';
COMMENT ON COLUMN story_members.nearest_key IS 'The article whose text was nearest when this one joined; null for the one that the cluster began with.';
COMMENT ON COLUMN story_members.similarity IS 'Share of the runs of words of the shorter of the two texts that the other has as well, 0.6 to 1 (containment).';
COMMENT ON COLUMN story_members.resemblance IS 'Share of the runs of words of either that both have, 0.2 to 1 (Jaccard).';
COMMENT ON COLUMN story_members.joined_at IS 'When it joined, UTC.';

CREATE TABLE story_merges (
    cluster_id VARCHAR, merged_into VARCHAR, merged_at TIMESTAMP
);
COMMENT ON TABLE story_merges IS 'Clusters that turned out to be one story, one row a cluster that is no more.';
COMMENT ON COLUMN story_merges.cluster_id IS 'The cluster that is no more.';
COMMENT ON COLUMN story_merges.merged_into IS 'The older cluster that has its articles now.';
COMMENT ON COLUMN story_merges.merged_at IS 'When, UTC.';

CREATE TABLE story_state (
    load_number BIGINT, method VARCHAR
);
INSERT INTO story_state VALUES (-1, '');
COMMENT ON TABLE story_state IS 'How far clustering is, one row.';
COMMENT ON COLUMN story_state.load_number IS 'The last load whose texts were all looked at (loads.number).';
COMMENT ON COLUMN story_state.method IS 'How texts were sketched; where the program''s way is another, all is sketched anew.';
