package pebblestore

import (
	"encoding/binary"

	"github.com/yanlink/yanlink/ws"
)

// Every key begins with one byte that says what it holds:
//
//	!                                       the ledger: format, epoch
//	#                                       the counters: the next id of each kind
//	$                                       the ledger's secret
//	u openid                                user
//	d user 0 device                         device
//	y user 0 device                         index: the devices that are ephemeral
//	t hash(32)                              accepted token
//	c conversation                          conversation
//	k kind key                              index: the conversation's id by kind and key
//	s user 0 conversation                   the user's stays in the conversation
//	i conversation user                     index: 1 if the user has an open stay, 0 if not any more
//	m conversation seq                      record
//	x conversation sender 0 msgid           dedup key
//	p user 0 device 0 conversation          cursor
//	a conversation user 0 device 0 from     receipt
//	e due id                                scheduled message, by time
//	f id                                    index: when a scheduled message is due
//	o state id                              outgoing event
//	l name                                  lease
//
// Integers are big-endian, so that keys sort as numbers do; names end with a zero byte, which none of them contains.
const (
	kindLedger       byte = '!'
	kindCounters     byte = '#'
	kindSecret       byte = '$'
	kindUser         byte = 'u'
	kindDevice       byte = 'd'
	kindEphemeral    byte = 'y'
	kindToken        byte = 't'
	kindConversation byte = 'c'
	kindName         byte = 'k'
	kindStays        byte = 's'
	kindMember       byte = 'i'
	kindRecord       byte = 'm'
	kindDedup        byte = 'x'
	kindCursor       byte = 'p'
	kindReceipt      byte = 'a'
	kindScheduled    byte = 'e'
	kindDue          byte = 'f'
	kindEvent        byte = 'o'
	kindLease        byte = 'l'
)

// kindNames are the kinds as error texts call them.
var kindNames = map[byte]string{
	kindLedger: "ledger", kindCounters: "counters", kindSecret: "secret", kindUser: "user", kindDevice: "device", kindEphemeral: "ephemeral device",
	kindToken: "token", kindConversation: "conversation", kindName: "conversation key", kindStays: "stays", kindMember: "member",
	kindRecord: "message", kindDedup: "dedup", kindCursor: "cursor", kindReceipt: "receipt", kindScheduled: "scheduled message",
	kindDue: "due time", kindEvent: "event", kindLease: "lease",
}

func appendName(dst []byte, name string) []byte { return append(append(dst, name...), 0) }

func appendID(dst []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(dst, n) }

func userKey(dst []byte, openID string) []byte {
	return append(append(dst, kindUser), openID...)
}

func deviceKey(dst []byte, ref ws.DeviceRef) []byte {
	return append(devicesPrefix(dst, ref.User), ref.Device...)
}

func devicesPrefix(dst []byte, user string) []byte {
	return appendName(append(dst, kindDevice), user)
}

func ephemeralKey(dst []byte, ref ws.DeviceRef) []byte {
	return append(appendName(append(dst, kindEphemeral), ref.User), ref.Device...)
}

func tokenKey(dst []byte, hash [32]byte) []byte {
	return append(append(dst, kindToken), hash[:]...)
}

func conversationKey(dst []byte, id ws.ConversationID) []byte {
	return appendID(append(dst, kindConversation), uint64(id))
}

func nameKey(dst []byte, kind ws.ConversationKind, key string) []byte {
	return append(append(dst, kindName, byte(kind)), key...)
}

func staysKey(dst []byte, user string, id ws.ConversationID) []byte {
	return appendID(staysPrefix(dst, user), uint64(id))
}

func staysPrefix(dst []byte, user string) []byte {
	return appendName(append(dst, kindStays), user)
}

func memberKey(dst []byte, id ws.ConversationID, user string) []byte {
	return append(membersPrefix(dst, id), user...)
}

func membersPrefix(dst []byte, id ws.ConversationID) []byte {
	return appendID(append(dst, kindMember), uint64(id))
}

func recordKey(dst []byte, id ws.ConversationID, seq uint64) []byte {
	return appendID(appendID(append(dst, kindRecord), uint64(id)), seq)
}

func dedupKey(dst []byte, id ws.ConversationID, sender, msgid string) []byte {
	return append(appendName(appendID(append(dst, kindDedup), uint64(id)), sender), msgid...)
}

func cursorKey(dst []byte, ref ws.DeviceRef, id ws.ConversationID) []byte {
	return appendID(cursorsPrefix(dst, ref), uint64(id))
}

func cursorsPrefix(dst []byte, ref ws.DeviceRef) []byte {
	return appendName(appendName(append(dst, kindCursor), ref.User), ref.Device)
}

func receiptKey(dst []byte, id ws.ConversationID, ref ws.DeviceRef, from uint64) []byte {
	return appendID(receiptsPrefix(dst, id, ref), from)
}

func receiptsPrefix(dst []byte, id ws.ConversationID, ref ws.DeviceRef) []byte {
	return appendName(appendName(allReceiptsPrefix(dst, id), ref.User), ref.Device)
}

func allReceiptsPrefix(dst []byte, id ws.ConversationID) []byte {
	return appendID(append(dst, kindReceipt), uint64(id))
}

func scheduledKey(dst []byte, due ws.Millis, id uint64) []byte {
	return appendID(appendID(append(dst, kindScheduled), uint64(due)), id)
}

func dueKey(dst []byte, id uint64) []byte { return appendID(append(dst, kindDue), id) }

func eventKey(dst []byte, state ws.EventState, id uint64) []byte {
	return appendID(append(dst, kindEvent, byte(state)), id)
}

func leaseKey(dst []byte, name string) []byte { return append(append(dst, kindLease), name...) }

// after returns the first key behind all that begin with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		end[i]++
		if end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
