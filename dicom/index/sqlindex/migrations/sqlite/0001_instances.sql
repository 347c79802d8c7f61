CREATE TABLE partition (
    partition_key INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL
);

CREATE TABLE study (
    study_key INTEGER PRIMARY KEY AUTOINCREMENT,
    partition_key INTEGER NOT NULL REFERENCES partition,
    uid TEXT NOT NULL,
    newest INTEGER NOT NULL,
    instances INTEGER NOT NULL,
    series INTEGER NOT NULL,
    modalities TEXT NOT NULL,
    shown BLOB NOT NULL,
    patient_name TEXT, patient_id TEXT, patient_birth_date TEXT, accession_number TEXT, referring_physician TEXT,
    study_date TEXT, study_time TEXT, study_id TEXT, description TEXT,
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
    series_key INTEGER PRIMARY KEY AUTOINCREMENT,
    study_key INTEGER NOT NULL REFERENCES study,
    uid TEXT NOT NULL,
    newest INTEGER NOT NULL,
    instances INTEGER NOT NULL,
    shown BLOB NOT NULL,
    modality TEXT, number TEXT, performed_date TEXT, model TEXT,
    UNIQUE (study_key, uid)
);
CREATE INDEX series_uid ON series (uid);
CREATE INDEX series_modality ON series (modality, series_key);
CREATE INDEX series_performed_date ON series (performed_date, series_key);

CREATE TABLE instance (
    watermark INTEGER PRIMARY KEY AUTOINCREMENT,
    study_key INTEGER NOT NULL REFERENCES study,
    series_key INTEGER NOT NULL REFERENCES series,
    uid TEXT NOT NULL,
    sop_class TEXT NOT NULL,
    number TEXT,
    transfer_syntax TEXT NOT NULL,
    object TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    start INTEGER NOT NULL,
    layout BLOB,
    shown BLOB NOT NULL,
    UNIQUE (series_key, uid)
);
CREATE INDEX instance_study ON instance (study_key, watermark);
CREATE INDEX instance_series ON instance (series_key, watermark);
CREATE INDEX instance_uid ON instance (uid);
CREATE INDEX instance_class ON instance (sop_class, watermark);

CREATE TABLE metadata (
    watermark INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    deflated BLOB NOT NULL
);

CREATE TABLE change (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    partition_key INTEGER NOT NULL REFERENCES partition,
    study TEXT NOT NULL,
    series TEXT NOT NULL,
    instance TEXT NOT NULL,
    action INTEGER NOT NULL,
    watermark INTEGER NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX change_at ON change (at, sequence);

CREATE TABLE discarded (object TEXT PRIMARY KEY);

CREATE TABLE run (run INTEGER PRIMARY KEY AUTOINCREMENT, started INTEGER NOT NULL);
