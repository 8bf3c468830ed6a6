-- Format 3: what all nodes know and nobody else does.

ALTER TABLE yanlink_ledger ADD COLUMN IF NOT EXISTS secret bytea;
