-- The ledger, format 1. Keys are bytes and compare as such; numbers and moments (Unix milliseconds) are integers.

CREATE TABLE IF NOT EXISTS yanlink_counters (
  name    VARBINARY(32) NOT NULL,
  next_id BIGINT        NOT NULL,
  PRIMARY KEY (name)
) ENGINE = InnoDB;

-- One row for each place from which a store commits: the number of its last batch says whether a commit held whose answer was lost.
CREATE TABLE IF NOT EXISTS yanlink_writers (
  id      BINARY(16) NOT NULL,
  batch   BIGINT     NOT NULL,
  used_at BIGINT     NOT NULL,
  PRIMARY KEY (id)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS yanlink_users (
  openid      VARBINARY(128) NOT NULL,
  name        TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  first_seen  BIGINT  NOT NULL,
  last_seen   BIGINT  NOT NULL,
  token_epoch BIGINT  NOT NULL,
  revoked_at  BIGINT  NOT NULL,
  banned      BOOLEAN NOT NULL,
  PRIMARY KEY (openid)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS yanlink_devices (
  openid     VARBINARY(128) NOT NULL,
  device     VARBINARY(64)  NOT NULL,
  epoch      BIGINT  NOT NULL,
  created_at BIGINT  NOT NULL,
  last_seen  BIGINT  NOT NULL,
  ephemeral  BOOLEAN NOT NULL,
  PRIMARY KEY (openid, device),
  KEY idle (ephemeral, last_seen)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS yanlink_tokens (
  hash       BINARY(32)     NOT NULL,
  openid     VARBINARY(128) NOT NULL,
  epoch      BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (hash)
) ENGINE = InnoDB;

-- A conversation other than the system's is there once it has had members; before, its row only keeps its number for it.
CREATE TABLE IF NOT EXISTS yanlink_conversations (
  id               BIGINT         NOT NULL,
  kind             TINYINT        NOT NULL,
  conversation_key VARBINARY(257) NOT NULL,
  name             TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  first_seq        BIGINT NOT NULL,
  last_seq         BIGINT NOT NULL,
  members_version  BIGINT NOT NULL,
  created_at       BIGINT NOT NULL,
  updated_at       BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY by_key (kind, conversation_key),
  KEY updated (updated_at)
) ENGINE = InnoDB;

-- One row for each stay; left_seq is 0 while it lasts.
CREATE TABLE IF NOT EXISTS yanlink_members (
  openid        VARBINARY(128) NOT NULL,
  conversation  BIGINT  NOT NULL,
  joined_seq    BIGINT  NOT NULL,
  left_seq      BIGINT  NOT NULL,
  role          TINYINT NOT NULL,
  delivered_seq BIGINT  NOT NULL,
  read_seq      BIGINT  NOT NULL,
  PRIMARY KEY (openid, conversation, joined_seq),
  KEY present (conversation, left_seq, openid)
) ENGINE = InnoDB;

-- recall_seq is, of a recalled message, the position of its recall.
CREATE TABLE IF NOT EXISTS yanlink_messages (
  conversation  BIGINT         NOT NULL,
  seq           BIGINT         NOT NULL,
  kind          TINYINT        NOT NULL,
  sender        VARBINARY(128) NOT NULL,
  sender_device VARBINARY(64)  NOT NULL,
  msgid         VARBINARY(256) NOT NULL,
  request_id    BINARY(16)     NOT NULL,
  node          VARBINARY(64)  NOT NULL,
  body          LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  body_bytes    INT            NOT NULL,
  file_type     TINYINT        NOT NULL,
  triggered_by  TINYINT        NOT NULL,
  target_seq    BIGINT         NOT NULL,
  subject       VARBINARY(128) NOT NULL,
  created_at    BIGINT         NOT NULL,
  expire_at     BIGINT         NOT NULL,
  recalled_at   BIGINT         NOT NULL,
  recall_seq    BIGINT         NOT NULL,
  PRIMARY KEY (conversation, seq)
) ENGINE = InnoDB;

-- state says what number is: 1 the position of a sent message, 2 the id of a scheduled one, 3 that of a cancelled one.
CREATE TABLE IF NOT EXISTS yanlink_dedup (
  conversation BIGINT         NOT NULL,
  sender       VARBINARY(128) NOT NULL,
  msgid        VARBINARY(256) NOT NULL,
  state        TINYINT        NOT NULL,
  number       BIGINT         NOT NULL,
  hash         BIGINT         NOT NULL,
  PRIMARY KEY (conversation, sender, msgid)
) ENGINE = InnoDB;

-- covered_seq is the highest position that a receipt of the device covers.
CREATE TABLE IF NOT EXISTS yanlink_cursors (
  openid       VARBINARY(128) NOT NULL,
  device       VARBINARY(64)  NOT NULL,
  conversation BIGINT NOT NULL,
  seq          BIGINT NOT NULL,
  due_seq      BIGINT NOT NULL,
  covered_seq  BIGINT NOT NULL,
  PRIMARY KEY (openid, device, conversation)
) ENGINE = InnoDB;

-- The devices that have a receipt in a conversation, dropped ones too: what finds the receipts that cover a position.
CREATE TABLE IF NOT EXISTS yanlink_receivers (
  conversation BIGINT         NOT NULL,
  openid       VARBINARY(128) NOT NULL,
  device       VARBINARY(64)  NOT NULL,
  PRIMARY KEY (conversation, openid, device)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS yanlink_receipts (
  conversation BIGINT         NOT NULL,
  openid       VARBINARY(128) NOT NULL,
  device       VARBINARY(64)  NOT NULL,
  from_seq     BIGINT         NOT NULL,
  to_seq       BIGINT         NOT NULL,
  node         VARBINARY(64)  NOT NULL,
  attempts     BIGINT         NOT NULL,
  acked_at     BIGINT         NOT NULL,
  PRIMARY KEY (conversation, openid, device, from_seq)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS yanlink_scheduled (
  id            BIGINT         NOT NULL,
  due_at        BIGINT         NOT NULL,
  recipient     VARBINARY(128) NOT NULL,
  conversation  BIGINT         NOT NULL,
  ttl           BIGINT         NOT NULL,
  sender        VARBINARY(128) NOT NULL,
  sender_device VARBINARY(64)  NOT NULL,
  msgid         VARBINARY(256) NOT NULL,
  request_id    BINARY(16)     NOT NULL,
  node          VARBINARY(64)  NOT NULL,
  body          LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  file_type     TINYINT        NOT NULL,
  triggered_by  TINYINT        NOT NULL,
  PRIMARY KEY (id),
  KEY due (due_at, id)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS yanlink_outbox (
  id              BIGINT         NOT NULL AUTO_INCREMENT,
  topic           VARBINARY(128) NOT NULL,
  event_key       VARBINARY(512) NOT NULL,
  payload         LONGBLOB       NOT NULL,
  state           TINYINT        NOT NULL,
  attempts        BIGINT         NOT NULL,
  next_attempt_at BIGINT         NOT NULL,
  PRIMARY KEY (id),
  KEY by_state (state, id)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS yanlink_leases (
  name     VARBINARY(64)  NOT NULL,
  holder   VARBINARY(128) NOT NULL,
  until_at BIGINT         NOT NULL,
  PRIMARY KEY (name)
) ENGINE = InnoDB;

INSERT INTO yanlink_counters (name, next_id) VALUES ('conversation', 2), ('scheduled', 1) ON DUPLICATE KEY UPDATE name = VALUES(name);

INSERT INTO yanlink_conversations (id, kind, conversation_key, name, first_seq, last_seq, members_version, created_at, updated_at)
VALUES (1, 3, 'system', '', 1, 0, 0, 0, 0) ON DUPLICATE KEY UPDATE id = VALUES(id);
