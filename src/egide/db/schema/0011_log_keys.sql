-- Keys of the log that whoever has the server's secret put there: a digest under it of the key's text.
-- Of the present key there need be none, its file is at hand.

ALTER TABLE log_key ADD COLUMN vouched BLOB;
