package protocol

import "encoding/hex"

// AppendMessageShared appends the part of frame 2 that is the same for every device of one receiver: everything up to and
// including seq. AppendMessageTail adds the rest.
func AppendMessageShared(dst []byte, m Message) []byte {
	dst = appendEnvelope(dst, m.At, m.MessageID)
	dst = appendUser(dst, `,"msg":{"type":2,"params":{"toUser":`, m.To)
	dst = appendUser(dst, `,"fromUser":`, m.From)
	dst = appendText(dst, `,"message":`, m.Body)
	dst = appendUint(dst, `,"fileType":"`, uint64(m.FileType))
	dst = appendText(dst, `","msgid":`, m.MsgID)
	return appendPosition(dst, m.MessageID)
}

// AppendRecalledShared appends the shared part of frame 31, for AppendMessageTail to close.
func AppendRecalledShared(dst []byte, r Recalled) []byte {
	dst = appendEnvelope(dst, r.At, r.MessageID)
	dst = appendID(dst, `,"msg":{"type":31,"params":{"recalled":`, r.Target)
	dst = appendText(dst, `,"by":`, r.By)
	return appendPosition(dst, r.MessageID)
}

// AppendEventShared appends the shared part of frame 32, for AppendMessageTail to close.
func AppendEventShared(dst []byte, e Event) []byte {
	dst = appendEnvelope(dst, e.At, e.MessageID)
	dst = appendText(dst, `,"msg":{"type":32,"params":{"event":`, e.Event)
	dst = appendGiven(dst, `,"user":`, e.User)
	dst = appendGiven(dst, `,"name":`, e.Name)
	dst = appendText(dst, `,"by":`, e.By)
	return appendPosition(dst, e.MessageID)
}

// AppendMessageTail closes what one of the three above began, for one session.
func AppendMessageTail(dst []byte, d Delivery) []byte {
	dst = appendUint(dst, `,"prevSeq":`, d.PrevSeq)
	dst = appendBool(dst, `,"redelivered":`, d.Redelivered)
	return appendAddress(dst, d.RequestID, d.SessionID, d.To, d.Trigger)
}

// AppendDelivered appends frame 17.
func AppendDelivered(dst []byte, dates *Dates, d Delivered) []byte {
	dst = appendEnvelope(dst, d.At, d.MessageID)
	dst = append(dst, `,"msg":{"type":17,"params":{`...)
	if d.MsgID != "" {
		dst = append(appendText(dst, `"msgid":`, d.MsgID), ',')
	}
	dst = appendID(dst, `"messageId":`, d.MessageID)
	dst = appendText(dst, `,"toUser":`, d.ToUser)
	dst = appendText(dst, `,"device":`, d.Device)
	dst = dates.appendDate(dst, `,"date":`, d.At)
	dst = appendInt(dst, `,"at":`, d.At)
	return appendAddress(dst, d.RequestID, d.SessionID, d.To, d.Trigger)
}

// AppendReadBy appends frame 26.
func AppendReadBy(dst []byte, r ReadBy) []byte {
	dst = appendLooseEnvelope(dst, r.At, r.MessageID)
	dst = appendConversation(dst, `,"msg":{"type":26,"params":{"conversationId":`, r.Conversation)
	dst = appendUint(dst, `,"seq":`, r.Seq)
	dst = appendText(dst, `,"user":`, r.User)
	return appendAddress(dst, r.RequestID, r.SessionID, r.To, r.Trigger)
}

// appendEnvelope opens an envelope around a record, up to where msg stands.
func appendEnvelope(dst []byte, at int64, id MessageID) []byte {
	dst = appendInt(dst, `{"activeTime":`, at)
	return appendID(dst, `,"from":"system","messageId":`, id)
}

// appendLooseEnvelope opens an envelope around what is no record: its id is a random one.
func appendLooseEnvelope(dst []byte, at int64, id [16]byte) []byte {
	dst = appendInt(dst, `{"activeTime":`, at)
	dst = append(dst, `,"from":"system","messageId":"`...)
	return append(hex.AppendEncode(dst, id[:]), '"')
}

// appendAddress closes params, msg and the envelope around them. The given examples show msgType 1 in both 2 and 17.
func appendAddress(dst []byte, requestID [16]byte, sessionID, to string, trigger Trigger) []byte {
	dst = append(dst, `},"status":200},"msgType":1,"requestId":"`...)
	dst = AppendUUID(dst, requestID)
	dst = appendText(dst, `","sessionId":`, sessionID)
	dst = appendText(dst, `,"to":[`, to)
	dst = appendUint(dst, `],"trigger":`, uint64(trigger))
	return append(dst, '}')
}

// appendUser appends how a person stands in an envelope.
func appendUser(dst []byte, key string, u User) []byte {
	dst = append(dst, key...)
	dst = appendText(dst, `{"openid":`, u.OpenID)
	if u.Online {
		dst = append(dst, `,"loginStatus":"1"`...)
	} else {
		dst = append(dst, `,"loginStatus":"0"`...)
	}
	return append(appendText(dst, `,"userName":`, u.Name), '}')
}
