package protocol

import "time"

// AppendAccepted appends frame 0.
func AppendAccepted(dst []byte, dates *Dates, a Accepted) []byte {
	dst = dates.appendDate(dst, `{"type":0,"params":{"date":`, a.At)
	dst = appendText(dst, `,"message":`, a.Message)
	dst = appendInt(dst, `,"at":`, a.At)
	dst = appendGiven(dst, `,"msgid":`, a.MsgID)
	dst = appendID(dst, `,"messageId":`, a.MessageID)
	dst = appendPosition(dst, a.MessageID)
	dst = appendBool(dst, `,"duplicate":`, a.Duplicate)
	return appendReplyEnd(dst, a.ID)
}

// AppendAcked appends frame 16: for a msgid if there is one, else for a conversation.
func AppendAcked(dst []byte, dates *Dates, a Acked) []byte {
	dst = dates.appendDate(dst, `{"type":16,"params":{"date":`, a.At)
	if a.MsgID != "" {
		dst = appendText(dst, `,"message":`, a.MsgID)
	} else {
		dst = appendConversation(dst, `,"conversationId":`, a.Conversation)
		dst = appendUint(dst, `,"upTo":`, a.UpTo)
	}
	dst = appendInt(dst, `,"at":`, a.At)
	return appendReplyEnd(dst, a.ID)
}

// AppendReply appends the answer that says no more than done, of the types 7, 12 and 22. id is raw JSON, as in Frame.
func AppendReply(dst []byte, t Type, id string) []byte {
	return appendStatus(appendInt(dst, `{"type":`, int64(t)), 200, id)
}

// AppendPong appends the answer to a frame of type "20".
func AppendPong(dst []byte, id string) []byte {
	return append(appendRequest(append(dst, `{"type":"pong"`...), id), '}')
}

// AppendRecallDone appends the answer to a frame 30; target is the message that was recalled.
func AppendRecallDone(dst []byte, id string, target MessageID) []byte {
	return appendReplyEnd(appendID(dst, `{"type":30,"params":{"messageId":`, target), id)
}

// AppendReadDone appends the answer to a frame 25.
func AppendReadDone(dst []byte, r ReadDone) []byte {
	dst = appendConversation(dst, `{"type":25,"params":{"conversationId":`, r.Conversation)
	dst = appendUint(dst, `,"seq":`, r.Seq)
	dst = appendInt(dst, `,"at":`, r.At)
	return appendReplyEnd(dst, r.ID)
}

// AppendError appends frame 500 with the status that belongs to the error's code. Its cause is not shown.
func AppendError(dst []byte, id string, e *Error) []byte {
	dst = appendFault(append(dst, `{"type":500,"params":{`...), e)
	dst = appendGiven(dst, `,"msgid":`, e.MsgID)
	dst = appendGiven(dst, `,"field":`, e.Field)
	if e.RetryAfter > 0 {
		dst = appendInt(dst, `,"retryAfterMs":`, int64((e.RetryAfter+time.Millisecond-1)/time.Millisecond))
	}
	return appendStatus(append(dst, '}'), e.Code.Status(), id)
}

func appendFault(dst []byte, e *Error) []byte {
	dst = appendText(dst, `"code":`, string(e.Code))
	dst = appendText(dst, `,"message":`, e.Message)
	return appendBool(dst, `,"temporary":`, e.Code.Temporary())
}

// AppendHello appends frame 33.
func AppendHello(dst []byte, h Hello) []byte {
	dst = appendText(dst, `{"type":33,"params":{"sessionId":`, h.SessionID)
	dst = appendText(dst, `,"openid":`, h.OpenID)
	dst = appendText(dst, `,"device":`, h.Device)
	dst = appendBool(dst, `,"newDevice":`, h.NewDevice)
	dst = appendUint(dst, `,"epoch":`, h.Epoch)
	dst = appendInt(dst, `,"heartbeatSeconds":`, int64(h.HeartbeatSeconds))
	dst = appendInt(dst, `,"frameBytes":`, int64(h.FrameBytes))
	dst = appendInt(dst, `,"window":`, int64(h.Window))
	dst = appendInt(dst, `,"at":`, h.At)
	return appendReplyEnd(dst, "")
}

// AppendSyncDone appends frame 29.
func AppendSyncDone(dst []byte, s SyncDone) []byte {
	dst = appendUint(dst, `{"type":29,"params":{"epoch":`, s.Epoch)
	dst = appendIDs(dst, `,"waiting":[`, s.Waiting)
	dst = appendIDs(dst, `,"gone":[`, s.Gone)
	dst = appendBool(dst, `,"reset":`, s.Reset)
	dst = appendInt(dst, `,"marks":`, int64(s.Marks))
	dst = appendInt(dst, `,"proofs":`, int64(s.Proofs))
	if len(s.Errors) > 0 {
		dst = appendMarkErrors(dst, s.Errors)
	}
	return appendReplyEnd(dst, s.ID)
}

func appendIDs(dst []byte, key string, ids []MessageID) []byte {
	dst = append(dst, key...)
	for i, id := range ids {
		dst = appendID(dst, separator(i), id)
	}
	return append(dst, ']')
}

func appendMarkErrors(dst []byte, errs []MarkError) []byte {
	dst = append(dst, `,"errors":[`...)
	for i, e := range errs {
		dst = append(append(dst, separator(i)...), '{')
		dst = appendConversation(dst, `"conversationId":`, e.Conversation)
		dst = append(appendFault(append(dst, ','), e.Err), '}')
	}
	return append(dst, ']')
}

// separator is what stands before the entry i of a list.
func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}
