-- Version 3: findings. A body is JSON of `fleet::finding::Finding`, in the version beside it; what lists and lookups need of it has columns.

CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    places TEXT NOT NULL,
    workload INTEGER,
    opened INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    closed INTEGER,
    returns INTEGER NOT NULL CHECK (returns >= 0),
    confidence TEXT NOT NULL CHECK (confidence IN ('possible', 'likely', 'certain')),
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    mute_reason TEXT,
    mute_until INTEGER,
    mute_by TEXT,
    mute_at INTEGER
) STRICT;
CREATE INDEX findings_of_closed ON findings (closed);
CREATE INDEX findings_of_workload ON findings (workload);
