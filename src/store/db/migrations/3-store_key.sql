-- The keys. `store_key` has one row: the data key and its source. `unused_key` lists keys outside of the database that
-- must be removed (see `key`). `ledger` was dropped later, see `7-tidy.sql`.
--
-- While `store_key` is empty, secrets are plain. One transaction fills it and seals them.

CREATE TABLE store_key (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    key_id     BLOB NOT NULL,
    source     TEXT NOT NULL,
    parameters TEXT NOT NULL,
    wrapped    BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    erased     INTEGER NOT NULL
) STRICT;
CREATE TABLE unused_key (
    source     TEXT NOT NULL,
    parameters TEXT NOT NULL
) STRICT;
CREATE TABLE ledger (
    part   INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;
