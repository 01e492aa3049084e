-- Metadata in JSON, see `record::details`.

ALTER TABLE credential ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
