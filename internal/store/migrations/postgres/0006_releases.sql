-- +goose Up
-- What makes an assistant, beside its documents: its own files, by their hash. And the log
-- of what each assistant serves: its last entry is in force.

CREATE TABLE releases (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,       -- the hash of the files
    files     BYTEA  NOT NULL,                   -- a zip
    stored_at BIGINT NOT NULL
);

CREATE TABLE promotions (
    assistant   TEXT COLLATE "C" NOT NULL,
    n           BIGINT NOT NULL,                 -- from 1, without a gap
    what        TEXT COLLATE "C" NOT NULL CHECK (what IN ('promote', 'undo', 'ingest')),
    release     TEXT COLLATE "C" NOT NULL,                 -- '': the folder as it is, as before the first promotion
    generation  TEXT COLLATE "C" NOT NULL,
    back        BIGINT NOT NULL,                 -- what an undo returns to: another entry, or 0 for the folder
    promoted_by TEXT COLLATE "C" NOT NULL,
    promoted_at BIGINT NOT NULL,
    PRIMARY KEY (assistant, n),
    CHECK ((release = '') = (generation = '')),
    CHECK (back >= 0 AND back < n)
);
