-- +goose Up
-- The spine: conversations and their numbered events, messages, turns with their
-- journals, the keys that seal people's words. Columns named *_sealed hold words
-- under the customer's key (see seal.go). Times are microseconds since 1970, UTC.
-- The hot tables are rowid tables on purpose: they append at one end.

CREATE TABLE customers (
    id          TEXT   NOT NULL PRIMARY KEY,
    outside_mac BLOB,                          -- HMAC of the outside id, to find it by
    outside_sealed BLOB,
    wrapped_key BLOB   NOT NULL,               -- the customer's key under the installation key
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX customers_outside ON customers (outside_mac);

CREATE TABLE conversations (
    id         TEXT    NOT NULL PRIMARY KEY,
    customer   TEXT    NOT NULL,
    assistant  TEXT    NOT NULL,
    token_hash BLOB    NOT NULL,               -- SHA-256 of the conversation's token
    owner      TEXT    NOT NULL CHECK (owner IN ('bot', 'queue', 'agent')),
    owner_name TEXT    NOT NULL,
    term       BIGINT  NOT NULL CHECK (term > 0),
    seq        BIGINT  NOT NULL CHECK (seq >= 0),
    turn       TEXT    NOT NULL,               -- the running turn, or ''
    waiting    TEXT    NOT NULL,               -- the turn that comes next, or ''
    shown      INTEGER NOT NULL CHECK (shown IN (0, 1)),
    state      TEXT    NOT NULL,
    level      TEXT    NOT NULL CHECK (level IN ('full', 'fallback', 'extractive')),
    status     TEXT    NOT NULL CHECK (status IN ('open', 'closed', 'ended')),
    test       INTEGER NOT NULL CHECK (test IN (0, 1)),
    metadata_sealed BLOB,
    created_at BIGINT  NOT NULL,
    last_at    BIGINT  NOT NULL,
    queued_at  BIGINT
);
CREATE INDEX conversations_owner ON conversations (owner, last_at, id);

CREATE TABLE events (
    conversation TEXT   NOT NULL,
    seq          BIGINT NOT NULL CHECK (seq > 0),
    kind         TEXT   NOT NULL,
    turn         TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    body_sealed  BLOB   NOT NULL,
    entries_sealed BLOB,                       -- of the turn's journal: the effects behind this event
    PRIMARY KEY (conversation, seq)
);

CREATE TABLE messages (
    conversation TEXT   NOT NULL,
    seq          BIGINT NOT NULL CHECK (seq > 0), -- of the event that made it known
    id           TEXT   NOT NULL,
    role         TEXT   NOT NULL CHECK (role IN ('customer', 'assistant', 'agent', 'system')),
    turn         TEXT   NOT NULL,
    client_id    TEXT,
    at           BIGINT NOT NULL,
    body_sealed  BLOB   NOT NULL,
    PRIMARY KEY (conversation, seq)
);
CREATE UNIQUE INDEX messages_client ON messages (conversation, client_id);

CREATE TABLE turns (
    conversation TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    seq          BIGINT  NOT NULL,             -- the events of the turn are numbered from here on
    status       TEXT    NOT NULL CHECK (status IN ('waiting', 'running', 'ended')),
    node         TEXT    NOT NULL,             -- the process that answers it
    lives        BIGINT  NOT NULL CHECK (lives > 0),
    stop         INTEGER NOT NULL CHECK (stop IN (0, 1)),
    final        INTEGER NOT NULL CHECK (final IN (0, 1)),
    outcome      TEXT    NOT NULL,
    accepted_at  BIGINT  NOT NULL,
    ended_at     BIGINT,
    record_sealed BLOB,
    PRIMARY KEY (conversation, id)
);
CREATE INDEX turns_id ON turns (id);
CREATE INDEX turns_open ON turns (node) WHERE status = 'running';

CREATE TABLE handoffs (
    conversation TEXT   NOT NULL,
    seq          BIGINT NOT NULL,              -- of the handoff event
    reason_trigger TEXT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (conversation, seq)
);

CREATE TABLE nodes (
    id          TEXT   NOT NULL PRIMARY KEY,
    lease_until BIGINT NOT NULL,               -- on the database's clock
    started_at  BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    hash       BLOB   NOT NULL,                -- SHA-256 of the key
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name);

CREATE TABLE generations (
    assistant    TEXT   NOT NULL,
    generation   TEXT   NOT NULL,
    source       TEXT   NOT NULL,              -- what was ingested, for people
    published_at BIGINT NOT NULL,
    PRIMARY KEY (assistant, published_at)
);

CREATE TABLE installation (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
);
