-- The index files on this machine, when the banks themselves are in PostgreSQL.

-- A file not listed here is a left-over; one whose size, digest or time of change differs is damaged
-- or foreign and is built anew.
CREATE TABLE segment (
    file    TEXT PRIMARY KEY,
    bank    TEXT NOT NULL,          -- the bank's key
    type    TEXT NOT NULL,
    low     INTEGER NOT NULL,       -- covers fingerprints with low < seq <= high
    high    INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    sha256  TEXT NOT NULL,
    stamp   TEXT NOT NULL           -- device, inode, times: a file with this stamp was verified
) STRICT;
CREATE INDEX segment_bank ON segment (bank, type, low);

-- How far the files have followed the database: the moment of which they are, as JSON, and the
-- number up to which withdrawn fingerprints were written out of them.
CREATE TABLE followed (
    bank    TEXT NOT NULL,
    type    TEXT NOT NULL,
    moment  TEXT NOT NULL,
    erased  INTEGER NOT NULL,
    PRIMARY KEY (bank, type)
) STRICT;
