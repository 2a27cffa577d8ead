-- Frames of videos, and the local fingerprints with an index of their own.

-- Of a video's frame: when it is shown and for how long it stands, in milliseconds. NULL of a picture.
ALTER TABLE fingerprint ADD COLUMN at INTEGER;
ALTER TABLE fingerprint ADD COLUMN span INTEGER;

-- Each type that is searched by likeness has its own files, and writes what was erased out of them.
ALTER TABLE segment ADD COLUMN type TEXT NOT NULL DEFAULT 'pdq';
ALTER TABLE erased ADD COLUMN type TEXT NOT NULL DEFAULT 'pdq';
