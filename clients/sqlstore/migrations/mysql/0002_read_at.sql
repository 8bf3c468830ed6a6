-- Format 2: when a user's read mark came to stand where it stands. MySQL cannot be told to add a column only if it is not there.

SET @change = IF(
  EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'yanlink_members' AND column_name = 'read_at'),
  'DO 0',
  'ALTER TABLE yanlink_members ADD COLUMN read_at BIGINT NOT NULL DEFAULT 0'
);
PREPARE yanlink_change FROM @change;
EXECUTE yanlink_change;
DEALLOCATE PREPARE yanlink_change;
