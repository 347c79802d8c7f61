-- For lists of the newest studies of a partition.
CREATE INDEX study_newest ON study (partition_key, study_key);
