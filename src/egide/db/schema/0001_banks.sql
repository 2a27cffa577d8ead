-- Banks, their entries, and the fingerprints of the entries that stand.

CREATE TABLE bank (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    key     TEXT NOT NULL UNIQUE,   -- eight random hexadecimal digits: the first half of an entry's id
    name    TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL CHECK (purpose IN ('block', 'library', 'allow')),
    created INTEGER NOT NULL        -- seconds since 1970, UTC
) STRICT;

-- AUTOINCREMENT: the number of a removed entry is never given to another.
CREATE TABLE entry (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    bank    INTEGER NOT NULL REFERENCES bank (id) ON DELETE CASCADE,
    state   TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disputed', 'withdrawn')),
    label   TEXT,
    ref     TEXT,
    origin  TEXT,                   -- the id this entry had in the bank it was exported from
    added   INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
CREATE INDEX entry_bank ON entry (bank, seq);
CREATE UNIQUE INDEX entry_origin ON entry (bank, origin) WHERE origin IS NOT NULL;

-- Rows are added at the end and never moved: an index that has seen up to a `seq` has missed nothing
-- below it, and no copy of a value is left behind where SQLite rearranges its pages. For the same
-- reason no index holds values, and a withdrawn fingerprint is overwritten where it stands: `type`
-- with as many hyphens, `mark` and `value` with zeros. Only a bank's removal deletes rows.
CREATE TABLE fingerprint (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    entry   INTEGER NOT NULL REFERENCES entry (seq) ON DELETE CASCADE,
    bank    INTEGER NOT NULL,
    type    TEXT NOT NULL,
    edit    TEXT NOT NULL DEFAULT 'none',
    quality INTEGER NOT NULL DEFAULT 100,
    mark    BLOB NOT NULL,          -- eight bytes of BLAKE2b of the value: equal values are found by it
    value   BLOB NOT NULL
) STRICT;
CREATE INDEX fingerprint_entry ON fingerprint (entry);
CREATE INDEX fingerprint_mark ON fingerprint (mark);
CREATE INDEX fingerprint_bank ON fingerprint (bank, type);

-- The index files that belong to this database. A file not listed here is a left-over; one whose
-- size, digest or time of change differs is damaged or foreign and is built anew.
CREATE TABLE segment (
    file    TEXT PRIMARY KEY,
    bank    INTEGER NOT NULL REFERENCES bank (id) ON DELETE CASCADE,
    low     INTEGER NOT NULL,       -- covers fingerprints with low < seq <= high
    high    INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    sha256  TEXT NOT NULL,
    stamp   TEXT NOT NULL           -- device, inode, times: a file with this stamp was verified
) STRICT;
CREATE INDEX segment_bank ON segment (bank, low);

-- Fingerprints that were erased above and may still stand in an index file: the next process that
-- writes the index drops them there and then from here.
CREATE TABLE erased (
    seq     INTEGER PRIMARY KEY,
    bank    INTEGER NOT NULL REFERENCES bank (id) ON DELETE CASCADE
) STRICT;
