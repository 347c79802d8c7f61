CREATE TABLE query_tag (
    tag BIGINT PRIMARY KEY,
    creator TEXT NOT NULL,
    vr BIGINT NOT NULL,
    level BIGINT NOT NULL,
    status BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    operation TEXT NOT NULL
);

-- What a study, series or instance has for a query tag; owner is its key, by the level of the tag.
CREATE TABLE tag_value (
    tag BIGINT NOT NULL REFERENCES query_tag ON DELETE CASCADE,
    owner BIGINT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tag, owner)
);
CREATE INDEX tag_value_value ON tag_value (tag, value, owner);

CREATE TABLE tag_error (
    tag BIGINT NOT NULL REFERENCES query_tag ON DELETE CASCADE,
    watermark BIGINT NOT NULL,
    created BIGINT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (tag, watermark)
);

CREATE TABLE operation (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    status BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    tags TEXT NOT NULL,
    position BIGINT NOT NULL,
    final BIGINT NOT NULL
);
