-- +goose Up
-- A stateless turn's conversation was made for it alone: nobody comes back to its answer,
-- so a process that finds it open ends it.

ALTER TABLE turns ADD COLUMN stateless INTEGER NOT NULL DEFAULT 0 CHECK (stateless IN (0, 1));
