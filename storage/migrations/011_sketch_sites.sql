-- Texts of one site are compared more strictly, so a sketch knows its site. All texts are sketched anew (another method).
ALTER TABLE text_sketches ADD COLUMN site VARCHAR;
COMMENT ON COLUMN text_sketches.site IS 'The site.';
COMMENT ON COLUMN text_sketches.shingles IS 'Runs of 3 words in article_body (of 6 characters in Chinese, Japanese and Thai): about its words.';
