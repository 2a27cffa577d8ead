-- What SQLite has by itself.

CREATE FUNCTION zeroblob(length BIGINT) RETURNS BYTEA
    LANGUAGE SQL IMMUTABLE STRICT RETURN decode(repeat('00', length::INTEGER), 'hex');

-- In SQLite every index ends with the row's number.
DROP INDEX fingerprint_bank;
CREATE INDEX fingerprint_bank ON fingerprint (bank, type, seq);

-- Every serial write adds a row, in its transaction: whoever sees the last one knows of all changes
-- before it. The random token tells a database from a backup of it that was put in its place and
-- went on from there.
CREATE TABLE moment (
    number BIGINT PRIMARY KEY,
    token  BIGINT NOT NULL
);
INSERT INTO moment VALUES (0, (random() * 9007199254740992)::BIGINT);

-- Index files are a machine's own, and so is their catalogue. Each machine works the list of erased
-- fingerprints off by itself, by running numbers.
DROP TABLE erased;
CREATE TABLE erased (
    number BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    seq    BIGINT NOT NULL,
    bank   BIGINT NOT NULL REFERENCES bank (id) ON DELETE CASCADE
);
CREATE INDEX erased_bank ON erased (bank, number);
