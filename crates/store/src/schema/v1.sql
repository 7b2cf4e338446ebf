-- Version 1. Times are milliseconds since 1970-01-01T00:00:00Z; bodies are JSON of the types of the crate `fleet`.

-- No index is partial: SQLite prepares every statement with a parameter again at each use where one is in sight, because the parameter's value
-- might tell whether that index will do; that was a seventh of all time.

-- What is true: every entry, in order, without gaps.
CREATE TABLE log (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    workload INTEGER,
    body TEXT NOT NULL,
    crc INTEGER NOT NULL
) STRICT;
CREATE INDEX log_of_workload ON log (workload);

-- What the log adds up to. Narrow rows, for lists; what was handed in is read from the log where it is wanted.
CREATE TABLE workloads (
    id INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    queue TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT,
    command TEXT NOT NULL,
    priority INTEGER NOT NULL,
    request TEXT NOT NULL,
    submitted INTEGER NOT NULL,
    eligible INTEGER,
    started INTEGER,
    finished INTEGER,
    runs INTEGER NOT NULL,
    slots TEXT NOT NULL,
    submitted_seq INTEGER NOT NULL REFERENCES log (seq),
    finished_seq INTEGER REFERENCES log (seq)
) STRICT;
CREATE INDEX workloads_of_state ON workloads (state);
CREATE INDEX workloads_of_queue ON workloads (queue, state);
CREATE INDEX workloads_of_user ON workloads (user, state);
CREATE INDEX workloads_by_finish ON workloads (finished_seq);

-- The whole of a workload but what was handed in.
CREATE TABLE lives (
    id INTEGER PRIMARY KEY REFERENCES workloads (id),
    body TEXT NOT NULL
) STRICT;

CREATE TABLE counts (
    queue TEXT NOT NULL,
    state TEXT NOT NULL,
    workloads INTEGER NOT NULL CHECK (workloads >= 0),
    PRIMARY KEY (queue, state)
) STRICT, WITHOUT ROWID;

-- One row: what is handed out only once and cannot be told from the tables above without reading them whole.
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last_action INTEGER
) STRICT;
INSERT INTO head (one, last_action) VALUES (1, NULL);

CREATE TABLE nodes (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    facts TEXT NOT NULL,
    found INTEGER NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('usable', 'drained', 'lost')),
    standing_since INTEGER NOT NULL,
    standing_by TEXT
) STRICT;

CREATE TABLE queues (
    name TEXT PRIMARY KEY,
    rules TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE policy (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    body TEXT NOT NULL
) STRICT;

-- Recent measurements; old ones are let go. A value that is NULL was asked for and is not known.
CREATE TABLE samples (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    node INTEGER NOT NULL,
    device INTEGER,
    metric TEXT NOT NULL,
    value REAL
) STRICT;
CREATE INDEX samples_of_metric ON samples (metric, node, at);

-- Who agreed to what, and what came of it. An effect that is NULL is not yet known.
CREATE TABLE consents (
    id INTEGER PRIMARY KEY,
    recommendation TEXT NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    undone_at INTEGER,
    undone_by TEXT
) STRICT;

CREATE TABLE ledger (
    consent INTEGER PRIMARY KEY REFERENCES consents (id),
    promised TEXT NOT NULL,
    measured TEXT,
    measured_at INTEGER
) STRICT;
