-- Organisations that a page names as authors beside the persons. Rows from before do not know: their pages were read
-- for persons alone.
ALTER TABLE article_versions ADD COLUMN author_organisations VARCHAR[];
COMMENT ON COLUMN article_versions.author_organisations IS 'Agencies, newsrooms and sites named as authors; null in rows from before they were kept.';
