package ws

// Transfer is one thing that a ledger holds, on its way into another one: exactly one of its fields is set. Beside what the
// contract shows, it has what stores keep for themselves.
type Transfer struct {
	Ledger       *TransferLedger
	User         *TransferUser
	Device       *Device
	Token        *Token
	Conversation *Conversation
	Stay         *Stay
	Record       *TransferRecord
	Dedup        *TransferDedup
	Cursor       *TransferCursor
	Receipt      *Receipt
	Scheduled    *Scheduled
	Event        *Event
}

// TransferLedger is what a ledger says of itself, its secret, which is zero where it has none yet, and the next number of each
// kind that it would give.
type TransferLedger struct {
	Info                                       LedgerInfo
	Secret                                     Secret
	NextConversation, NextScheduled, NextEvent uint64
}

// TransferUser is a user, and when the user's tokens were revoked last.
type TransferUser struct {
	User
	RevokedAt Millis
}

// TransferRecord is a record; of a recalled message, Recall is the position of its recall.
type TransferRecord struct {
	Record
	Recall uint64
}

// TransferDedup is what a sender's msgid stands for: by State, the position of a message that was sent (1), or the id of one
// that is scheduled (2) or was cancelled (3).
type TransferDedup struct {
	Conversation  ConversationID
	Sender, MsgID string
	State         uint8
	Number, Hash  uint64
}

// TransferCursor is a device's cursor, and the highest position that a receipt of the device covers.
type TransferCursor struct {
	DeviceRef
	Cursor
	Covered uint64
}
