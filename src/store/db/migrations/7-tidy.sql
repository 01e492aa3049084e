-- Drops the ledger, which listed the current version of each credential, and the triggers that refused changes to the
-- audit log: whoever can write to the file can undo both. Merges `postponed` into `exchange`.
--
-- A row of `exchange` has an attempt, a backoff or both. Times of the backoff are Unix microseconds.

DROP TABLE ledger;
DROP TRIGGER audit_is_not_changed;
DROP TRIGGER audit_is_not_replaced;
DROP TRIGGER audit_is_not_shortened;
DROP TRIGGER audit_is_continued;
CREATE TABLE merged (
    provider       TEXT NOT NULL,
    credential_set TEXT NOT NULL,
    profile        TEXT NOT NULL,
    version        INTEGER NOT NULL,
    state          TEXT CHECK (state IN ('sent', 'refused', 'unknown')),
    holder         TEXT,
    since          INTEGER,
    why            TEXT,
    backoff_at     INTEGER,
    backoff_until  INTEGER,
    backoff_why    TEXT,
    PRIMARY KEY (provider, credential_set, profile),
    FOREIGN KEY (provider, credential_set, profile) REFERENCES credential ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO merged
    SELECT provider, credential_set, profile, version, state, holder, since, x.why, at, until, p.why
    FROM exchange x FULL JOIN postponed p USING (provider, credential_set, profile, version)
    JOIN credential USING (provider, credential_set, profile, version);
DROP TABLE exchange;
DROP TABLE postponed;
ALTER TABLE merged RENAME TO exchange;
