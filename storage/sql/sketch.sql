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

CREATE OR REPLACE TEMP MACRO runs(h, by_character) AS list_distinct(CASE
    WHEN by_character THEN list_transform(range(1, len(h) - 4),
        lambda i: (hash(h[i], h[i + 1], h[i + 2], h[i + 3], h[i + 4], h[i + 5]) >> 32)::UINTEGER)
    ELSE list_transform(range(1, len(h) - 1), lambda i: (hash(h[i], h[i + 1], h[i + 2]) >> 32)::UINTEGER)
    END);

-- Whether most of a text stands in a script that does not part words: its words are then mostly of one character.
CREATE OR REPLACE TEMP MACRO by_character(h, characters) AS len(h) * 3 > characters;

-- The 32 smallest, sorted out of some 96, which is a fifth of the work of sorting all.
CREATE OR REPLACE TEMP MACRO least_values(shingles) AS
    list_sort(list_filter(shingles, lambda value: value < 4294967296 * 96 // len(shingles)))[:32];

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

CREATE OR REPLACE TEMP TABLE fresh_texts AS
SELECT url_key, version, load_number, runs(h, by_character(h, characters)) AS shingles
FROM (
    SELECT v.url_key, v.version, v.load_number, word_hashes(article_body) AS h, characters
    FROM article_versions v
    WHERE v.rowid BETWEEN getvariable('first_place') AND getvariable('last_place')
        AND v.rowid IN (SELECT place FROM fresh)
);

DELETE FROM text_sketches WHERE (url_key, version) IN (SELECT (url_key, version) FROM fresh);

INSERT INTO text_sketches BY NAME
SELECT url_key, version, load_number, len(shingles)::INTEGER AS shingles,
    CASE WHEN len(shingles) >= 20 THEN least_values(shingles) ELSE [] END AS sketch
FROM fresh_texts;

-- 2. Texts that share values of their sketches; a text is known by the place of its sketch. A value that stands in many
-- texts is a phrase of everybody's: of each value the 64 oldest texts are taken, of each new text the 4 that share most.
CREATE OR REPLACE TEMP TABLE probes AS
SELECT rowid AS text, url_key, unnest(sketch) AS value
FROM text_sketches
WHERE load_number > getvariable('stories_since') AND (url_key, version) IN (SELECT (url_key, version) FROM fresh);

CREATE OR REPLACE TEMP TABLE hits AS
SELECT value, text FROM (SELECT rowid AS text, unnest(sketch) AS value FROM text_sketches)
WHERE value IN (SELECT value FROM probes)
QUALIFY row_number() OVER (PARTITION BY value ORDER BY text) <= 64;

CREATE OR REPLACE TEMP TABLE candidates AS
WITH sharing AS (
    SELECT p.text, p.url_key, h.text AS other, count(*) AS shared
    FROM probes p JOIN hits h USING (value) GROUP BY ALL HAVING shared >= 4
), ranked AS (
    SELECT h.text, h.other
    FROM sharing h JOIN text_sketches s ON s.rowid = h.other
    WHERE s.url_key <> h.url_key
    QUALIFY row_number() OVER (PARTITION BY h.text ORDER BY shared DESC, h.other) <= 4
)
SELECT DISTINCT least(text, other) AS a, greatest(text, other) AS b FROM ranked;

-- 3. Their whole sets. Stored texts are unpacked by the 2,048 rows in which one is wanted: a filter on the number of
-- their vector is one that a scan asks before it unpacks (a join with their keys unpacks all texts of the store).
CREATE OR REPLACE TEMP TABLE compared AS
SELECT rowid AS text, url_key, version FROM text_sketches
WHERE rowid IN (SELECT a FROM candidates UNION ALL SELECT b FROM candidates);

CREATE OR REPLACE TEMP TABLE texts AS
SELECT text, url_key, shingles FROM compared JOIN fresh_texts USING (url_key, version);

CREATE OR REPLACE TEMP TABLE wanted AS
SELECT v.rowid AS place, c.text
FROM article_versions v JOIN compared c USING (url_key, version)
WHERE c.text NOT IN (SELECT text FROM texts);

SET VARIABLE vectors = (SELECT coalesce(list(DISTINCT place // 2048), []) FROM wanted);

INSERT INTO texts BY NAME
SELECT text, url_key, runs(h, by_character(h, characters)) AS shingles
FROM (
    SELECT w.text, v.url_key, word_hashes(v.article_body) AS h, v.characters
    FROM article_versions v JOIN wanted w ON w.place = v.rowid
    WHERE list_contains(getvariable('vectors'), v.rowid // 2048)
);

-- 4. The pairs that are copies: the shorter text has most of its runs from the other, and is a fair part of it (a
-- column of five short news in brief is no copy of one of them).
CREATE OR REPLACE TEMP TABLE links AS
SELECT a, b, max(similarity) AS similarity, arg_max(resemblance, similarity) AS resemblance
FROM (
    SELECT x.url_key AS a, y.url_key AS b, len(list_intersect(x.shingles, y.shingles)) AS shared,
        shared / least(len(x.shingles), len(y.shingles)) AS similarity,
        shared / (len(x.shingles) + len(y.shingles) - shared) AS resemblance
    FROM candidates c JOIN texts x ON x.text = c.a JOIN texts y ON y.text = c.b
)
WHERE similarity >= 0.6 AND resemblance >= 0.2
GROUP BY a, b;
