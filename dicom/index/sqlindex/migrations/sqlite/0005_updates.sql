-- What an instance was before it was first changed in place, by the watermark of what it is now.
CREATE TABLE original (
    watermark INTEGER PRIMARY KEY,
    transfer_syntax TEXT NOT NULL,
    object TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    start INTEGER NOT NULL,
    layout BLOB,
    metadata_size INTEGER NOT NULL,
    metadata_crc INTEGER NOT NULL,
    metadata_deflated BLOB NOT NULL
);

-- What an operation is to do, and what came of it, as JSON.
ALTER TABLE operation ADD COLUMN request BLOB;
ALTER TABLE operation ADD COLUMN results BLOB;
