CREATE TABLE query_tag (
    tag INTEGER PRIMARY KEY,
    creator TEXT NOT NULL,
    vr INTEGER NOT NULL,
    level INTEGER NOT NULL,
    status INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    operation TEXT NOT NULL
);

-- What a study, series or instance has for a query tag; owner is its key, by the level of the tag.
CREATE TABLE tag_value (
    tag INTEGER NOT NULL REFERENCES query_tag ON DELETE CASCADE,
    owner INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (tag, owner)
);
CREATE INDEX tag_value_value ON tag_value (tag, value, owner);

CREATE TABLE tag_error (
    tag INTEGER NOT NULL REFERENCES query_tag ON DELETE CASCADE,
    watermark INTEGER NOT NULL,
    created INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (tag, watermark)
);

CREATE TABLE operation (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    status INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    tags TEXT NOT NULL,
    position INTEGER NOT NULL,
    final INTEGER NOT NULL
);
