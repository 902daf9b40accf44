-- +goose Up
-- What operators set while the server runs: which assistants are switched off, and what
-- customers are told for a time. These are the company's own words, shown to anybody, and
-- so they are not sealed.

CREATE TABLE switched_off (
    assistant TEXT NOT NULL PRIMARY KEY,       -- '': all of them
    answers   TEXT NOT NULL CHECK (answers IN ('people', 'line')),
    line      TEXT NOT NULL,                   -- '': the assistant's own
    reason    TEXT NOT NULL,
    set_by    TEXT NOT NULL,
    set_at    BIGINT NOT NULL
);

CREATE TABLE notices (
    id         TEXT NOT NULL PRIMARY KEY,
    assistant  TEXT NOT NULL,                  -- '': all of them
    locale     TEXT NOT NULL,                  -- '': everybody's
    body       TEXT NOT NULL,
    url        TEXT NOT NULL,
    from_at    BIGINT NOT NULL,
    until_at   BIGINT NOT NULL CHECK (until_at > from_at),
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
