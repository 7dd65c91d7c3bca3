-- Sketches the next texts that have none, and finds the stored texts that theirs are copies of.
-- Variables: stories_since (BIGINT, the last load that is done), stories_chunk (INTEGER, at most so many texts).
--
-- A text is the set of its runs of 3 words, 6 characters where words are not parted (Broder, "On the resemblance and
-- containment of documents", 1997). Its sketch is the 32 smallest hashes of the set. Texts that share 4 of those are
-- compared by their whole sets.

CREATE OR REPLACE TEMP MACRO word_hashes(text) AS list_transform(string_split(trim(regexp_replace(
    CASE WHEN regexp_matches(text, '[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]')
        THEN regexp_replace(lower(text), '([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])', '\1 ', 'g')
        ELSE lower(text) END,
    '[^\p{L}\p{N}\p{M}]+', ' ', 'g')), ' '), lambda word: hash(word));

CREATE OR REPLACE TEMP MACRO runs(h, by_character) AS CASE
    WHEN by_character THEN list_transform(range(1, len(h) - 4),
        lambda i: (hash(h[i], h[i + 1], h[i + 2], h[i + 3], h[i + 4], h[i + 5]) >> 32)::UINTEGER)
    ELSE list_transform(range(1, len(h) - 1), lambda i: (hash(h[i], h[i + 1], h[i + 2]) >> 32)::UINTEGER)
    END;

-- Whether most of a text stands in a script that does not part words: its words are then mostly of one character.
CREATE OR REPLACE TEMP MACRO by_character(h, characters) AS len(h) * 3 > characters;

-- The 32 smallest, sorted out of some 96, which is a fifth of the work of sorting all.
CREATE OR REPLACE TEMP MACRO least_values(runs) AS list_sort(list_distinct(
    list_filter(runs, lambda value: value < 4294967296 * 96 // len(runs))))[:32];

-- 1. The next texts.
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT v.rowid AS place, v.url_key, v.version, v.load_number
FROM article_versions v
ANTI JOIN text_sketches s ON s.url_key = v.url_key AND s.version = v.version AND s.load_number = v.load_number
    AND s.load_number > getvariable('stories_since')
WHERE v.load_number > getvariable('stories_since')
ORDER BY place LIMIT getvariable('stories_chunk');

SET VARIABLE first_place = (SELECT min(place) FROM fresh);
SET VARIABLE last_place = (SELECT max(place) FROM fresh);

-- Words and runs in two steps: over the result of a join, or in one, the runs take five times the time.
CREATE OR REPLACE TEMP TABLE fresh_words AS
SELECT v.url_key, v.version, v.load_number, v.site, v.characters, word_hashes(v.article_body) AS h
FROM article_versions v JOIN fresh f ON f.place = v.rowid
WHERE v.rowid BETWEEN getvariable('first_place') AND getvariable('last_place');

CREATE OR REPLACE TEMP TABLE fresh_texts AS
SELECT url_key, version, load_number, site, runs(h, by_character(h, characters)) AS runs FROM fresh_words;

DELETE FROM text_sketches WHERE (url_key, version) IN (SELECT (url_key, version) FROM fresh);

INSERT INTO text_sketches BY NAME
SELECT url_key, version, load_number, site, len(runs)::INTEGER AS shingles,
    CASE WHEN len(runs) >= 20 THEN least_values(runs) ELSE [] END AS sketch
FROM fresh_texts;

-- 2. Texts that share values of their sketches; a text is known by the place of its sketch. A value that stands in many
-- texts is a phrase of everybody's: of each value the 32 newest texts are taken, 4 of a site, and of each new text the 3
-- that share most. Houses write results, weather and markets after patterns of their own: texts of one site must share
-- nearly all.
CREATE OR REPLACE TEMP TABLE probes AS
SELECT rowid AS text, url_key, site, unnest(sketch) AS value
FROM text_sketches
WHERE load_number > getvariable('stories_since') AND (url_key, version) IN (SELECT (url_key, version) FROM fresh);

CREATE OR REPLACE TEMP TABLE hits AS
WITH newest AS (
    SELECT value, text, url_key, site
    FROM (SELECT rowid AS text, url_key, site, unnest(sketch) AS value FROM text_sketches)
    WHERE value IN (SELECT value FROM probes)
    QUALIFY row_number() OVER (PARTITION BY value, site ORDER BY text DESC) <= 4
)
FROM newest QUALIFY row_number() OVER (PARTITION BY value ORDER BY text DESC) <= 32;

CREATE OR REPLACE TEMP TABLE candidates AS
WITH sharing AS (
    SELECT p.text, h.text AS other, count(*) AS shared
    FROM probes p JOIN hits h ON h.value = p.value AND h.url_key <> p.url_key
    GROUP BY ALL HAVING shared >= 4 AND (shared >= 22 OR any_value(p.site) IS DISTINCT FROM any_value(h.site))
), ranked AS (
    FROM sharing QUALIFY row_number() OVER (PARTITION BY text ORDER BY shared DESC, other DESC) <= 3
)
SELECT DISTINCT least(text, other) AS a, greatest(text, other) AS b FROM ranked;

-- 3. Their whole sets. Stored texts are unpacked by the 2,048 rows in which one is wanted: a filter on the number of
-- their vector is one that a scan asks before it unpacks (a join with their keys unpacks all texts of the store).
CREATE OR REPLACE TEMP TABLE compared AS
SELECT rowid AS text, url_key, version FROM text_sketches
WHERE rowid IN (SELECT a FROM candidates UNION ALL SELECT b FROM candidates);

CREATE OR REPLACE TEMP TABLE texts AS
SELECT text, url_key, site, runs FROM compared JOIN fresh_texts USING (url_key, version);

CREATE OR REPLACE TEMP TABLE wanted AS
SELECT v.rowid AS place, c.text
FROM article_versions v JOIN compared c USING (url_key, version)
WHERE c.text NOT IN (SELECT text FROM texts);

SET VARIABLE vectors = (SELECT coalesce(list(DISTINCT place // 2048), []) FROM wanted);

CREATE OR REPLACE TEMP TABLE wanted_words AS
SELECT w.text, v.url_key, v.site, v.characters, word_hashes(v.article_body) AS h
FROM article_versions v JOIN wanted w ON w.place = v.rowid
WHERE list_contains(getvariable('vectors'), v.rowid // 2048);

INSERT INTO texts BY NAME
SELECT text, url_key, site, runs(h, by_character(h, characters)) AS runs FROM wanted_words;

CREATE OR REPLACE TEMP TABLE sets AS SELECT DISTINCT text, unnest(runs) AS run FROM texts;

CREATE OR REPLACE TEMP TABLE sizes AS SELECT text, count(*) AS size FROM sets GROUP BY text;

CREATE OR REPLACE TEMP TABLE halves AS SELECT c.a, c.b, x.run FROM candidates c JOIN sets x ON x.text = c.a;

-- 4. The pairs that are copies: the shorter text has most of its runs from the other, and is a fair part of it (a
-- column of five short news in brief is no copy of one of them).
CREATE OR REPLACE TEMP TABLE links AS
WITH pairs AS (
    SELECT h.a, h.b, count(*) AS shared FROM halves h JOIN sets y ON y.text = h.b AND y.run = h.run GROUP BY h.a, h.b
), measured AS (
    SELECT x.url_key AS a, y.url_key AS b, x.site = y.site AS one_site, shared / least(m.size, n.size) AS similarity,
        shared / (m.size + n.size - shared) AS resemblance
    FROM pairs p JOIN texts x ON x.text = p.a JOIN texts y ON y.text = p.b
    JOIN sizes m ON m.text = p.a JOIN sizes n ON n.text = p.b
)
SELECT a, b, max(similarity) AS similarity, arg_max(resemblance, similarity) AS resemblance
FROM measured
WHERE similarity >= CASE WHEN one_site THEN 0.9 ELSE 0.6 END AND resemblance >= 0.2
GROUP BY a, b;
