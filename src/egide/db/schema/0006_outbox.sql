-- What others are to be told, and who has been: a message is written in the transaction of what it tells.
-- Times are milliseconds since 1970, UTC.

CREATE TABLE webhook (
    id       TEXT PRIMARY KEY,
    address  BLOB NOT NULL,            -- AES-256-GCM: paths of such addresses are often secrets
    host     TEXT NOT NULL,            -- what of it is shown
    events   TEXT NOT NULL,            -- separated by spaces; * for all
    created  INTEGER NOT NULL,
    disabled INTEGER                   -- since when nothing is sent
) STRICT;

-- During a rotation there are several: a message is signed with each.
CREATE TABLE webhook_secret (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    sealed  BLOB NOT NULL,             -- AES-256-GCM
    created INTEGER NOT NULL,
    expires INTEGER
) STRICT;
CREATE INDEX webhook_secret_webhook ON webhook_secret (webhook);

CREATE TABLE message (
    id      TEXT PRIMARY KEY,
    type    TEXT NOT NULL,
    body    TEXT NOT NULL,             -- JSON, sent as it stands here
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX message_created ON message (created);

CREATE TABLE delivery (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    message  TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    webhook  TEXT NOT NULL,            -- no reference: removing one must not undo what is being told
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
    begun    INTEGER NOT NULL,         -- when it was first due, or replayed: it is tried for days from then
    due      INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    said     TEXT NOT NULL,            -- how the last attempt ended
    lease    TEXT,                     -- of the worker that has it
    leased   INTEGER NOT NULL,         -- until when; whoever comes later may take it
    changed  INTEGER NOT NULL,
    UNIQUE (message, webhook)
) STRICT;
CREATE INDEX delivery_due ON delivery (webhook, due) WHERE state = 'waiting';
CREATE INDEX delivery_changed ON delivery (state, changed);
