package ws_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// watchCrowd makes this program the clients of BenchmarkWatch, so that what they cost is not counted: it holds the number
// of sessions, of users each watches, of users there are, and the server's address.
const watchCrowd = "BENCHMARK_WATCH_CROWD"

const (
	crowdSessions = 1000
	crowdWatched  = 200
	crowdChanges  = 200 // a second
	crowdStep     = 50 * time.Millisecond
)

// BenchmarkWatch is what presence costs a node with 1,000 sessions that watch 200 users each while 200 users a second come
// or go on another node: %core is its processor time as a part of one core, frames/s what the sessions were told. Run it
// with -benchtime 10x, each time being a second.
func BenchmarkWatch(b *testing.B) {
	for _, users := range []int{crowdSessions * crowdWatched, crowdSessions, crowdWatched} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) { benchmarkWatch(b, users) })
	}
}

func benchmarkWatch(b *testing.B, users int) {
	w := newTown(b)
	const incarnation = 7
	one := w.node(1, func(o *ws.Options) {
		o.PresenceLinger = -1 // each change is told
		o.Incarnation, o.BeatEvery, o.CanaryEvery, o.DevicesPerUser, o.SessionsPerUser = incarnation, 2*time.Second, time.Second, -1, -1
	})
	others := &elsewhere{b: b, registry: w.directory.Open(), bus: w.broker.Open(), incarnation: incarnation, online: make(map[int]bool)}
	crowd := startCrowd(b, users, one.server.URL)
	before := crowd.told()
	began, spent := time.Now(), ownTime(b)
	for b.Loop() {
		for range int(time.Second / crowdStep) {
			others.change(users, crowdChanges*int(crowdStep)/int(time.Second))
			time.Sleep(crowdStep)
		}
	}
	wall := time.Since(began).Seconds()
	b.ReportMetric(100*(ownTime(b)-spent).Seconds()/wall, "%core")
	b.ReportMetric(float64(crowd.told()-before)/wall, "frames/s")
	b.ReportMetric(0, "ns/op")
}

// elsewhere is another node, as far as this one sees it: routes in the registry, and doorbells.
type elsewhere struct {
	b           *testing.B
	registry    ws.Registry
	bus         ws.Bus
	incarnation uint64
	next        int
	online      map[int]bool
}

// change lets some users come or go.
func (e *elsewhere) change(users, n int) {
	body := binary.BigEndian.AppendUint64([]byte{1}, e.incarnation)
	body = binary.AppendUvarint(append(body, 7), uint64(n))
	for range n {
		user := e.next % users
		e.next++
		name := crowdUser(user)
		route := []ws.Route{{User: name, Device: "web", SessionID: "s-" + name, Node: "n9", Incarnation: 9, Epoch: 1, Since: 1}}
		if e.online[user] {
			require.NoError(e.b, e.registry.Remove(e.b.Context(), route))
		} else {
			_, err := e.registry.Put(e.b.Context(), route)
			require.NoError(e.b, err)
		}
		e.online[user] = !e.online[user]
		body = append(binary.AppendUvarint(body, uint64(len(name))), name...)
	}
	require.NoError(e.b, e.bus.Publish("n1", ws.LaneNotices, body))
}

func crowdUser(n int) string { return fmt.Sprintf("user-%06d", n) }

func ownTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// crowd is the child process.
type crowd struct {
	b       *testing.B
	ask     io.Writer
	answers *bufio.Scanner
}

func startCrowd(b *testing.B, users int, url string) *crowd {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", watchCrowd, users, strings.TrimPrefix(url, "http://")))
	command.Stderr = os.Stderr
	ask, err := command.StdinPipe()
	require.NoError(b, err)
	answers, err := command.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, command.Start())
	b.Cleanup(func() {
		_ = ask.Close()
		_ = command.Wait()
	})
	return &crowd{b: b, ask: ask, answers: bufio.NewScanner(answers)}
}

// told returns how many changes the sessions were told of so far; the first call waits until all have subscribed.
func (c *crowd) told() (n int64) {
	_, err := io.WriteString(c.ask, "?\n")
	require.NoError(c.b, err)
	require.True(c.b, c.answers.Scan(), "the clients have ended")
	_, err = fmt.Sscan(c.answers.Text(), &n)
	require.NoError(c.b, err)
	return n
}

// runCrowd is the child's whole life.
func runCrowd() error {
	var users int
	var address string
	if _, err := fmt.Sscan(os.Getenv(watchCrowd), &users, &address); err != nil {
		return err
	}
	var frames atomic.Int64
	var subscribed sync.WaitGroup
	for n := range crowdSessions {
		conn, _, err := websocket.DefaultDialer.Dial(fmt.Sprintf("ws://%s/ws?v=1&user=watcher-%d&device=web", address, n), nil)
		if err != nil {
			return err
		}
		first := rand.IntN(users)
		if users == crowdSessions*crowdWatched {
			first = n * crowdWatched // each its own
		}
		var watched []string
		for i := range crowdWatched {
			watched = append(watched, crowdUser((first+i)%users))
		}
		if err := conn.WriteJSON(map[string]any{"type": 23, "params": map[string]any{"users": watched}}); err != nil {
			return err
		}
		subscribed.Add(1)
		go readAsCrowd(conn, &frames, subscribed.Done) // until the process ends
	}
	subscribed.Wait()
	for questions := bufio.NewScanner(os.Stdin); questions.Scan(); {
		fmt.Println(frames.Load())
	}
	return nil
}

func readAsCrowd(conn *websocket.Conn, frames *atomic.Int64, subscribed func()) {
	for {
		_, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		var frame struct {
			Type int `json:"type"`
		}
		switch {
		case strings.HasPrefix(string(data), `{"type":24,`):
			frames.Add(1)
		case json.Unmarshal(data, &frame) == nil && frame.Type == 23:
			subscribed()
		}
	}
}
