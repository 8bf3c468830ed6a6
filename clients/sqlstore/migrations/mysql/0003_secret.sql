-- Format 3: what all nodes know and nobody else does.

SET @change = IF(
  EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'yanlink_ledger' AND column_name = 'secret'),
  'DO 0',
  'ALTER TABLE yanlink_ledger ADD COLUMN secret VARBINARY(32)'
);
PREPARE yanlink_change FROM @change;
EXECUTE yanlink_change;
DEALLOCATE PREPARE yanlink_change;
