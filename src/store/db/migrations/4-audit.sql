-- The audit log. The trigger `audit_is_bounded` keeps the newest ten thousand entries (`AUDIT_ENTRIES`). The other
-- triggers were dropped later, see `7-tidy.sql`.

CREATE TABLE audit (
    id             INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    uid            INTEGER NOT NULL,
    pid            INTEGER NOT NULL,
    program        TEXT NOT NULL,
    caller         TEXT,
    action         TEXT NOT NULL,
    provider       TEXT,
    credential_set TEXT,
    profile        TEXT,
    outcome        TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is not changed');
END;
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'the audit log is not changed');
END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
WHEN OLD.id > (SELECT max(id) FROM audit) - 10000 BEGIN
    SELECT RAISE(ABORT, 'the audit log is not shortened');
END;
CREATE TRIGGER audit_is_continued AFTER INSERT ON audit
WHEN NEW.id IS NOT 1 + (SELECT coalesce(max(id), 0) FROM audit WHERE id <> NEW.id) BEGIN
    SELECT RAISE(ABORT, 'the audit log is continued at its end');
END;
CREATE TRIGGER audit_is_bounded AFTER INSERT ON audit BEGIN
    DELETE FROM audit WHERE id <= NEW.id - 10000;
END;
