package protocol_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

// tree is what encoding/json makes of a frame, numbers kept as they are written.
type tree = map[string]any

func parse(t *testing.T, frame []byte) tree {
	t.Helper()
	require.True(t, utf8.Valid(frame), "%q", frame)
	require.False(t, bytes.ContainsAny(frame, "\u2028\u2029"), "%q", frame)
	decoder := json.NewDecoder(bytes.NewReader(frame))
	decoder.UseNumber()
	var parsed tree
	require.NoError(t, decoder.Decode(&parsed), "%q", frame)
	require.False(t, decoder.More(), "%q", frame)
	return parsed
}

// clean is what a string has to come out as: each byte that is no UTF-8 as U+FFFD.
func clean(s string) string { return string([]rune(s)) }

func num[N int | int64 | uint64 | Type | Trigger](n N) json.Number { return json.Number(fmt.Sprint(n)) }

// put sets a key only if there is something to say.
func put(m tree, key, s string) tree {
	if s != "" {
		m[key] = clean(s)
	}
	return m
}

func position(m tree, id MessageID) tree {
	m["conversationId"], m["seq"] = fmt.Sprintf("%016x", uint64(id.Conversation)), num(id.Seq)
	return m
}

func hexID(id MessageID) string { return fmt.Sprintf("%016x%016x", uint64(id.Conversation), id.Seq) }

func uuidText(id [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func date(ms int64) string {
	return time.UnixMilli(ms).In(time.FixedZone("CST", 8*3600)).Format("Mon Jan 02 15:04:05 MST 2006")
}

func reply(t Type, params tree, status int, id string) tree {
	m := tree{"type": num(t), "status": num(status)}
	if params != nil {
		m["params"] = params
	}
	if id != "" {
		var v any
		decoder := json.NewDecoder(bytes.NewReader([]byte(id)))
		decoder.UseNumber()
		_ = decoder.Decode(&v)
		m["id"] = v
	}
	return m
}

func envelope(t Type, at int64, id MessageID, d Delivery, params tree) tree {
	return tree{
		"activeTime": num(at), "from": "system", "messageId": hexID(id),
		"msg":     tree{"type": num(t), "params": params, "status": num(200)},
		"msgType": num(1), "requestId": uuidText(d.RequestID), "sessionId": clean(d.SessionID),
		"to": []any{clean(d.To)}, "trigger": num(d.Trigger),
	}
}

func delivered(m tree, id MessageID, d Delivery) tree {
	m["prevSeq"], m["redelivered"] = num(d.PrevSeq), d.Redelivered
	return position(m, id)
}

func userTree(u User) tree {
	status := "0"
	if u.Online {
		status = "1"
	}
	return tree{"openid": clean(u.OpenID), "loginStatus": status, "userName": clean(u.Name)}
}

func mayBeEmpty(m tree, key, s string) tree {
	m[key] = clean(s)
	return m
}

// FuzzEncode lets encoding/json read back what every encoder writes of arbitrary values.
func FuzzEncode(f *testing.F) {
	f.Add("hi", "m1", "a", "", int64(1704162492912), uint64(42), uint64(7), byte(1))
	f.Add("\"\\\n\x00\x7f\u2028", "\xff", "é漢😀", `"x"`, int64(-1), uint64(math.MaxUint64), uint64(0), byte(0xFF))
	f.Add("1234567\xe2\x80", "\xe2\x80\xa8abcdefgh\xe2\x80\xa9", "12345678\x1f", "7", int64(0), uint64(0), uint64(1), byte(4))
	f.Fuzz(func(t *testing.T, a, b, c, id string, at int64, n, m uint64, bits byte) {
		if !json.Valid([]byte(id)) || !utf8.ValidString(id) || len(id) > 100 || bytes.ContainsAny([]byte(id), "{[\u2028\u2029") {
			id = "" // ids come from Decode, raw
		}
		at %= 253402300799999 // the year 9999
		compareReplies(t, a, b, c, id, at, n, m, bits)
		compareEnvelopes(t, a, b, c, at, n, m, bits)
	})
}

func compareReplies(t *testing.T, a, b, c, id string, at int64, n, m uint64, bits byte) {
	t.Helper()
	position1 := MessageID{ConversationID(n), m}
	require.Equal(t,
		reply(TypeAccepted, position(put(tree{
			"date": date(at), "message": clean(a), "at": num(at), "messageId": hexID(position1), "duplicate": bits&1 > 0,
		}, "msgid", b), position1), 200, id),
		parse(t, AppendAccepted(nil, cst, Accepted{id, at, a, b, position1, bits&1 > 0})))

	acked := tree{"date": date(at), "at": num(at)}
	if b != "" {
		acked["message"] = clean(b)
	} else {
		acked["conversationId"], acked["upTo"] = fmt.Sprintf("%016x", n), num(m)
	}
	require.Equal(t, reply(TypeAcked, acked, 200, id), parse(t, AppendAcked(nil, cst, Acked{id, at, b, ConversationID(n), m})))

	require.Equal(t, reply(TypeRenew, nil, 200, id), parse(t, AppendReply(nil, TypeRenew, id)))
	pong := reply(0, nil, 0, id)
	delete(pong, "status")
	pong["type"] = "pong"
	require.Equal(t, pong, parse(t, AppendPong(nil, id)))
	require.Equal(t, reply(TypeRecall, tree{"messageId": hexID(position1)}, 200, id), parse(t, AppendRecallDone(nil, id, position1)))

	presence := Presence{At: at, OpenID: a, Status: b, Devices: []string{a, c}}
	stands := tree{"openid": clean(a), "status": clean(b), "devices": []any{clean(a), clean(c)}}
	require.Equal(t, reply(TypeWatch, tree{"users": []any{stands, stands}}, 200, id), parse(t, AppendWatchDone(nil, id, []Presence{presence, presence})))
	told := maps.Clone(stands)
	told["date"], told["at"] = date(at), num(at)
	require.Equal(t, reply(TypePresence, told, 200, ""), parse(t, AppendPresence(nil, cst, &presence)))

	from := User{a, b, bits&1 > 0}
	require.Equal(t, reply(TypeSignal, tree{"fromUser": userTree(from), "signal": clean(c), "at": num(at)}, 200, ""),
		parse(t, AppendSignal(nil, Signal{at, from, c})))

	read := tree{"conversationId": fmt.Sprintf("%016x", n), "seq": num(m), "at": num(at)}
	require.Equal(t, reply(TypeRead, read, 200, id), parse(t, AppendReadDone(nil, ReadDone{id, ConversationID(n), m, at})))

	for _, code := range []Code{BadField, Overloaded, Code(c)} {
		fault := &Error{Code: code, Message: a, Field: b, MsgID: c}
		require.Equal(t,
			reply(TypeError, put(put(faultTree(fault), "field", b), "msgid", c), code.Status(), id),
			parse(t, AppendError(nil, id, fault)))
	}
	compareHello(t, a, b, c, at, n, m, bits)
	compareSyncDone(t, a, b, id, n, m, bits)
}

func faultTree(e *Error) tree {
	return tree{"code": clean(string(e.Code)), "message": clean(e.Message), "temporary": e.Code.Temporary()}
}

func compareHello(t *testing.T, a, b, c string, at int64, n, m uint64, bits byte) {
	t.Helper()
	h := Hello{a, b, c, bits&1 > 0, n, int(bits), int(m), -int(bits), at}
	require.Equal(t,
		reply(TypeHello, tree{
			"sessionId": clean(a), "openid": clean(b), "device": clean(c), "newDevice": bits&1 > 0, "epoch": num(n),
			"heartbeatSeconds": num(h.HeartbeatSeconds), "frameBytes": num(h.FrameBytes), "window": num(h.Window), "at": num(at),
		}, 200, ""),
		parse(t, AppendHello(nil, h)))
}

func compareSyncDone(t *testing.T, a, b, id string, n, m uint64, bits byte) {
	t.Helper()
	done := SyncDone{ID: id, Epoch: m, Reset: bits&1 > 0, Marks: int(bits), Proofs: int(bits) / 2}
	waiting, gone, errs := []any{}, []any{}, []any{}
	for i := range uint64(bits & 3) {
		done.Waiting = append(done.Waiting, MessageID{ConversationID(n), i})
		waiting = append(waiting, hexID(done.Waiting[i]))
	}
	for i := range uint64(bits >> 2 & 3) {
		done.Gone = append(done.Gone, MessageID{ConversationID(i), m})
		gone = append(gone, hexID(done.Gone[i]))
	}
	for i := range uint64(bits >> 4 & 3) {
		e := &Error{Code: Code(b), Message: a, Field: "hidden", MsgID: "hidden"}
		done.Errors = append(done.Errors, MarkError{ConversationID(n + i), e})
		errs = append(errs, mayBeEmpty(faultTree(e), "conversationId", fmt.Sprintf("%016x", n+i)))
	}
	params := tree{
		"epoch": num(m), "waiting": waiting, "gone": gone, "reset": bits&1 > 0, "marks": num(done.Marks), "proofs": num(done.Proofs),
	}
	if len(errs) > 0 {
		params["errors"] = errs
	}
	require.Equal(t, reply(TypeSyncDone, params, 200, id), parse(t, AppendSyncDone(nil, done)))
}

func compareEnvelopes(t *testing.T, a, b, c string, at int64, n, m uint64, bits byte) {
	t.Helper()
	id, target := MessageID{ConversationID(n), m}, MessageID{ConversationID(m), n}
	d := Delivery{PrevSeq: n, Redelivered: bits&2 > 0, RequestID: NewRequestID(), SessionID: a, To: b, Trigger: Trigger(bits)}

	message := Message{at, id, c, User{a, b, bits&1 > 0}, User{b, c, bits&2 > 0}, a, bits}
	require.Equal(t,
		envelope(TypeMessage, at, id, d, delivered(tree{
			"toUser": userTree(message.To), "fromUser": userTree(message.From), "message": clean(a),
			"fileType": fmt.Sprint(bits), "msgid": clean(c),
		}, id, d)),
		parse(t, AppendMessageTail(AppendMessageShared(nil, message), d)))

	require.Equal(t,
		envelope(TypeRecalled, at, id, d, delivered(tree{"recalled": hexID(target), "by": clean(c)}, id, d)),
		parse(t, AppendMessageTail(AppendRecalledShared(nil, Recalled{at, id, target, c}), d)))

	require.Equal(t,
		envelope(TypeEvent, at, id, d, delivered(put(put(tree{"event": clean(a), "by": clean(a)}, "user", b), "name", c), id, d)),
		parse(t, AppendMessageTail(AppendEventShared(nil, Event{at, id, a, b, c, a}), d)))

	require.Equal(t,
		envelope(TypeDelivered, at, id, d, put(tree{
			"messageId": hexID(id), "toUser": clean(a), "device": clean(b), "date": date(at), "at": num(at),
		}, "msgid", c)),
		parse(t, AppendDelivered(nil, cst, Delivered{at, c, id, a, b, d.RequestID, d.SessionID, d.To, d.Trigger})))

	read := envelope(TypeReadBy, at, id, d, tree{"conversationId": fmt.Sprintf("%016x", n), "seq": num(m), "user": clean(c)})
	read["messageId"] = hex.EncodeToString(d.RequestID[:])
	require.Equal(t, read, parse(t, AppendReadBy(nil, ReadBy{at, id.Conversation, m, c, d.RequestID, d.RequestID, d.SessionID, d.To, d.Trigger})))
}

// FuzzParse holds the parsers of identities: what they take they write back the same, and only that.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", msg1, conv1, "fec21e30-9260-486f-b78e-04aa3b3d7b5f", "FEC21E30-9260-486F-B78E-04AA3B3D7B5F"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if id, ok := ParseMessageID(s); ok {
			require.Equal(t, s, id.String())
			require.False(t, id.Conversation == 0 || id.Seq == 0)
		}
		if id, err := ParseConversationID(s); err == nil {
			require.Equal(t, s, id.String())
		}
		if id, ok := ParseRequestID(s); ok {
			require.Equal(t, string(bytes.ToLower([]byte(s))), string(AppendUUID(nil, id)))
		}
		if ValidDevice(s) {
			require.Regexp(t, `^[A-Za-z0-9_.~-]{1,64}$`, s)
		}
	})
}
