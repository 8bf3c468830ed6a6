package pebblestore

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

const benchConversations = 500

// BenchmarkCommit commits batches of messages, each sent and acknowledged, over 500 direct conversations, to the disk.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{64, 256} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) { benchCommit(b, size) })
	}
}

func benchCommit(b *testing.B, size int) {
	s, err := Open(context.Background(), Options{Dir: b.TempDir()})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	benchPeople(b, s)
	next, last := 0, make([]uint64, benchConversations)
	body := strings.Repeat("x", 128)
	began, cpu := time.Now(), cpuTime()
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += size {
		ops := make([]ws.Op, 0, 2*size)
		sends := make([]ws.Send, size)
		acks := make([]ws.Ack, size)
		for i := range size {
			pair := next % benchConversations
			sends[i] = ws.Send{To: benchUser(pair, "b"), Hash: 7, Record: ws.Record{
				Kind: ws.KindMessage, Sender: benchUser(pair, "a"), SenderDevice: "web", MsgID: fmt.Sprintf("message-%09d", next), Node: "127-0-0-1-8084",
				Body: body, CreatedAt: ws.Millis(1_700_000_000_000 + next),
			}}
			ops = append(ops, &sends[i])
			if seq := last[pair]; seq > 0 {
				acks[i] = ws.Ack{
					User: benchUser(pair, "b"), Device: "web", Conversation: ws.ConversationID(2 + pair), From: seq, To: seq, Attempts: 1,
					Node: "127-0-0-1-8084", At: ws.Millis(1_700_000_000_000 + next), Cursor: seq, Due: seq,
				}
				ops = append(ops, &acks[i])
			}
			next++
			last[pair]++
		}
		require.NoError(b, s.Commit(context.Background(), ops))
		for _, op := range ops {
			require.NoError(b, op.Result().Err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(cpuTime()-cpu)/1e3/float64(next), "cpu-µs/msg")
	b.ReportMetric(float64(next)/time.Since(began).Seconds(), "msg/s")
}

var benchUsers = map[string][]string{"a": benchNames("a"), "b": benchNames("b")}

func benchNames(side string) (names []string) {
	for pair := range benchConversations {
		names = append(names, fmt.Sprintf("user-%04d-%s", pair, side))
	}
	return names
}

func benchUser(pair int, side string) string { return benchUsers[side][pair] }

// benchPeople makes the users with their devices, and the conversations, in the order of the pairs.
func benchPeople(b *testing.B, s *Store) {
	var ops []ws.Op
	for pair := range benchConversations {
		for _, side := range []string{"a", "b"} {
			ops = append(ops, &ws.OpenDevice{User: benchUser(pair, side), Device: "web", At: 1})
		}
	}
	require.NoError(b, s.Commit(context.Background(), ops))
	for pair := range benchConversations {
		id := s.writer.counters.conversation
		require.Equal(b, uint64(2+pair), id)
		require.NoError(b, s.Commit(context.Background(), []ws.Op{&ws.Schedule{Scheduled: ws.Scheduled{
			DueAt: 1 << 50, To: benchUser(pair, "b"), Draft: ws.Record{Sender: benchUser(pair, "a"), CreatedAt: 1},
		}}}))
	}
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
