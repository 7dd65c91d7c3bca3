-- Loads are numbered, and a version knows the load that wrote it: what stands beside the store (the search index) can
-- tell what it has not seen yet. What was there before counts as load 0.
ALTER TABLE loads ADD COLUMN number BIGINT;
UPDATE loads SET number = 0;
COMMENT ON COLUMN loads.number IS 'Number of the load, growing; 0 for those from before loads had numbers.';
ALTER TABLE article_versions ADD COLUMN load_number BIGINT;
UPDATE article_versions SET load_number = 0;
COMMENT ON COLUMN article_versions.load_number IS 'The load that wrote the row (loads.number).';
