-- The desk: cases, their events, the copies that were found, and what is due. Times are milliseconds
-- since 1970, UTC. Nothing personal stands here in the clear: it is in `sealed`, under the case's key.

-- Columns below `opened` are the fold of the case's events: kept so that the queue can be sorted.
CREATE TABLE desk_case (
    number       TEXT PRIMARY KEY,
    kind         TEXT NOT NULL CHECK (kind IN ('notice', 'screening')),
    jurisdiction TEXT NOT NULL,
    pin          BLOB,                 -- a keyed digest; of screening cases there is none
    origin       BLOB,                 -- keyed digest of the network that the notice came from
    content_id   TEXT,                 -- of a screening case: what the verdict was on
    opened       INTEGER NOT NULL,
    version      INTEGER NOT NULL,     -- the last event
    state        TEXT NOT NULL,
    deadline     INTEGER NOT NULL,
    paused       INTEGER,              -- since when the clock stands
    tier         INTEGER NOT NULL,     -- smaller ones come first in the queue
    claimant     TEXT,
    claimed      INTEGER,              -- until when
    pending      INTEGER,              -- the event of a decision that has not taken effect yet
    effective    INTEGER,              -- when it does; none while a second reviewer is awaited
    deciders     TEXT NOT NULL,        -- separated by spaces: none of them decides an appeal
    found        INTEGER NOT NULL,     -- copies
    untold       INTEGER NOT NULL,     -- of them, those that a removal or restoring is awaited of
    joined       TEXT,                 -- the earlier case that this one is decided with
    warned       INTEGER NOT NULL DEFAULT 0,  -- whether its deadline was told to be near
    search       INTEGER               -- when the library is to be searched for it
) STRICT;
CREATE INDEX desk_case_queue ON desk_case (state, tier, deadline, number);
CREATE INDEX desk_case_effective ON desk_case (effective) WHERE effective IS NOT NULL;
CREATE INDEX desk_case_search ON desk_case (search) WHERE search IS NOT NULL;
CREATE INDEX desk_case_joined ON desk_case (joined) WHERE joined IS NOT NULL;
CREATE INDEX desk_case_content ON desk_case (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX desk_case_opened ON desk_case (opened);

-- Never changed; `sealed` is emptied by no one, its key is destroyed.
CREATE TABLE desk_event (
    number TEXT NOT NULL REFERENCES desk_case (number),
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    actor  TEXT NOT NULL,
    data   TEXT NOT NULL,              -- JSON without anything personal
    sealed BLOB,
    PRIMARY KEY (number, seq)
) STRICT;
CREATE INDEX desk_event_kind ON desk_event (kind, at);

CREATE TABLE desk_copy (
    id          TEXT PRIMARY KEY,
    number      TEXT NOT NULL REFERENCES desk_case (number),
    content_id  TEXT,
    content_url TEXT,
    entry       TEXT,                  -- of the library
    how         TEXT NOT NULL,         -- located, identical, similar
    evidence    TEXT NOT NULL,         -- JSON
    state       TEXT NOT NULL,
    found       INTEGER NOT NULL,
    told        INTEGER,
    due         INTEGER,               -- when what was told should have been acknowledged
    ended       INTEGER,
    fresh       INTEGER NOT NULL DEFAULT 0  -- found since the decision: nobody has looked at it
) STRICT;
CREATE INDEX desk_copy_fresh ON desk_copy (number) WHERE fresh = 1;
CREATE INDEX desk_copy_overdue ON desk_copy (number) WHERE state = 'overdue';
CREATE INDEX desk_copy_case ON desk_copy (number);
CREATE INDEX desk_copy_content ON desk_copy (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX desk_copy_due ON desk_copy (due) WHERE due IS NOT NULL;

-- The fingerprints that came with a notice, sealed: needed again when a refusal is overturned. When the
-- notice is withdrawn they are overwritten where they stand.
CREATE TABLE desk_print (
    number TEXT PRIMARY KEY REFERENCES desk_case (number),
    sealed BLOB NOT NULL
) STRICT;

-- Which entries of the desk's banks are a case's.
CREATE TABLE desk_entry (
    entry  TEXT PRIMARY KEY,
    number TEXT NOT NULL REFERENCES desk_case (number)
) STRICT;
CREATE INDEX desk_entry_case ON desk_entry (number);

-- Keyed digests by which cases are seen to have something in common; gone with the case's key.
CREATE TABLE desk_mark (
    number TEXT NOT NULL REFERENCES desk_case (number),
    kind   TEXT NOT NULL,              -- signer, contact, target, print
    digest BLOB NOT NULL,
    PRIMARY KEY (kind, digest, number)
) STRICT;
CREATE INDEX desk_mark_case ON desk_mark (number);

-- What opens something once: an uploader's appeal, one look at a picture.
CREATE TABLE desk_code (
    digest  BLOB PRIMARY KEY,
    kind    TEXT NOT NULL,
    number  TEXT NOT NULL REFERENCES desk_case (number),
    copy    TEXT,
    holder  TEXT,                      -- whose it is; of an appeal's code there is none
    veiled  INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used    INTEGER
) STRICT;
CREATE INDEX desk_code_expires ON desk_code (expires);

-- How often a reviewer looked at pictures: breaks are offered by it.
CREATE TABLE desk_look (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    actor  TEXT NOT NULL,
    at     INTEGER NOT NULL,
    veiled INTEGER NOT NULL
) STRICT;
CREATE INDEX desk_look_actor ON desk_look (actor, at);

-- What people made of what detectors said.
CREATE TABLE desk_judgement (
    number    TEXT NOT NULL REFERENCES desk_case (number),
    detector  TEXT NOT NULL,
    label     TEXT NOT NULL,
    confirmed INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (number, detector, label)
) STRICT;

-- A creator's own work: the entry of the bank `own-work`, and the signature under the mark.
CREATE TABLE desk_work (
    entry     TEXT PRIMARY KEY,
    claimant  TEXT NOT NULL,           -- the key that marked it
    content   TEXT,                    -- the platform's id of it
    mark      TEXT NOT NULL,           -- JSON: what was signed
    signature BLOB NOT NULL,           -- Ed25519
    public    BLOB NOT NULL,
    at        INTEGER NOT NULL
) STRICT;
CREATE INDEX desk_work_content ON desk_work (content) WHERE content IS NOT NULL;

-- Notices name contents by their addresses.
CREATE INDEX hosted_url ON hosted (content_url) WHERE content_url IS NOT NULL;
