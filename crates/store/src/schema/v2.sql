-- Version 2: series, in compressed chunks. docs/SERIES.md says what the bodies hold.

-- What is measured together, at the same moments.
CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- The series of each source. `last` is the newest moment at which one was there, an hour late at most: written with every scrape it would
-- cost more than the scrape.
CREATE TABLE series (
    source INTEGER NOT NULL REFERENCES sources (id),
    slot INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 65535),
    name TEXT NOT NULL,
    labels TEXT NOT NULL,
    unit TEXT NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (source, slot),
    UNIQUE (source, name, labels, unit)
) STRICT, WITHOUT ROWID;

-- The head: scrapes that are in no chunk yet. An id is 65,536 times the source, and the place in its head.
CREATE TABLE scrapes (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    crc INTEGER NOT NULL
) STRICT;

-- A stretch of one source: every scrape (`step` is 0), or what they come to in every `step` milliseconds. Narrow rows: what a chunk holds is in
-- `pieces`.
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources (id),
    step INTEGER NOT NULL CHECK (step >= 0),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX chunks_of_source ON chunks (source, step, first);

-- The moments of a chunk (slot 0), and bundles with the values of its series. An id is 65,536 times the chunk, and the slot of the first series:
-- what is read together lies together, and no index is needed.
CREATE TABLE pieces (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    crc INTEGER NOT NULL
) STRICT;

-- Spans that are kept as they were measured, as long as a finding needs them.
CREATE TABLE pins (
    finding TEXT NOT NULL,
    source INTEGER NOT NULL REFERENCES sources (id),
    first INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (finding, source, first, until)
) STRICT, WITHOUT ROWID;
