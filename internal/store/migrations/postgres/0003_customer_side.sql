-- +goose Up
-- What customers say of the answers, which they want again, and how far each side has read.

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
