-- When a study is deleted, in microseconds; null for never.
ALTER TABLE study ADD COLUMN expires BIGINT;
CREATE INDEX study_expires ON study (expires);
