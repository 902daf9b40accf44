-- +goose Up
-- What makes an assistant, beside its documents: its own files, by their hash. And the log
-- of what each assistant serves: its last entry is in force.

CREATE TABLE releases (
    id        TEXT   NOT NULL PRIMARY KEY,       -- the hash of the files
    files     BLOB   NOT NULL,                   -- a zip
    stored_at BIGINT NOT NULL
);

CREATE TABLE promotions (
    assistant   TEXT   NOT NULL,
    n           BIGINT NOT NULL,                 -- from 1, without a gap
    what        TEXT   NOT NULL CHECK (what IN ('promote', 'undo', 'ingest')),
    release     TEXT   NOT NULL,                 -- '': the folder as it is, as before the first promotion
    generation  TEXT   NOT NULL,
    back        BIGINT NOT NULL,                 -- what an undo returns to: another entry, or 0 for the folder
    promoted_by TEXT   NOT NULL,
    promoted_at BIGINT NOT NULL,
    PRIMARY KEY (assistant, n),
    CHECK ((release = '') = (generation = '')),
    CHECK (back >= 0 AND back < n)
);
