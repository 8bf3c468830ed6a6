package ws

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDocs_Events holds that the examples of docs/events.md are what is published: each of them, field by field.
func TestDocs_Events(t *testing.T) {
	page, err := os.ReadFile("../docs/events.md")
	require.NoError(t, err)
	shown := make(map[string]bool)
	for _, example := range regexp.MustCompile("(?s)```json events\n(.*?)\n```").FindAllSubmatch(page, -1) {
		for line := range bytes.Lines(example[1]) {
			line = bytes.TrimSpace(line)
			var p eventPayload
			decoder := json.NewDecoder(bytes.NewReader(line))
			decoder.DisallowUnknownFields()
			require.NoError(t, decoder.Decode(&p), "%s", line)
			require.Equal(t, string(p.event("", "").Payload), string(line))
			require.True(t, strings.HasPrefix(p.ID, p.Event+":"), p.ID)
			shown[p.Event] = true
		}
	}
	for _, info := range OutgoingEvents(EventTopics{}) {
		require.True(t, shown[info.Name], "docs/events.md has no example of %s", info.Name)
	}
}

// TestOutgoingEvents holds the table against what is written: every kind, its topic, its fields.
func TestOutgoingEvents(t *testing.T) {
	topics := EventTopics{Message: "m", Receipt: "r", Offline: "o"}
	g := &Gateway{opt: Options{NodeID: "n"}, clock: newClock(time.Now, nil)}
	o := &outbox{g: g, opt: EventOptions{Topics: topics, Bodies: true}}
	rec := Record{Conversation: 1, Seq: 2, Kind: KindMessage, Sender: "rose", MsgID: "k", Body: "hello"}
	written := o.messageStored(&Send{Record: rec, To: "will"})
	written = append(written, o.messageDelivered(&Ack{User: "will", Device: "phone"}, []*Record{&rec})...)
	written = append(written, o.recipientOffline(&rec, "will"), o.presence(eventUserOnline, "will"), o.presence(eventUserOffline, "will"))

	told := OutgoingEvents(topics)
	require.Len(t, written, len(told))
	for i, info := range told {
		var payload map[string]any
		require.NoError(t, json.Unmarshal(written[i].Payload, &payload))
		require.Equal(t, info.Name, payload["event"])
		require.Equal(t, info.Topic, written[i].Topic, info.Name)
		require.ElementsMatch(t, info.Fields, slices.Collect(maps.Keys(payload)), info.Name)
		key := map[string]any{"the conversation": payload["conversationId"], "the user": payload["openid"]}[info.Key]
		require.Equal(t, key, written[i].Key, info.Name)
	}
}
