-- For lists of the newest studies of a partition.
CREATE INDEX study_newest ON study (partition_key, study_key);

-- Ranges and beginnings are compared byte by byte, whatever the language of the database.
ALTER TABLE study ALTER COLUMN study_time TYPE TEXT COLLATE "C", ALTER COLUMN description TYPE TEXT COLLATE "C";
ALTER TABLE workitem_value ALTER COLUMN value TYPE TEXT COLLATE "C", ALTER COLUMN path TYPE TEXT COLLATE "C";
