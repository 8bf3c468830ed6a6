-- Format 2: when a user's read mark came to stand where it stands.

ALTER TABLE yanlink_members ADD COLUMN IF NOT EXISTS read_at bigint NOT NULL DEFAULT 0;
