-- +goose Up
-- What customers say of the answers, which they want again, what
-- they send beside words, and how far each side has read.

CREATE TABLE feedback (
    conversation TEXT COLLATE "C"   NOT NULL,
    turn         TEXT COLLATE "C"   NOT NULL,              -- whose answer is rated
    seq          BIGINT NOT NULL,              -- of the event that made the rating known
    rating       TEXT COLLATE "C"   NOT NULL CHECK (rating IN ('up', 'down')),
    reason       TEXT COLLATE "C"   NOT NULL,              -- one of a few words, or ''
    text_sealed  BYTEA,
    at           BIGINT NOT NULL,
    PRIMARY KEY (conversation, turn)
);

CREATE TABLE csat (
    conversation TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    seq          BIGINT NOT NULL,              -- of the event
    score        SMALLINT NOT NULL CHECK (score BETWEEN 1 AND 5),
    text_sealed  BYTEA,
    at           BIGINT NOT NULL
);

-- The number of the last event that the customer, or an agent, has seen; 0: none.
ALTER TABLE conversations ADD COLUMN read_customer BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN read_agent BIGINT NOT NULL DEFAULT 0;

-- The ended turn in whose place this one answers, or ''.
ALTER TABLE turns ADD COLUMN retry_of TEXT COLLATE "C" NOT NULL DEFAULT '';

-- A file's contents are in parts, written as they arrive. Its row in files comes last: parts
-- without one are what is left of an upload that broke off.
CREATE TABLE files (
    conversation TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    sent         BIGINT NOT NULL,              -- number of the event of the message that has it; 0: not sent
    type         TEXT COLLATE "C" NOT NULL,
    bytes        BIGINT NOT NULL CHECK (bytes > 0),
    name_sealed  BYTEA NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (conversation, id)
);
CREATE INDEX files_unsent ON files (at) WHERE sent = 0;

CREATE TABLE file_parts (
    conversation TEXT COLLATE "C" NOT NULL,
    file         TEXT COLLATE "C" NOT NULL,
    n            BIGINT NOT NULL,              -- 0, 1, 2 …
    at           BIGINT NOT NULL,
    body_sealed  BYTEA NOT NULL,
    PRIMARY KEY (conversation, file, n)
);
