-- The backoff after a refresh that failed for now. It was merged into `exchange` later, see `7-tidy.sql`.

CREATE TABLE postponed (
    provider       TEXT NOT NULL,
    credential_set TEXT NOT NULL,
    profile        TEXT NOT NULL,
    version        INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    until          INTEGER NOT NULL,
    why            TEXT NOT NULL,
    PRIMARY KEY (provider, credential_set, profile),
    FOREIGN KEY (provider, credential_set, profile) REFERENCES credential ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
