-- +goose Up
-- Three questions are asked often, of tables that grow: who waits before a conversation,
-- which answers others stand in the place of (without reading through the records of all
-- turns), and which uploads are old.

CREATE INDEX conversations_queue ON conversations (assistant, queued_at, id) WHERE queued_at IS NOT NULL;
CREATE INDEX turns_retry ON turns (conversation, retry_of) WHERE retry_of <> '';
CREATE INDEX file_parts_begun ON file_parts (at, conversation, file) WHERE n = 0;
