-- +goose Up
-- What customers say of the answers, which they want again, and how far each side has read.

CREATE TABLE feedback (
    conversation TEXT   NOT NULL,
    turn         TEXT   NOT NULL,              -- whose answer is rated
    seq          BIGINT NOT NULL,              -- of the event that made the rating known
    rating       TEXT   NOT NULL CHECK (rating IN ('up', 'down')),
    reason       TEXT   NOT NULL,              -- one of a few words, or ''
    text_sealed  BLOB,
    at           BIGINT NOT NULL,
    PRIMARY KEY (conversation, turn)
);

CREATE TABLE csat (
    conversation TEXT   NOT NULL PRIMARY KEY,
    seq          BIGINT NOT NULL,              -- of the event
    score        INTEGER NOT NULL CHECK (score BETWEEN 1 AND 5),
    text_sealed  BLOB,
    at           BIGINT NOT NULL
);

-- The number of the last event that the customer, or an agent, has seen; 0: none.
ALTER TABLE conversations ADD COLUMN read_customer BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN read_agent BIGINT NOT NULL DEFAULT 0;

-- The ended turn in whose place this one answers, or ''.
ALTER TABLE turns ADD COLUMN retry_of TEXT NOT NULL DEFAULT '';
