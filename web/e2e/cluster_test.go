//go:build e2e && services

package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/deathsig"
)

// nodes are the processes of make cluster, as it tells of them.
type nodes struct {
	log logged
	mu  sync.Mutex
	pid map[string]int
}

var isProcess = regexp.MustCompile(`^(n\d) is process (\d+) on `)

// startCluster runs three nodes behind one address, on the services, and returns that address.
func startCluster(t *testing.T) (*nodes, string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "cluster")
	build := exec.Command("go", "build", "-o", program, "./cmd/cluster")
	build.Dir = filepath.Join("..", "..")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	address := freeAddress(t)
	command := exec.Command(program, "-listen", address)
	command.Dir = build.Dir
	deathsig.Set(command, syscall.SIGTERM)
	pipe, err := command.StdoutPipe()
	require.NoError(t, err)
	n := &nodes{pid: map[string]int{}}
	command.Stderr = &n.log
	require.NoError(t, command.Start())
	var reading sync.WaitGroup
	reading.Go(func() { n.read(bufio.NewScanner(pipe)) })
	t.Cleanup(func() {
		require.NoError(t, command.Process.Signal(os.Interrupt))
		reading.Wait()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("the cluster wrote:\n%s", n.log.String())
		}
	})
	return n, address
}

func (n *nodes) read(lines *bufio.Scanner) {
	for lines.Scan() {
		_, _ = n.log.Write(append(lines.Bytes(), '\n'))
		if found := isProcess.FindStringSubmatch(lines.Text()); found != nil {
			pid, _ := strconv.Atoi(found[2])
			n.mu.Lock()
			n.pid[found[1]] = pid
			n.mu.Unlock()
		}
	}
}

func (n *nodes) process(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pid[name]
}

// TestCluster_NodeKilled is the promise of the cluster, seen through three windows on three nodes: one of these is killed,
// and the conversation goes on as if nothing had happened.
func TestCluster_NodeKilled(t *testing.T) {
	cluster, address := startCluster(t)
	browser := startBrowser(t)
	front := server{address: address}
	require.True(t, poll(front.ready), "the cluster does not answer")

	run := strconv.FormatInt(time.Now().UnixMilli(), 36) // its ledger outlives the test
	names := []string{"rose" + run, "will" + run, "anna" + run}
	url := func(me, peer string) string {
		return front.url("?admin&as=" + me + "&name=" + strings.TrimSuffix(me, run) + "&with=" + peer)
	}
	will := browser.person(t, url(names[1], names[0]))
	will.online()
	rose := browser.person(t, url(names[0], names[1]))
	rose.online()
	anna := browser.person(t, url(names[2], names[1]))
	anna.online()
	people := []*page{will, rose, anna}
	spread(t, people)

	rose.say("Good morning, Will")
	will.eventually("the first message arrives", func() bool { return len(will.messages()) == 1 })
	will.say("Good morning! Did the parcel come?")
	rose.eventually("the answer and the proof arrive", func() bool { return len(rose.messages()) == 2 && delivered(rose) })
	for i, name := range []string{"will", "rose", "anna"} {
		people[i].picture("cluster-before-" + name)
	}

	killed := node(will)
	require.NoError(t, syscall.Kill(cluster.process(killed), syscall.SIGKILL))
	rose.say("Yes, it is here")
	will.say("And is it heavy?")
	agree(t, rose, will, 4)
	will.online()
	will.eventually("he is on another node", func() bool { name := node(will); return name != "" && name != killed })
	for i, name := range []string{"will", "rose", "anna"} {
		people[i].picture("cluster-after-" + name)
		people[i].healthy()
	}
}

// spread reconnects people until no two of them are on one node.
func spread(t *testing.T, people []*page) {
	t.Helper()
	require.True(t, poll(func() bool {
		taken := map[string]bool{}
		for _, p := range people {
			p.eventually("the page says on which node it is", func() bool { return node(p) != "" })
			if taken[node(p)] {
				p.run(chromedp.Reload())
				p.online()
				return false
			}
			taken[node(p)] = true
		}
		return true
	}), "three people are never on three nodes")
}

var onNode = regexp.MustCompile(` on (n\d)`)

// node is the node a person is on, as the page says; empty while it says nothing of it.
func node(p *page) string {
	if found := onNode.FindStringSubmatch(p.text(".me")); found != nil {
		return found[1]
	}
	return ""
}
