package protocol_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

func TestDates_Append(t *testing.T) {
	const at = 1704162492912
	for name, c := range map[string]struct {
		zone *time.Location
		ms   int64
		want string
	}{
		"Given":         {time.FixedZone("CST", 8*3600), at, "Tue Jan 02 10:28:12 CST 2024"},
		"UTC":           {time.UTC, at, "Tue Jan 02 02:28:12 UTC 2024"},
		"Nameless":      {time.FixedZone("-0330", -3*3600-1800), at, "Mon Jan 01 22:58:12 GMT-03:30 2024"},
		"NamelessEast":  {time.FixedZone("+08", 8*3600), at, "Tue Jan 02 10:28:12 GMT+08:00 2024"},
		"Empty":         {time.FixedZone("", 0), at, "Tue Jan 02 02:28:12 GMT+00:00 2024"},
		"EndOfSecond":   {time.UTC, 999, "Thu Jan 01 00:00:00 UTC 1970"},
		"BeforeTheZero": {time.UTC, -1, "Wed Dec 31 23:59:59 UTC 1969"},
	} {
		t.Run(name, func(t *testing.T) {
			dates := NewDates(c.zone)
			for range 2 { // fresh, then remembered
				require.Equal(t, "at "+c.want, string(dates.Append([]byte("at "), c.ms)))
			}
		})
	}
	t.Run("Host", func(t *testing.T) {
		require.Equal(t, NewDates(time.Local).Append(nil, at), NewDates(nil).Append(nil, at))
	})
	t.Run("QuotedInFrames", func(t *testing.T) {
		frame := AppendAcked(nil, NewDates(time.FixedZone(`a"b`, 0)), Acked{MsgID: "m"})
		require.Contains(t, string(frame), `00:00:00 a\"b 1970"`)
	})
}

func TestDates_Concurrent(t *testing.T) {
	dates := NewDates(time.UTC)
	var wg sync.WaitGroup
	for worker := range int64(4) {
		wg.Go(func() {
			for i := range int64(1000) {
				ms := (i%3 + worker) * 1000
				want := time.UnixMilli(ms).UTC().Format("Mon Jan 02 15:04:05 MST 2006")
				if got := string(dates.Append(nil, ms)); got != want {
					t.Errorf("%d: %s, not %s", ms, got, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestRequestID(t *testing.T) {
	t.Run("RoundTrip", func(t *testing.T) {
		seen := map[[16]byte]bool{}
		for range 100 {
			id := NewRequestID()
			require.False(t, seen[id])
			seen[id] = true
			text := string(AppendUUID(nil, id))
			require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, text)
			back, ok := ParseRequestID(text)
			require.True(t, ok)
			require.Equal(t, id, back)
			upper, ok := ParseRequestID(strings.ToUpper(text))
			require.True(t, ok)
			require.Equal(t, id, upper)
		}
	})
	t.Run("ErrForm", func(t *testing.T) {
		for _, s := range []string{
			"", "fec21e309260486fb78e04aa3b3d7b5f", "fec21e30-9260-486f-b78e-04aa3b3d7b5",
			"fec21e30-9260-486f-b78e-04aa3b3d7b5f0", "fec21e30-9260-486f-b78e+04aa3b3d7b5f",
			"gec21e30-9260-486f-b78e-04aa3b3d7b5f", "fec21e3-09260-486f-b78e-04aa3b3d7b5f",
		} {
			id, ok := ParseRequestID(s)
			require.False(t, ok, s)
			require.Zero(t, id)
		}
	})
}

func TestIDs(t *testing.T) {
	id := MessageID{Conversation: 0x0123456789abcdef, Seq: 1 << 63}
	require.Equal(t, "0123456789abcdef8000000000000000", id.String())
	require.Equal(t, id, mustMessageID(t, id.String()))
	conversation, err := ParseConversationID("0123456789abcdef")
	require.NoError(t, err)
	require.Equal(t, id.Conversation, conversation)
	require.Equal(t, "0123456789abcdef", conversation.String())
	require.True(t, MessageID{}.IsZero())
	require.False(t, id.IsZero())

	for _, s := range []string{"", "0", strings.Repeat("0", 16), "0123456789ABCDEF", "0123456789abcdeg", "0123456789abcdef0"} {
		_, err := ParseConversationID(s)
		require.Error(t, err, s)
	}
	for _, s := range []string{
		"", strings.Repeat("0", 32), strings.Repeat("0", 16) + "0000000000000001", "0000000000000001" + strings.Repeat("0", 16),
		strings.Repeat("A", 32), strings.Repeat("1", 31), strings.Repeat("1", 33), strings.Repeat("1", 31) + "g",
	} {
		_, ok := ParseMessageID(s)
		require.False(t, ok, s)
	}
}

func TestValid(t *testing.T) {
	for name, c := range map[string]struct {
		valid    func(string) bool
		good     []string
		bad      []string
		fullSize string
	}{
		"OpenID": {
			ValidOpenID,
			[]string{"a", "56C02DF0516B4B079ABFCEC08169E577", "system:yanlink", "漢字 😀", `"quoted\"`},
			[]string{"", "a,b", "a\nb", "\x00", "\x7f", "a\u0085", "a\xff"},
			strings.Repeat("x", 128),
		},
		"MsgID": {
			ValidMsgID,
			[]string{"", "16516", "a,b", "漢字 😀", strings.Repeat("漢", 64)},
			[]string{"a\nb", "\x00", "\x7f", "\u009f", "a\xff"},
			strings.Repeat("x", 64),
		},
		"Device": {
			ValidDevice,
			[]string{"web", "~tab-1", "A.b_c", "0", "zZ9"},
			[]string{"", "a b", "é", "a/b", "a,b", "@", "[", "`", "{", "\x01", "\xe1"},
			strings.Repeat("x", 64),
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range append(c.good, c.fullSize) {
				require.True(t, c.valid(s), "%q", s)
			}
			for _, s := range append(c.bad, c.fullSize+"x") {
				require.False(t, c.valid(s), "%q", s)
			}
		})
	}
}
