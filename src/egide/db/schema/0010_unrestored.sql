-- What the platform was to put back, and did not, waits for a person as what it was to remove does.
DROP INDEX desk_copy_overdue;
CREATE INDEX desk_copy_overdue ON desk_copy (number) WHERE state IN ('overdue', 'unrestored');

-- A joined case knows its own copies from its next search on.
UPDATE desk_case SET search = opened WHERE number IN
    (SELECT joined FROM desk_case WHERE joined IS NOT NULL);

-- Of these cases everything is to be put back.
UPDATE desk_copy SET state = 'unrestored' WHERE state IN ('overdue', 'refused') AND number IN
    (SELECT number FROM desk_case WHERE state IN ('reversed', 'withdrawn'));
