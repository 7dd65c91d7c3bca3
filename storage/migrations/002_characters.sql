-- The length of each text, so that questions about lengths need not unpack the texts.
ALTER TABLE article_versions ADD COLUMN characters INTEGER;
UPDATE article_versions SET characters = length(article_body);
COMMENT ON COLUMN article_versions.characters IS 'Length of article_body, characters.';
