-- Captures that were read again, and what the store was told of it.
CREATE TABLE reextractions (
    reextraction_id VARCHAR, state VARCHAR, started_at TIMESTAMP, compared_at TIMESTAMP, promoted_at TIMESTAMP,
    rolled_back_at TIMESTAMP, wanted VARCHAR, extractor_version VARCHAR, version VARCHAR, pages INTEGER, gone INTEGER,
    verdict VARCHAR, reasons VARCHAR[], load_number BIGINT
);
COMMENT ON TABLE reextractions IS 'Re-extractions: captures read again by another version of the extraction or with other rules, one row each.';
COMMENT ON COLUMN reextractions.reextraction_id IS 'Name of the re-extraction, that of its folder in reextractions/.';
COMMENT ON COLUMN reextractions.state IS 'compared (waits for a decision), promoted, rolled_back or discarded.';
COMMENT ON COLUMN reextractions.started_at IS 'Start, UTC.';
COMMENT ON COLUMN reextractions.compared_at IS 'When all was read again and compared, UTC.';
COMMENT ON COLUMN reextractions.promoted_at IS 'When its readings came into the store, UTC; null if they never did.';
COMMENT ON COLUMN reextractions.rolled_back_at IS 'When the former readings came back, UTC; null if they did not.';
COMMENT ON COLUMN reextractions.wanted IS 'What was asked for (sites, days, limit), a JSON object.';
COMMENT ON COLUMN reextractions.extractor_version IS 'Version of the extraction that read the captures again.';
COMMENT ON COLUMN reextractions.version IS 'Version of the program.';
COMMENT ON COLUMN reextractions.pages IS 'Pages that were read again.';
COMMENT ON COLUMN reextractions.gone IS 'Pages whose captures are gone; their rows are kept as they are.';
COMMENT ON COLUMN reextractions.verdict IS 'What the gate said: pass or hold.';
COMMENT ON COLUMN reextractions.reasons IS 'Why the gate held it, a sentence each.';
COMMENT ON COLUMN reextractions.load_number IS 'The last load that it made (loads.number): its promotion or its roll-back.';

CREATE TABLE reextraction_sites (
    reextraction_id VARCHAR, site VARCHAR, pages INTEGER, gone INTEGER, articles INTEGER, same INTEGER,
    fields_changed INTEGER, text_changed INTEGER, newly_article INTEGER, newly_rejected INTEGER, failed INTEGER,
    blocks_lost INTEGER, blocks_gained INTEGER, characters BIGINT, characters_lost BIGINT, characters_gained BIGINT,
    fields_lost MAP(VARCHAR, INTEGER)
);
COMMENT ON TABLE reextraction_sites IS 'Re-extractions by site: what would change, or did. A text counts once, however often its page was fetched.';
COMMENT ON COLUMN reextraction_sites.reextraction_id IS 'The re-extraction.';
COMMENT ON COLUMN reextraction_sites.site IS 'The site.';
COMMENT ON COLUMN reextraction_sites.pages IS 'Pages that were read again.';
COMMENT ON COLUMN reextraction_sites.gone IS 'Pages whose captures are gone.';
COMMENT ON COLUMN reextraction_sites.articles IS 'Texts of articles that were compared.';
COMMENT ON COLUMN reextraction_sites.same IS 'Texts and rejections that stay as they are.';
COMMENT ON COLUMN reextraction_sites.fields_changed IS 'Articles whose text stays and whose metadata change.';
COMMENT ON COLUMN reextraction_sites.text_changed IS 'Articles whose text changes.';
COMMENT ON COLUMN reextraction_sites.newly_article IS 'Pages that were rejected and are articles now.';
COMMENT ON COLUMN reextraction_sites.newly_rejected IS 'Articles that are rejected now.';
COMMENT ON COLUMN reextraction_sites.failed IS 'Articles whose pages could not be read again, by a failure of ours: they stay as they are.';
COMMENT ON COLUMN reextraction_sites.blocks_lost IS 'Blocks that stood in a text and do no more, those of rejected articles not counted.';
COMMENT ON COLUMN reextraction_sites.blocks_gained IS 'Blocks that did not stand in a text and do now.';
COMMENT ON COLUMN reextraction_sites.characters IS 'Characters of the articles as they were.';
COMMENT ON COLUMN reextraction_sites.characters_lost IS 'Characters of the words that are lost, wherever in the text they stood.';
COMMENT ON COLUMN reextraction_sites.characters_gained IS 'Characters of the words that are gained.';
COMMENT ON COLUMN reextraction_sites.fields_lost IS 'Articles that had a headline, authors, a date or a language and have none now, by the name of the field.';

CREATE TABLE departures (url_key VARCHAR, load_number BIGINT);
COMMENT ON TABLE departures IS 'Articles that left the store, one row a departure, so that what stands beside the store can forget them. They may have come back since.';
COMMENT ON COLUMN departures.url_key IS 'Key of the article.';
COMMENT ON COLUMN departures.load_number IS 'The load with which it left (loads.number).';

ALTER TABLE article_versions ADD COLUMN rules_version VARCHAR;
COMMENT ON COLUMN article_versions.rules_version IS 'Version of what the site''s file changes of the extraction; null if it changes nothing, and in rows from before it was kept.';
ALTER TABLE article_versions ADD COLUMN reextraction_id VARCHAR;
COMMENT ON COLUMN article_versions.reextraction_id IS 'The re-extraction that read the page last; null if it was read once, when it was fetched.';
ALTER TABLE fetches ADD COLUMN reextraction_id VARCHAR;
COMMENT ON COLUMN fetches.reextraction_id IS 'The re-extraction that read the page last; null if it was read once, when it was fetched.';
