-- Unified procedure steps. The revision is of the whole table, and rises with each change.
CREATE TABLE workitem (
    workitem_key INTEGER PRIMARY KEY AUTOINCREMENT,
    partition_key INTEGER NOT NULL REFERENCES partition,
    uid TEXT NOT NULL,
    revision INTEGER NOT NULL,
    dataset BLOB NOT NULL,
    UNIQUE (partition_key, uid)
);
CREATE INDEX workitem_revision ON workitem (revision);

CREATE TABLE workitem_value (
    workitem_key INTEGER NOT NULL REFERENCES workitem ON DELETE CASCADE,
    path TEXT NOT NULL,
    value TEXT NOT NULL
);
CREATE INDEX workitem_value_value ON workitem_value (path, value, workitem_key);
CREATE INDEX workitem_value_owner ON workitem_value (workitem_key);

CREATE TABLE subscription (
    partition_key INTEGER NOT NULL REFERENCES partition,
    workitem TEXT NOT NULL,
    ae_title TEXT NOT NULL,
    off INTEGER NOT NULL,
    deletion_lock INTEGER NOT NULL,
    filter TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (partition_key, workitem, ae_title)
);
