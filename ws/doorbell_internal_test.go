package ws

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func someEntries() []effect {
	rec := &Record{
		Conversation: 7, Seq: 1 << 40, Kind: KindMessage, Sender: "rose", SenderDevice: "web", MsgID: "m-1",
		RequestID: [16]byte{1, 2, 15: 3}, Node: "n1", Body: "h\x00llo, wörld", FileType: 2, Trigger: 2, CreatedAt: 1_700_000_000_000, ExpireAt: 5,
	}
	recall := &Record{Conversation: 7, Seq: 9, Kind: KindRecall, Target: 8, Sender: "rose"}
	joined := &Record{Conversation: 8, Seq: 1, Kind: KindJoined, Subject: "jack"}
	return []effect{
		&canaryBell{lane: LaneNotices},
		&recordBell{rec: rec, to: "jack", senderName: "Rose", members: []string{"jack", "rose"}},
		&recordBell{rec: recall, members: []string{"jack"}},
		&recordBell{rec: joined, members: []string{"jack"}},
		&proof{id: MessageID{Conversation: 7, Seq: 3}, msgid: "m", sender: "rose", user: "jack", device: "web", at: 77},
		&endBell{user: "jack", session: "s", code: 4409, reason: "gone", at: 1704162492912},
		&readBell{
			to: "rose", reader: "jack", conversation: 7, seq: 3, at: 1_700_000_000_000, request: [16]byte{15: 7}, trigger: 2,
		},
		&presenceBell{users: []string{"jack", "rose"}},
		&signalBell{to: "jack", from: "rose", fromName: "Rose", signal: "typing", at: 1_700_000_000_000},
		&hadBell{Ack{User: "jack", Device: "web", Conversation: 7, From: 3, To: 1 << 33}},
	}
}

func bodyOf(entries []effect) []byte {
	body := newDoorbell(42)
	for _, e := range entries {
		switch e := e.(type) {
		case *recordBell:
			body = e.append(body, e.members)
		case entry:
			body = e.append(body)
		}
	}
	return body
}

func TestDoorbell_RoundTrip(t *testing.T) {
	entries := someEntries()
	got, err := readDoorbell(bodyOf(entries), 42)
	require.NoError(t, err)
	require.Equal(t, entries, got)
	got, err = readDoorbell(bodyOf(entries), 43)
	require.NoError(t, err)
	require.Empty(t, got, "for another incarnation")
}

func TestDoorbell_Broken(t *testing.T) {
	body := bodyOf(someEntries())
	whole := map[int]bool{len(newDoorbell(42)): true}
	for i := range someEntries() {
		whole[len(bodyOf(someEntries()[:i+1]))] = true
	}
	for cut := range body {
		got, err := readDoorbell(body[:cut:cut], 42)
		if whole[cut] {
			require.NoError(t, err)
			continue
		}
		require.Error(t, err, "cut at %d", cut)
		require.Empty(t, got)
	}
}

func FuzzDoorbell(f *testing.F) {
	f.Add(bodyOf(someEntries()))
	f.Fuzz(func(t *testing.T, body []byte) {
		entries, err := readDoorbell(body, 42)
		if err == nil && len(entries) > 0 {
			again, err := readDoorbell(bodyOf(entries), 42)
			require.NoError(t, err)
			require.Equal(t, entries, again)
		}
	})
}
