-- What the service remembers: verdicts, the content that a platform hosts, and answers already given.
-- Times are milliseconds since 1970, UTC.

-- No media, no text, no reference of an entry: what was found, by which rule, of which content.
CREATE TABLE verdict_record (
    id         TEXT PRIMARY KEY,       -- twelve hexadecimal digits of the time, then random ones
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,          -- whose request it was, as the audit log calls it
    content_id TEXT,
    kind       TEXT NOT NULL,
    action     TEXT NOT NULL,
    rule       TEXT NOT NULL,
    verdict    TEXT NOT NULL           -- JSON, masked
) STRICT;
CREATE INDEX verdict_record_content ON verdict_record (content_id, id) WHERE content_id IS NOT NULL;

-- Which content of the platform an entry of a library bank is of.
CREATE TABLE hosted (
    content_id  TEXT NOT NULL,
    entry       INTEGER NOT NULL REFERENCES entry (seq) ON DELETE CASCADE,
    content_url TEXT,
    at          INTEGER NOT NULL,
    PRIMARY KEY (content_id, entry)
) STRICT;
CREATE INDEX hosted_entry ON hosted (entry);

-- Answers to requests that carried an Idempotency-Key, in the transaction of what they did.
CREATE TABLE answered (
    actor   TEXT NOT NULL,
    key     TEXT NOT NULL,
    digest  BLOB NOT NULL,             -- SHA-256 of the request
    status  INTEGER NOT NULL,
    headers TEXT NOT NULL,             -- JSON
    body    BLOB NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT;
CREATE INDEX answered_at ON answered (at);
