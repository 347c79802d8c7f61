-- What an instance was before it was first changed in place, by the watermark of what it is now.
CREATE TABLE original (
    watermark BIGINT PRIMARY KEY,
    transfer_syntax TEXT NOT NULL,
    object TEXT NOT NULL UNIQUE,
    size BIGINT NOT NULL,
    start BIGINT NOT NULL,
    layout BYTEA,
    metadata_size BIGINT NOT NULL,
    metadata_crc BIGINT NOT NULL,
    metadata_deflated BYTEA NOT NULL
);

-- What an operation is to do, and what came of it, as JSON.
ALTER TABLE operation ADD COLUMN request BYTEA;
ALTER TABLE operation ADD COLUMN results BYTEA;
