-- +goose Up
-- Who was anonymous and signs in keeps their row and its key, so nothing is sealed again:
-- the row points to that of the person, which is the one with an outside id. What is a
-- person's belongs to their own row and to those that point to it. To erase a person is to
-- destroy the keys of all these rows.

ALTER TABLE customers ADD COLUMN person TEXT COLLATE "C";
CREATE INDEX customers_person ON customers (person) WHERE person IS NOT NULL;
CREATE INDEX conversations_customer ON conversations (customer);
