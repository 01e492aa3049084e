-- The last refresh attempt of a credential, see `refresh_state`. It is removed with the credential, and void for any
-- other version of it.

CREATE TABLE exchange (
    provider       TEXT NOT NULL,
    credential_set TEXT NOT NULL,
    profile        TEXT NOT NULL,
    version        INTEGER NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('sent', 'refused', 'unknown')),
    holder         TEXT NOT NULL,
    since          INTEGER NOT NULL,
    why            TEXT,
    PRIMARY KEY (provider, credential_set, profile),
    FOREIGN KEY (provider, credential_set, profile) REFERENCES credential ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
