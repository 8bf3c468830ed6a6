package protocol

import "strconv"

// The helpers here append one part of an object each. Keys carry their quotes, colon and, but for the first of an
// object, comma, so that the encoders read like the frames that they write.

func appendText(dst []byte, key, s string) []byte {
	return appendString(append(dst, key...), s)
}

// appendGiven leaves out what is empty.
func appendGiven(dst []byte, key, s string) []byte {
	if s == "" {
		return dst
	}
	return appendText(dst, key, s)
}

func appendInt(dst []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(dst, key...), n, 10)
}

func appendUint(dst []byte, key string, n uint64) []byte {
	return strconv.AppendUint(append(dst, key...), n, 10)
}

func appendBool(dst []byte, key string, b bool) []byte {
	return strconv.AppendBool(append(dst, key...), b)
}

func appendConversation(dst []byte, key string, id ConversationID) []byte {
	dst = append(append(dst, key...), '"')
	return append(AppendHex64(dst, uint64(id)), '"')
}

func appendID(dst []byte, key string, id MessageID) []byte {
	dst = append(append(dst, key...), '"')
	return append(AppendMessageID(dst, id), '"')
}

// appendPosition appends where a record stands.
func appendPosition(dst []byte, id MessageID) []byte {
	dst = appendConversation(dst, `,"conversationId":`, id.Conversation)
	return appendUint(dst, `,"seq":`, id.Seq)
}

// appendReplyEnd closes params and the reply around them.
func appendReplyEnd(dst []byte, id string) []byte {
	return appendStatus(append(dst, '}'), 200, id)
}

// appendStatus closes a reply. id is raw JSON, as Frame.ID has it.
func appendStatus(dst []byte, status int, id string) []byte {
	dst = appendInt(dst, `,"status":`, int64(status))
	return append(appendRequest(dst, id), '}')
}

// appendRequest appends the id of the frame that is answered, if it had one.
func appendRequest(dst []byte, id string) []byte {
	if id == "" {
		return dst
	}
	return append(append(dst, `,"id":`...), id...)
}
