-- The ledger, format 1. Keys are bytes and compare as such; numbers and moments (Unix milliseconds) are integers.

CREATE TABLE IF NOT EXISTS yanlink_counters (
  name    bytea  NOT NULL,
  next_id bigint NOT NULL,
  PRIMARY KEY (name)
);

-- One row for each place from which a store commits: the number of its last batch says whether a commit held whose answer was lost.
CREATE TABLE IF NOT EXISTS yanlink_writers (
  id      bytea  NOT NULL,
  batch   bigint NOT NULL,
  used_at bigint NOT NULL,
  PRIMARY KEY (id)
) WITH (fillfactor = 80);

CREATE TABLE IF NOT EXISTS yanlink_users (
  openid      bytea   NOT NULL,
  name        bytea   NOT NULL,
  first_seen  bigint  NOT NULL,
  last_seen   bigint  NOT NULL,
  token_epoch bigint  NOT NULL,
  revoked_at  bigint  NOT NULL,
  banned      boolean NOT NULL,
  PRIMARY KEY (openid)
) WITH (fillfactor = 80);

CREATE TABLE IF NOT EXISTS yanlink_devices (
  openid     bytea   NOT NULL,
  device     bytea   NOT NULL,
  epoch      bigint  NOT NULL,
  created_at bigint  NOT NULL,
  last_seen  bigint  NOT NULL,
  ephemeral  boolean NOT NULL,
  PRIMARY KEY (openid, device)
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS yanlink_devices_idle ON yanlink_devices (ephemeral, last_seen);

CREATE TABLE IF NOT EXISTS yanlink_tokens (
  hash       bytea  NOT NULL,
  openid     bytea  NOT NULL,
  epoch      bigint NOT NULL,
  expires_at bigint NOT NULL,
  PRIMARY KEY (hash)
);

-- A conversation other than the system's is there once it has had members; before, its row only keeps its number for it.
CREATE TABLE IF NOT EXISTS yanlink_conversations (
  id               bigint   NOT NULL,
  kind             smallint NOT NULL,
  conversation_key bytea    NOT NULL,
  name             bytea    NOT NULL,
  first_seq        bigint   NOT NULL,
  last_seq         bigint   NOT NULL,
  members_version  bigint   NOT NULL,
  created_at       bigint   NOT NULL,
  updated_at       bigint   NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (kind, conversation_key)
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS yanlink_conversations_updated ON yanlink_conversations (updated_at);

-- One row for each stay; left_seq is 0 while it lasts.
CREATE TABLE IF NOT EXISTS yanlink_members (
  openid        bytea    NOT NULL,
  conversation  bigint   NOT NULL,
  joined_seq    bigint   NOT NULL,
  left_seq      bigint   NOT NULL,
  role          smallint NOT NULL,
  delivered_seq bigint   NOT NULL,
  read_seq      bigint   NOT NULL,
  PRIMARY KEY (openid, conversation, joined_seq)
);
CREATE INDEX IF NOT EXISTS yanlink_members_present ON yanlink_members (conversation, left_seq, openid);

-- recall_seq is, of a recalled message, the position of its recall.
CREATE TABLE IF NOT EXISTS yanlink_messages (
  conversation  bigint   NOT NULL,
  seq           bigint   NOT NULL,
  kind          smallint NOT NULL,
  sender        bytea    NOT NULL,
  sender_device bytea    NOT NULL,
  msgid         bytea    NOT NULL,
  request_id    bytea    NOT NULL,
  node          bytea    NOT NULL,
  body          bytea    NOT NULL,
  body_bytes    integer  NOT NULL,
  file_type     smallint NOT NULL,
  triggered_by  smallint NOT NULL,
  target_seq    bigint   NOT NULL,
  subject       bytea    NOT NULL,
  created_at    bigint   NOT NULL,
  expire_at     bigint   NOT NULL,
  recalled_at   bigint   NOT NULL,
  recall_seq    bigint   NOT NULL,
  PRIMARY KEY (conversation, seq)
);

-- state says what number is: 1 the position of a sent message, 2 the id of a scheduled one, 3 that of a cancelled one.
CREATE TABLE IF NOT EXISTS yanlink_dedup (
  conversation bigint   NOT NULL,
  sender       bytea    NOT NULL,
  msgid        bytea    NOT NULL,
  state        smallint NOT NULL,
  number       bigint   NOT NULL,
  hash         bigint   NOT NULL,
  PRIMARY KEY (conversation, sender, msgid)
);

-- covered_seq is the highest position that a receipt of the device covers.
CREATE TABLE IF NOT EXISTS yanlink_cursors (
  openid       bytea  NOT NULL,
  device       bytea  NOT NULL,
  conversation bigint NOT NULL,
  seq          bigint NOT NULL,
  due_seq      bigint NOT NULL,
  covered_seq  bigint NOT NULL,
  PRIMARY KEY (openid, device, conversation)
) WITH (fillfactor = 80);

-- The devices that have a receipt in a conversation, dropped ones too: what finds the receipts that cover a position.
CREATE TABLE IF NOT EXISTS yanlink_receivers (
  conversation bigint NOT NULL,
  openid       bytea  NOT NULL,
  device       bytea  NOT NULL,
  PRIMARY KEY (conversation, openid, device)
);

CREATE TABLE IF NOT EXISTS yanlink_receipts (
  conversation bigint NOT NULL,
  openid       bytea  NOT NULL,
  device       bytea  NOT NULL,
  from_seq     bigint NOT NULL,
  to_seq       bigint NOT NULL,
  node         bytea  NOT NULL,
  attempts     bigint NOT NULL,
  acked_at     bigint NOT NULL,
  PRIMARY KEY (conversation, openid, device, from_seq)
);

CREATE TABLE IF NOT EXISTS yanlink_scheduled (
  id            bigint   NOT NULL,
  due_at        bigint   NOT NULL,
  recipient     bytea    NOT NULL,
  conversation  bigint   NOT NULL,
  ttl           bigint   NOT NULL,
  sender        bytea    NOT NULL,
  sender_device bytea    NOT NULL,
  msgid         bytea    NOT NULL,
  request_id    bytea    NOT NULL,
  node          bytea    NOT NULL,
  body          bytea    NOT NULL,
  file_type     smallint NOT NULL,
  triggered_by  smallint NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS yanlink_scheduled_due ON yanlink_scheduled (due_at, id);

CREATE TABLE IF NOT EXISTS yanlink_outbox (
  id              bigint   NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  topic           bytea    NOT NULL,
  event_key       bytea    NOT NULL,
  payload         bytea    NOT NULL,
  state           smallint NOT NULL,
  attempts        bigint   NOT NULL,
  next_attempt_at bigint   NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS yanlink_outbox_by_state ON yanlink_outbox (state, id);

CREATE TABLE IF NOT EXISTS yanlink_leases (
  name     bytea  NOT NULL,
  holder   bytea  NOT NULL,
  until_at bigint NOT NULL,
  PRIMARY KEY (name)
);

INSERT INTO yanlink_counters (name, next_id) VALUES ('conversation', 2), ('scheduled', 1) ON CONFLICT DO NOTHING;

INSERT INTO yanlink_conversations (id, kind, conversation_key, name, first_seq, last_seq, members_version, created_at, updated_at)
VALUES (1, 3, 'system', '', 1, 0, 0, 0, 0) ON CONFLICT DO NOTHING;
