CREATE TABLE partition (
    partition_key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created BIGINT NOT NULL
);

CREATE TABLE study (
    study_key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition_key BIGINT NOT NULL REFERENCES partition,
    uid TEXT COLLATE "C" NOT NULL,
    newest BIGINT NOT NULL,
    instances BIGINT NOT NULL,
    series BIGINT NOT NULL,
    modalities TEXT NOT NULL,
    shown BYTEA NOT NULL,
    patient_name TEXT COLLATE "C", patient_id TEXT COLLATE "C", patient_birth_date TEXT COLLATE "C", accession_number TEXT COLLATE "C", referring_physician TEXT COLLATE "C",
    study_date TEXT COLLATE "C", study_time TEXT, study_id TEXT COLLATE "C", description TEXT,
    UNIQUE (partition_key, uid)
);
CREATE INDEX study_patient_id ON study (partition_key, patient_id, study_key);
CREATE INDEX study_patient_name ON study (partition_key, patient_name, study_key);
CREATE INDEX study_birth_date ON study (partition_key, patient_birth_date, study_key);
CREATE INDEX study_accession_number ON study (partition_key, accession_number, study_key);
CREATE INDEX study_referring_physician ON study (partition_key, referring_physician, study_key);
CREATE INDEX study_date ON study (partition_key, study_date, study_key);
CREATE INDEX study_id ON study (partition_key, study_id, study_key);

CREATE TABLE series (
    series_key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study_key BIGINT NOT NULL REFERENCES study,
    uid TEXT COLLATE "C" NOT NULL,
    newest BIGINT NOT NULL,
    instances BIGINT NOT NULL,
    shown BYTEA NOT NULL,
    modality TEXT COLLATE "C", number TEXT, performed_date TEXT COLLATE "C", model TEXT,
    UNIQUE (study_key, uid)
);
CREATE INDEX series_uid ON series (uid);
CREATE INDEX series_modality ON series (modality, series_key);
CREATE INDEX series_performed_date ON series (performed_date, series_key);

CREATE TABLE instance (
    watermark BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study_key BIGINT NOT NULL REFERENCES study,
    series_key BIGINT NOT NULL REFERENCES series,
    uid TEXT COLLATE "C" NOT NULL,
    sop_class TEXT NOT NULL,
    number TEXT,
    transfer_syntax TEXT NOT NULL,
    object TEXT COLLATE "C" NOT NULL UNIQUE,
    size BIGINT NOT NULL,
    start BIGINT NOT NULL,
    layout BYTEA,
    shown BYTEA NOT NULL,
    UNIQUE (series_key, uid)
);
CREATE INDEX instance_study ON instance (study_key, watermark);
CREATE INDEX instance_series ON instance (series_key, watermark);
CREATE INDEX instance_uid ON instance (uid);
CREATE INDEX instance_class ON instance (sop_class, watermark);

CREATE TABLE metadata (
    watermark BIGINT PRIMARY KEY,
    size BIGINT NOT NULL,
    crc BIGINT NOT NULL,
    deflated BYTEA NOT NULL
);

CREATE TABLE change (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition_key BIGINT NOT NULL REFERENCES partition,
    study TEXT NOT NULL,
    series TEXT NOT NULL,
    instance TEXT NOT NULL,
    action BIGINT NOT NULL,
    watermark BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX change_at ON change (at, sequence);

CREATE TABLE discarded (object TEXT COLLATE "C" PRIMARY KEY);

CREATE TABLE run (run BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, started BIGINT NOT NULL);
