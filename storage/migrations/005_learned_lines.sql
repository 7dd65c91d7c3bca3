-- Lines that recur over the articles of a site and are taken out of those that are fetched next.
CREATE TABLE learned_lines (
    site VARCHAR, fingerprint VARCHAR, text VARCHAR, pages INTEGER, of_pages INTEGER, learned_at TIMESTAMP,
    learned_version VARCHAR, revoked BOOLEAN
);
COMMENT ON TABLE learned_lines IS 'Lines that recur over the articles of a site as only boilerplate does, one row a line: taken out of the articles that are fetched next, unless revoked.';
COMMENT ON COLUMN learned_lines.site IS 'The site.';
COMMENT ON COLUMN learned_lines.fingerprint IS 'Fingerprint of the line: 16 hexadecimal digits, equal where only case, punctuation and white space differ.';
COMMENT ON COLUMN learned_lines.text IS 'The line as it was met first.';
COMMENT ON COLUMN learned_lines.pages IS 'Articles that had it when it was learned.';
COMMENT ON COLUMN learned_lines.of_pages IS 'Articles that were looked at: the newest of the site.';
COMMENT ON COLUMN learned_lines.learned_at IS 'When the lines of the site last became others, UTC.';
COMMENT ON COLUMN learned_lines.learned_version IS 'Version of the lines of the site together (article_versions.learned_version).';
COMMENT ON COLUMN learned_lines.revoked IS 'Whether a person said that it is the articles'' own; it is then never taken out.';
