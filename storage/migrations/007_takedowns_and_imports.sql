-- What was taken down for good, and where texts came from that somebody else had extracted.
CREATE TABLE takedowns (
    takedown_id VARCHAR, kind VARCHAR, target VARCHAR, site VARCHAR, url_keys VARCHAR[], reason VARCHAR,
    registered_at TIMESTAMP, erased_at TIMESTAMP, lifted_at TIMESTAMP, articles INTEGER, versions INTEGER,
    removed_blocks INTEGER, responses INTEGER
);
COMMENT ON TABLE takedowns IS 'What was erased for good, and why, one row a takedown. The texts are in no file of the data folder any more, and the URLs are not fetched again unless the takedown is lifted.';
COMMENT ON COLUMN takedowns.takedown_id IS 'Name of the takedown, that of its file in takedowns/.';
COMMENT ON COLUMN takedowns.kind IS 'url or site.';
COMMENT ON COLUMN takedowns.target IS 'The URL, or the name of the site.';
COMMENT ON COLUMN takedowns.site IS 'The site.';
COMMENT ON COLUMN takedowns.url_keys IS 'Keys of the URL and of those that led to the same article; empty for a site, of which every URL counts.';
COMMENT ON COLUMN takedowns.reason IS 'Why, as whoever ordered it said.';
COMMENT ON COLUMN takedowns.registered_at IS 'When it was ordered, UTC: from then on nobody can read the texts.';
COMMENT ON COLUMN takedowns.erased_at IS 'When the last file was rewritten, UTC; null while that is to be done.';
COMMENT ON COLUMN takedowns.lifted_at IS 'When it was lifted, UTC: from then on the URLs may be fetched again; null while it holds.';
COMMENT ON COLUMN takedowns.articles IS 'Articles erased.';
COMMENT ON COLUMN takedowns.versions IS 'Versions of articles erased.';
COMMENT ON COLUMN takedowns.removed_blocks IS 'Removed blocks erased.';
COMMENT ON COLUMN takedowns.responses IS 'Captured responses erased; null while that is to be done.';

ALTER TABLE article_versions ADD COLUMN source_file VARCHAR;
ALTER TABLE article_versions ADD COLUMN source_line INTEGER;
ALTER TABLE article_versions ADD COLUMN extracted_by VARCHAR;
COMMENT ON COLUMN article_versions.source_file IS 'File that the text was imported from, as it was named then; null for pages that were fetched.';
COMMENT ON COLUMN article_versions.source_line IS 'Line of that file, from 1; null where the file holds one article.';
COMMENT ON COLUMN article_versions.extracted_by IS 'Who had extracted the imported text, as the import was told; null for pages that were fetched.';

CREATE TABLE import_problems (
    run_id VARCHAR, source_file VARCHAR, source_line INTEGER, url VARCHAR, outcome VARCHAR, reason VARCHAR
);
COMMENT ON TABLE import_problems IS 'Articles of a corpus that an import did not take, one row an article; the first ten thousand of an import.';
COMMENT ON COLUMN import_problems.run_id IS 'The import (runs.run_id).';
COMMENT ON COLUMN import_problems.source_file IS 'The file.';
COMMENT ON COLUMN import_problems.source_line IS 'The line of it, from 1; null where the file holds one article.';
COMMENT ON COLUMN import_problems.url IS 'URL of the article, if it can be read.';
COMMENT ON COLUMN import_problems.outcome IS 'Why it was not taken, a word: bad_record, bad_url, empty, too_large.';
COMMENT ON COLUMN import_problems.reason IS 'The same in a sentence, with the mend.';
