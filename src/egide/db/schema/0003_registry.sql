-- The registry: which listing a model named by a picture is of, and which pictures name it.

-- What is kept of one listing, or of one model file; no title and no name of a person or a file.
-- The key is 64 bits of hub and model, so that the same listing replaces itself.
CREATE TABLE listing (
    key      INTEGER PRIMARY KEY,
    hub      TEXT NOT NULL,         -- 'civitai', 'huggingface', …; 'file' of a model file
    model    TEXT NOT NULL,         -- the hub's id; of a file the first digits of its SHA-256
    base     TEXT,                  -- base model
    adapter  TEXT,
    creator  TEXT,                  -- a pseudonym
    named    REAL NOT NULL,         -- scores of likeness, 0..1
    unnamed  REAL NOT NULL,
    sexual   REAL NOT NULL,
    seen     INTEGER NOT NULL,      -- seconds since 1970, UTC
    firm     INTEGER NOT NULL,      -- how many of `aliases` are more than a name, those first
    aliases  BLOB NOT NULL          -- eight bytes each, as in `alias`
) STRICT;

-- An alias is 64 bits of its HMAC under the home's key. `version` is the hub's number, or 0.
CREATE TABLE alias (
    digest   INTEGER NOT NULL,
    listing  INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    PRIMARY KEY (digest, listing)
) STRICT, WITHOUT ROWID;

-- The aliases by which the picture of an entry names its models; gone when the entry is withdrawn.
CREATE TABLE made_with (
    digest   INTEGER NOT NULL,
    entry    INTEGER NOT NULL REFERENCES entry (seq) ON DELETE CASCADE,
    PRIMARY KEY (digest, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX made_with_entry ON made_with (entry);
