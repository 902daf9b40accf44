-- +goose Up
-- The spine: conversations and their numbered events, messages, turns with their
-- journals, the keys that seal people's words. Columns named *_sealed hold words
-- under the customer's key (see seal.go). Times are microseconds since 1970, UTC.
-- Ids and words compare by bytes, as in SQLite.

CREATE TABLE customers (
    id          TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    outside_mac BYTEA,                          -- HMAC of the outside id, to find it by
    outside_sealed BYTEA,
    wrapped_key BYTEA   NOT NULL,               -- the customer's key under the installation key
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX customers_outside ON customers (outside_mac);

CREATE TABLE conversations (
    id         TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    customer   TEXT COLLATE "C"    NOT NULL,
    assistant  TEXT COLLATE "C"    NOT NULL,
    token_hash BYTEA    NOT NULL,               -- SHA-256 of the conversation's token
    owner      TEXT COLLATE "C"    NOT NULL CHECK (owner IN ('bot', 'queue', 'agent')),
    owner_name TEXT COLLATE "C"    NOT NULL,
    term       BIGINT  NOT NULL CHECK (term > 0),
    seq        BIGINT  NOT NULL CHECK (seq >= 0),
    turn       TEXT COLLATE "C"    NOT NULL,               -- the running turn, or ''
    waiting    TEXT COLLATE "C"    NOT NULL,               -- the turn that comes next, or ''
    shown      SMALLINT NOT NULL CHECK (shown IN (0, 1)),
    state      TEXT COLLATE "C"    NOT NULL,
    level      TEXT COLLATE "C"    NOT NULL CHECK (level IN ('full', 'fallback', 'extractive')),
    status     TEXT COLLATE "C"    NOT NULL CHECK (status IN ('open', 'closed', 'ended')),
    test       SMALLINT NOT NULL CHECK (test IN (0, 1)),
    metadata_sealed BYTEA,
    created_at BIGINT  NOT NULL,
    last_at    BIGINT  NOT NULL,
    queued_at  BIGINT
);
CREATE INDEX conversations_owner ON conversations (owner, last_at, id);

CREATE TABLE events (
    conversation TEXT COLLATE "C"   NOT NULL,
    seq          BIGINT NOT NULL CHECK (seq > 0),
    kind         TEXT COLLATE "C"   NOT NULL,
    turn         TEXT COLLATE "C"   NOT NULL,
    at           BIGINT NOT NULL,
    body_sealed  BYTEA   NOT NULL,
    entries_sealed BYTEA,                       -- of the turn's journal: the effects behind this event
    PRIMARY KEY (conversation, seq)
);

CREATE TABLE messages (
    conversation TEXT COLLATE "C"   NOT NULL,
    seq          BIGINT NOT NULL CHECK (seq > 0), -- of the event that made it known
    id           TEXT COLLATE "C"   NOT NULL,
    role         TEXT COLLATE "C"   NOT NULL CHECK (role IN ('customer', 'assistant', 'agent', 'system')),
    turn         TEXT COLLATE "C"   NOT NULL,
    client_id    TEXT COLLATE "C",
    at           BIGINT NOT NULL,
    body_sealed  BYTEA   NOT NULL,
    PRIMARY KEY (conversation, seq)
);
CREATE UNIQUE INDEX messages_client ON messages (conversation, client_id);

CREATE TABLE turns (
    conversation TEXT COLLATE "C"    NOT NULL,
    id           TEXT COLLATE "C"    NOT NULL,
    seq          BIGINT  NOT NULL,             -- the events of the turn are numbered from here on
    status       TEXT COLLATE "C"    NOT NULL CHECK (status IN ('waiting', 'running', 'ended')),
    node         TEXT COLLATE "C"    NOT NULL,             -- the process that answers it
    lives        BIGINT  NOT NULL CHECK (lives > 0),
    stop         SMALLINT NOT NULL CHECK (stop IN (0, 1)),
    final        SMALLINT NOT NULL CHECK (final IN (0, 1)),
    outcome      TEXT COLLATE "C"    NOT NULL,
    accepted_at  BIGINT  NOT NULL,
    ended_at     BIGINT,
    record_sealed BYTEA,
    PRIMARY KEY (conversation, id)
);
CREATE INDEX turns_id ON turns (id);
CREATE INDEX turns_open ON turns (node) WHERE status = 'running';

CREATE TABLE handoffs (
    conversation TEXT COLLATE "C"   NOT NULL,
    seq          BIGINT NOT NULL,              -- of the handoff event
    reason_trigger TEXT COLLATE "C" NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (conversation, seq)
);

CREATE TABLE nodes (
    id          TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    lease_until BIGINT NOT NULL,               -- on the database's clock
    started_at  BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id         TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    name       TEXT COLLATE "C"   NOT NULL,
    hash       BYTEA   NOT NULL,                -- SHA-256 of the key
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name);

CREATE TABLE generations (
    assistant    TEXT COLLATE "C"   NOT NULL,
    generation   TEXT COLLATE "C"   NOT NULL,
    source       TEXT COLLATE "C"   NOT NULL,              -- what was ingested, for people
    published_at BIGINT NOT NULL,
    PRIMARY KEY (assistant, published_at)
);

CREATE TABLE installation (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
