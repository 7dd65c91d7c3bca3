-- For the catalogue of a lake (Postgres): tells the least and greatest text of each column anew, from the files that are
-- left, so that a text that was erased does not stay behind as the greatest of its column.
UPDATE ducklake_table_column_stats t SET min_value = s.least, max_value = s.greatest
FROM (
    SELECT c.table_id, c.column_id, min(f.min_value COLLATE "C") AS least, max(f.max_value COLLATE "C") AS greatest
    FROM ducklake_column c LEFT JOIN ducklake_file_column_stats f USING (table_id, column_id)
    WHERE c.column_type = 'varchar' GROUP BY c.table_id, c.column_id
) s
WHERE s.table_id = t.table_id AND s.column_id = t.column_id
    AND (t.min_value, t.max_value) IS DISTINCT FROM (s.least, s.greatest);
