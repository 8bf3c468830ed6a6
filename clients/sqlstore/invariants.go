package sqlstore

// invariant is something that always holds: the query finds what breaks it, with the values that go into the text.
type invariant struct {
	text  string
	query string
}

// hole is ws.EpochStep: how many positions of a conversation a new epoch passes over.
const hole = "4294967296"

// invariants are all that Check looks at. A number kept for a conversation that is not there yet is none of their business.
var invariants = []invariant{
	{"the ledger's secret has another length than 32 bytes: %s", `
		SELECT OCTET_LENGTH(secret) FROM yanlink_ledger WHERE secret IS NULL OR OCTET_LENGTH(secret) <> 32`},
	{"user %q has no stay in the system conversation", `
		SELECT u.openid FROM yanlink_users AS u
		WHERE NOT EXISTS (SELECT 1 FROM yanlink_members AS m WHERE m.openid = u.openid AND m.conversation = 1)`},
	{"device %q of %q belongs to no user", `
		SELECT d.device, d.openid FROM yanlink_devices AS d
		WHERE NOT EXISTS (SELECT 1 FROM yanlink_users AS u WHERE u.openid = d.openid)`},
	{"a token of %q has epoch %s, the user %s", `
		SELECT t.openid, t.epoch, u.token_epoch FROM yanlink_tokens AS t
		LEFT JOIN yanlink_users AS u ON u.openid = t.openid WHERE u.openid IS NULL OR t.epoch > u.token_epoch`},

	{"conversation %s was never given out: the next is %s", `
		SELECT c.id, n.next_id FROM yanlink_conversations AS c, yanlink_counters AS n WHERE n.name = 'conversation' AND c.id >= n.next_id`},
	{"conversation %s begins at %s and ends at %s", `
		SELECT id, first_seq, last_seq FROM yanlink_conversations WHERE first_seq < 1 OR first_seq > last_seq + 1`},
	{"conversation %s is not there and has positions up to %s", `
		SELECT id, last_seq FROM yanlink_conversations WHERE kind <> 3 AND members_version = 0 AND MOD(last_seq, ` + hole + `) <> 0`},
	{"conversation %s was updated at %s, and its last record, %s, is of %s", `
		SELECT c.id, c.updated_at, r.seq, r.created_at FROM yanlink_conversations AS c
		JOIN yanlink_messages AS r ON r.conversation = c.id AND r.seq = (SELECT MAX(m.seq) FROM yanlink_messages AS m WHERE m.conversation = c.id)
		WHERE r.created_at <> c.updated_at`},
	{"conversation %s keeps %s records from %s to %s, where %s to %s should be", `
		SELECT c.id, COUNT(r.seq), COALESCE(MIN(r.seq), 0), COALESCE(MAX(r.seq), 0), MIN(c.first_seq), MIN(c.last_seq)
		FROM yanlink_conversations AS c LEFT JOIN yanlink_messages AS r ON r.conversation = c.id GROUP BY c.id
		HAVING MIN(r.seq) < MIN(c.first_seq) OR MAX(r.seq) > MIN(c.last_seq)
			OR MOD(MIN(c.last_seq) - MIN(c.first_seq) + 1 - COUNT(r.seq), ` + hole + `) <> 0
			OR MIN(c.last_seq) - MIN(c.first_seq) + 1 - COUNT(r.seq) NOT BETWEEN 0 AND (SELECT (epoch - 1) * ` + hole + ` FROM yanlink_ledger)`},
	{"there are records of conversation %s, which is not there", `
		SELECT DISTINCT r.conversation FROM yanlink_messages AS r
		WHERE NOT EXISTS (SELECT 1 FROM yanlink_conversations AS c WHERE c.id = r.conversation)`},

	{"%q stays in conversation %s, which is not there", `
		SELECT m.openid, m.conversation FROM yanlink_members AS m
		WHERE NOT EXISTS (SELECT 1 FROM yanlink_conversations AS c WHERE c.id = m.conversation AND (c.members_version > 0 OR c.kind = 3))`},
	{"%q stays in conversation %s and is no user", `
		SELECT m.openid, m.conversation FROM yanlink_members AS m
		WHERE NOT EXISTS (SELECT 1 FROM yanlink_users AS u WHERE u.openid = m.openid)`},
	{"a stay of %q in conversation %s goes from %s to %s, had to %s, read to %s, where the last is %s", `
		SELECT m.openid, m.conversation, m.joined_seq, m.left_seq, m.delivered_seq, m.read_seq, c.last_seq
		FROM yanlink_members AS m JOIN yanlink_conversations AS c ON c.id = m.conversation
		WHERE m.joined_seq < 1 OR m.joined_seq > c.last_seq + 1 OR m.left_seq > c.last_seq OR (m.left_seq > 0 AND m.left_seq < m.joined_seq)
			OR m.delivered_seq > c.last_seq OR m.read_seq > c.last_seq`},
	{"the stays of %q in conversation %s overlap at %s", `
		SELECT a.openid, a.conversation, b.joined_seq FROM yanlink_members AS a
		JOIN yanlink_members AS b ON b.openid = a.openid AND b.conversation = a.conversation AND b.joined_seq > a.joined_seq
		WHERE a.left_seq = 0 OR b.joined_seq <= a.left_seq`},
	{"conversation %s is of %q, who do not both stay in it", `
		SELECT c.id, c.conversation_key FROM yanlink_conversations AS c WHERE c.kind = 1 AND c.members_version > 0 AND c.members_version <> (
			SELECT COUNT(*) FROM yanlink_members AS m WHERE m.conversation = c.id AND m.left_seq = 0
		)`},

	{"record %s of conversation %s is of kind %s, which is none", `
		SELECT seq, conversation, kind FROM yanlink_messages WHERE kind < 1 OR kind > 7`},
	{"record %s of conversation %s was recalled at %s, by record %s, and has %s bytes", `
		SELECT m.seq, m.conversation, m.recalled_at, m.recall_seq, m.body_bytes FROM yanlink_messages AS m
		LEFT JOIN yanlink_messages AS r ON r.conversation = m.conversation AND r.seq = m.recall_seq
		WHERE (m.recall_seq <> 0 OR m.recalled_at <> 0) AND (
			m.recall_seq = 0 OR m.recalled_at = 0 OR m.body_bytes <> 0 OR r.seq IS NULL OR r.kind <> 2 OR r.target_seq <> m.seq
		)`},
	{"record %s of conversation %s recalls %s, which does not say so", `
		SELECT r.seq, r.conversation, r.target_seq FROM yanlink_messages AS r
		JOIN yanlink_conversations AS c ON c.id = r.conversation
		LEFT JOIN yanlink_messages AS m ON m.conversation = r.conversation AND m.seq = r.target_seq
		WHERE r.kind = 2 AND r.target_seq >= c.first_seq AND (m.seq IS NULL OR m.recall_seq <> r.seq)`},
	{"record %s of conversation %s has a body of another length than %s bytes", `
		SELECT seq, conversation, body_bytes FROM yanlink_messages WHERE body_bytes <> OCTET_LENGTH(body)`},
	{"message %s of conversation %s, by %q, has no dedup key that leads to it", `
		SELECT r.seq, r.conversation, r.sender FROM yanlink_messages AS r
		LEFT JOIN yanlink_dedup AS d ON d.conversation = r.conversation AND d.sender = r.sender AND d.msgid = r.msgid
		WHERE r.kind = 1 AND r.msgid <> '' AND (d.sender IS NULL OR d.state <> 1 OR d.number <> r.seq)`},
	{"a dedup key of %q in conversation %s leads to record %s, which is another's or not there", `
		SELECT d.sender, d.conversation, d.number FROM yanlink_dedup AS d
		LEFT JOIN yanlink_conversations AS c ON c.id = d.conversation
		LEFT JOIN yanlink_messages AS r ON r.conversation = d.conversation AND r.seq = d.number
		WHERE d.state = 1 AND (c.id IS NULL OR d.number < 1 OR d.number > c.last_seq
			OR (d.number >= c.first_seq AND (r.seq IS NULL OR r.sender <> d.sender OR r.msgid <> d.msgid)))`},
	{"a dedup key of %q in conversation %s leads to the scheduled message %s, which is another's or not there", `
		SELECT d.sender, d.conversation, d.number FROM yanlink_dedup AS d LEFT JOIN yanlink_scheduled AS s ON s.id = d.number
		WHERE d.state = 2 AND (s.id IS NULL OR s.sender <> d.sender OR s.msgid <> d.msgid)`},

	{"a cursor of device %q of %q in conversation %s has no device or no stay", `
		SELECT k.device, k.openid, k.conversation FROM yanlink_cursors AS k
		WHERE NOT EXISTS (SELECT 1 FROM yanlink_devices AS d WHERE d.openid = k.openid AND d.device = k.device)
			OR NOT EXISTS (SELECT 1 FROM yanlink_members AS m WHERE m.openid = k.openid AND m.conversation = k.conversation)`},
	{"the cursor of device %q of %q in conversation %s is at %s, acknowledged to %s, where the last is %s", `
		SELECT k.device, k.openid, k.conversation, k.seq, k.due_seq, c.last_seq FROM yanlink_cursors AS k
		JOIN yanlink_conversations AS c ON c.id = k.conversation WHERE k.seq > c.last_seq OR k.due_seq > k.seq`},
	{"the receipt %s to %s of device %q of %q lies outside conversation %s", `
		SELECT r.from_seq, r.to_seq, r.device, r.openid, r.conversation FROM yanlink_receipts AS r
		LEFT JOIN yanlink_conversations AS c ON c.id = r.conversation
		WHERE c.id IS NULL OR r.from_seq < 1 OR r.to_seq < r.from_seq OR r.to_seq > c.last_seq`},
	{"the receipt from %s of device %q of %q in conversation %s overlaps the one before it", `
		SELECT r.from_seq, r.device, r.openid, r.conversation FROM (
			SELECT from_seq, device, openid, conversation,
				LAG(to_seq) OVER (PARTITION BY conversation, openid, device ORDER BY from_seq) AS before_it
			FROM yanlink_receipts
		) AS r WHERE r.before_it >= r.from_seq`},
	{"the receipt %s to %s of device %q of %q in conversation %s is outside the user's stays", `
		SELECT r.from_seq, r.to_seq, r.device, r.openid, r.conversation FROM yanlink_receipts AS r
		JOIN yanlink_conversations AS c ON c.id = r.conversation
		WHERE r.to_seq >= c.first_seq AND r.to_seq - GREATEST(r.from_seq, c.first_seq) + 1 > (
			SELECT COALESCE(SUM(GREATEST(0, LEAST(r.to_seq, CASE WHEN m.left_seq = 0 THEN r.to_seq ELSE m.left_seq END)
				- GREATEST(r.from_seq, c.first_seq, m.joined_seq) + 1)), 0)
			FROM yanlink_members AS m WHERE m.openid = r.openid AND m.conversation = r.conversation
		)`},
	{"device %q of %q has a receipt for its own message %s of conversation %s", `
		SELECT r.device, r.openid, m.seq, m.conversation FROM yanlink_receipts AS r
		JOIN yanlink_messages AS m ON m.conversation = r.conversation AND m.seq BETWEEN r.from_seq AND r.to_seq
		WHERE m.sender = r.openid AND m.sender_device = r.device`},
	{"receipts of device %q of %q in conversation %s are not found by the message", `
		SELECT DISTINCT r.device, r.openid, r.conversation FROM yanlink_receipts AS r
		WHERE NOT EXISTS (
			SELECT 1 FROM yanlink_receivers AS v WHERE v.conversation = r.conversation AND v.openid = r.openid AND v.device = r.device
		)`},
	{"the cursor of device %q of %q in conversation %s says that receipts reach to %s, and one reaches to %s", `
		SELECT k.device, k.openid, k.conversation, k.covered_seq, MAX(r.to_seq) FROM yanlink_cursors AS k
		JOIN yanlink_receipts AS r ON r.conversation = k.conversation AND r.openid = k.openid AND r.device = k.device
		GROUP BY k.device, k.openid, k.conversation, k.covered_seq HAVING MAX(r.to_seq) > k.covered_seq`},

	{"scheduled message %s was never given out: the next is %s", `
		SELECT s.id, n.next_id FROM yanlink_scheduled AS s, yanlink_counters AS n WHERE n.name = 'scheduled' AND s.id >= n.next_id`},
	{"scheduled message %s of %q has no dedup key that leads to it", `
		SELECT s.id, s.sender FROM yanlink_scheduled AS s
		LEFT JOIN (SELECT number, sender, msgid FROM yanlink_dedup WHERE state = 2) AS d ON d.number = s.id
		WHERE s.msgid <> '' AND (d.number IS NULL OR d.sender <> s.sender OR d.msgid <> s.msgid)`},
	{"event %s is in the state %s, which is never stored", `
		SELECT id, state FROM yanlink_outbox WHERE state NOT IN (1, 3, 4)`},
}
