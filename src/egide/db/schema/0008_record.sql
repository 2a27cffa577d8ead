-- The record: the keys of cases, and the tamper-evident log of their events.
-- Times are milliseconds since 1970, UTC.

-- Rows are added at the end and never moved, and no index holds a key: a destroyed one is overwritten
-- where it stands, with as many zeros, and no copy of it stays behind. What happens to a case after
-- that is committed to under a key of the next epoch.
CREATE TABLE case_key (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    number    TEXT NOT NULL,           -- of the case
    epoch     INTEGER NOT NULL,        -- 0, and one more with every erasure
    sealed    BLOB NOT NULL,           -- AES-256-GCM under the server's secret
    destroyed INTEGER                  -- since when nothing of the case opens
) STRICT;
CREATE UNIQUE INDEX case_key_number ON case_key (number, epoch);

-- The leaves of the Merkle tree (RFC 6962), numbered from 0. No names, no hashes of anything: keyed
-- commitments. Which event a leaf is of stays known when the event is gone.
CREATE TABLE log_leaf (
    leaf       INTEGER PRIMARY KEY,
    commitment BLOB NOT NULL,          -- 32 bytes
    number     TEXT NOT NULL,          -- of the case
    event      INTEGER NOT NULL,       -- its number within the case
    epoch      INTEGER NOT NULL        -- of the key that the commitment is under
) STRICT;
CREATE UNIQUE INDEX log_leaf_event ON log_leaf (number, event);

-- That the key of an epoch was destroyed: the document of the event that did it, which is committed to
-- under the key of the next epoch. It stays when the event goes.
CREATE TABLE log_erasure (
    number   TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    event    INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (number, epoch)
) STRICT;
CREATE UNIQUE INDEX log_erasure_event ON log_erasure (number, event);

-- Roots of the complete subtrees above the leaves: level 1 has 2 leaves each, level 2 has 4, …
CREATE TABLE log_node (
    level    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB NOT NULL,
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

-- The public keys that checkpoints were signed under, the present one last.
CREATE TABLE log_key (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL,                -- as C2SP signed-note writes a verifier key; it names the log
    at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX log_key_text ON log_key (text);

-- Signed heads of the tree (C2SP tlog-checkpoint), in the order in which they were signed.
CREATE TABLE log_checkpoint (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    size INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX log_checkpoint_size ON log_checkpoint (size);

-- Time stamps of others (RFC 3161) over checkpoints.
CREATE TABLE log_stamp (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    checkpoint INTEGER NOT NULL REFERENCES log_checkpoint (seq) ON DELETE CASCADE,
    host       TEXT NOT NULL,          -- of whom
    at         INTEGER NOT NULL,       -- the time that the stamp says
    response   BLOB NOT NULL           -- DER, as it came
) STRICT;
CREATE INDEX log_stamp_checkpoint ON log_stamp (checkpoint);
