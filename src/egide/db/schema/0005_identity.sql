-- Who may do what: API keys, people, their sessions, and the audit log of what was granted and refused.
-- Times are seconds since 1970, UTC. No secret stands here: keyed digests, or ciphertext.

-- One row: what the server's secret makes of a fixed word. Another secret is refused by it.
CREATE TABLE secret_check (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    digest  BLOB NOT NULL
) STRICT;

CREATE TABLE api_key (
    id      TEXT PRIMARY KEY,          -- stands in the key, between its prefix and its secret
    name    TEXT NOT NULL,
    scopes  TEXT NOT NULL,             -- separated by spaces
    digest  BLOB NOT NULL,             -- HMAC-SHA256 of the whole key
    current INTEGER NOT NULL CHECK (current IN (0, 1)),  -- 0: rotated out, or revoked
    maker   TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER
) STRICT;
CREATE UNIQUE INDEX api_key_current ON api_key (name) WHERE current = 1;
CREATE INDEX api_key_name ON api_key (name);

CREATE TABLE account (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL,
    password   TEXT,                   -- argon2id, in its own notation
    totp       BLOB,                   -- AES-256-GCM
    totp_step  INTEGER NOT NULL DEFAULT 0,  -- the last time step that was used: no code works twice
    created    INTEGER NOT NULL,
    disabled   INTEGER,
    issuer     TEXT,                   -- of OpenID Connect, with the subject there
    subject    TEXT
) STRICT;
CREATE UNIQUE INDEX account_subject ON account (issuer, subject) WHERE subject IS NOT NULL;

CREATE TABLE recovery_code (
    account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    digest  BLOB NOT NULL,
    PRIMARY KEY (account, digest)
) STRICT;

CREATE TABLE passkey (
    id         TEXT PRIMARY KEY,       -- the credential's id, base64url
    account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    public_key BLOB NOT NULL,
    counter    INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    used       INTEGER
) STRICT;
CREATE INDEX passkey_account ON passkey (account);

CREATE TABLE session (
    digest  BLOB PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    method  TEXT NOT NULL,             -- password+totp, passkey, oidc, …
    created INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX session_account ON session (account);
CREATE INDEX session_expires ON session (expires);

-- What is handed out once, and is good for one use: invitations, challenges, half-done sign-ins.
CREATE TABLE ticket (
    digest  BLOB PRIMARY KEY,
    kind    TEXT NOT NULL,
    body    BLOB NOT NULL,             -- JSON, AES-256-GCM
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX ticket_expires ON ticket (expires);

-- How often a name or an address may try to sign in: GCRA, with the time at which the next attempt
-- would come if all so far had come evenly.
CREATE TABLE attempt (
    subject BLOB PRIMARY KEY,          -- a keyed digest
    due     INTEGER NOT NULL
) STRICT;
CREATE INDEX attempt_due ON attempt (due);

-- Actors and objects by their ids here, addresses as keyed commitments: no names, no secrets.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('granted', 'denied')),
    reason  TEXT NOT NULL,
    origin  TEXT NOT NULL,
    times   INTEGER NOT NULL           -- how often within the second that `at` names
) STRICT;
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_at ON audit (at);
