-- +goose Up
-- What operators set while the server runs: which assistants are switched off, and what
-- customers are told for a time. These are the company's own words, shown to anybody, and
-- so they are not sealed.

CREATE TABLE switched_off (
    assistant TEXT COLLATE "C" NOT NULL PRIMARY KEY,       -- '': all of them
    answers   TEXT COLLATE "C" NOT NULL CHECK (answers IN ('people', 'line')),
    line      TEXT COLLATE "C" NOT NULL,                   -- '': the assistant's own
    reason    TEXT COLLATE "C" NOT NULL,
    set_by    TEXT COLLATE "C" NOT NULL,
    set_at    BIGINT NOT NULL
);

CREATE TABLE notices (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    assistant  TEXT COLLATE "C" NOT NULL,                  -- '': all of them
    locale     TEXT COLLATE "C" NOT NULL,                  -- '': everybody's
    body       TEXT COLLATE "C" NOT NULL,
    url        TEXT COLLATE "C" NOT NULL,
    from_at    BIGINT NOT NULL,
    until_at   BIGINT NOT NULL CHECK (until_at > from_at),
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
