-- The credentials and the clock.
--
-- Times are Unix milliseconds, and `scopes` is a JSON array. `secret` is sealed (see `seal`), and last, so that a
-- list need not read it. The primary key sorts names as they are listed: by provider first.
--
-- `clock` counts the changes to the whole store. A credential's version is taken from it, so no version is used
-- twice, not even after a removal.

PRAGMA application_id = 0x41555448;
CREATE TABLE credential (
    provider       TEXT NOT NULL,
    credential_set TEXT NOT NULL,
    profile        TEXT NOT NULL,
    kind           TEXT NOT NULL,
    account        TEXT,
    host           TEXT,
    scopes         TEXT NOT NULL,
    expires_at     INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    secret         BLOB NOT NULL,
    PRIMARY KEY (provider, credential_set, profile)
) STRICT, WITHOUT ROWID;
CREATE TABLE clock (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO clock VALUES (1, 0);
