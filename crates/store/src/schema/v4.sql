-- Version 4: agents on other machines that report here.

CREATE TABLE agents (
    node TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    -- By the clock here: when it was first heard, and last.
    first INTEGER NOT NULL,
    heard INTEGER NOT NULL,
    -- By the agent's clock: what it told the time was when it was heard last, and when the last report was made.
    told INTEGER NOT NULL,
    reported INTEGER,
    -- Reports that were taken, that the agent lost before it could hand them in, and that could not be taken here.
    taken INTEGER NOT NULL CHECK (taken >= 0),
    lost INTEGER NOT NULL CHECK (lost >= 0),
    refused INTEGER NOT NULL CHECK (refused >= 0)
) STRICT, WITHOUT ROWID;

-- The last report that was taken of each spool of an agent: what comes with a number up to this is here.
CREATE TABLE spools (
    node TEXT NOT NULL REFERENCES agents (node),
    spool TEXT NOT NULL,
    number INTEGER NOT NULL,
    heard INTEGER NOT NULL,
    PRIMARY KEY (node, spool)
) STRICT, WITHOUT ROWID;
