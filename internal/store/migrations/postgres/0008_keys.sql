-- +goose Up
-- API keys have scopes, may be for some assistants only, expire and are revoked. The keys
-- that there are could do everything, and go on to. The row of a revoked key stays: for
-- the audit, and because a server that once had keys never opens again. Its name is free.

ALTER TABLE api_keys ADD COLUMN scopes       TEXT NOT NULL DEFAULT '["admin"]';
ALTER TABLE api_keys ADD COLUMN assistants   TEXT NOT NULL DEFAULT '[]';  -- none: all
ALTER TABLE api_keys ADD COLUMN created_by   TEXT NOT NULL DEFAULT '';    -- the name of a key
ALTER TABLE api_keys ADD COLUMN expires_at   BIGINT;
ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;                      -- to the hour
ALTER TABLE api_keys ADD COLUMN revoked_at   BIGINT;
ALTER TABLE api_keys ADD COLUMN revoked_by   TEXT NOT NULL DEFAULT '';

DROP INDEX api_keys_name;
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;
