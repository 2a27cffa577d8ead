-- Statements of reasons that are due to the DSA Transparency Database. Nothing personal stands in them,
-- and nothing leads from them to a case: identifiers are made by chance.

CREATE TABLE desk_statement (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    puid    TEXT NOT NULL UNIQUE,
    body    TEXT NOT NULL,             -- JSON
    made    INTEGER NOT NULL,          -- milliseconds since 1970, UTC
    sent    INTEGER,                   -- when the database was seen to have it
    refused INTEGER NOT NULL DEFAULT 0,
    said    TEXT NOT NULL DEFAULT ''   -- what the last attempt came to
) STRICT;
CREATE INDEX desk_statement_made ON desk_statement (made);
