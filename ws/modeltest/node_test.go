package modeltest

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// node is one life of the server: a gateway on a store, behind an HTTP server in memory. When it dies, nothing leaves
// it any more, neither to the store nor to a client.
type node struct {
	ledger  ws.Store
	gateway *ws.Gateway
	server  *http.Server
	listen  *listener
	serving sync.WaitGroup
	cut     func() // what dying does to the disk

	mu    sync.Mutex
	pipes []*pipe
	dead  bool
	fuse  int // commits until the node dies; 0: none
	when  moment
	ill   illness
}

// illness is what is wrong with a ledger for a while.
type illness int

const (
	healthy illness = iota
	refusing
	mute // it writes, and says that it did not
)

// moment is when in a commit a node dies.
type moment int

const (
	before moment = iota
	during
	after
)

func startNode(ledger ws.Store, opt ws.Options, cut func()) (*node, error) {
	n := &node{ledger: ledger, cut: cut, listen: newListener()}
	gateway, err := ws.New(&mortalStore{Store: ledger, node: n}, opt)
	if err != nil {
		return nil, err
	}
	n.gateway = gateway
	n.server = &http.Server{Handler: http.HandlerFunc(n.connect), ReadHeaderTimeout: time.Minute}
	n.serving.Go(func() { _ = n.server.Serve(n.listen) })
	return n, gateway.Start(context.Background())
}

func (n *node) connect(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	err := n.gateway.Connect(w, r, ws.ConnectRequest{
		Identity: ws.Identity{OpenID: q.Get("user"), Name: "name of " + q.Get("user")},
		Device:   q.Get("device"), V1: q.Get("v") == "1",
	})
	var coded *protocol.Error
	if errors.As(err, &coded) {
		http.Error(w, coded.Error(), coded.Code.Status())
	}
}

func (n *node) dial() (*pipe, error) {
	p, err := n.listen.dial()
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pipes = append(n.pipes, p)
	if n.dead {
		p.cut()
	}
	return p, nil
}

// die is a kill -9, or a power cut if the disk knows of such: every connection breaks, and nothing reaches the store or
// a client from now on.
func (n *node) die() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dead {
		return
	}
	n.dead = true
	for _, p := range n.pipes {
		p.cut()
	}
	n.cut()
}

// arm lets the node die at its k-th commit from now.
func (n *node) arm(k int, when moment) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fuse, n.when = k, when
}

// infect makes the ledger ill, or healthy again.
func (n *node) infect(with illness) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ill = with
}

func (n *node) illness() illness {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ill
}

func (n *node) isDead() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dead
}

// burn counts a commit, and reports whether it may take place and whether it is the node's last.
func (n *node) burn() (alive, last bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fuse > 0 && !n.dead {
		n.fuse--
		last = n.fuse == 0
	}
	return !n.dead, last
}

// stop ends the goroutines of the node, dead or alive.
func (n *node) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := n.gateway.Stop(ctx)
	_ = n.listen.Close()
	_ = n.server.Close()
	n.serving.Wait()
	return err
}

var errDead = &protocol.Error{Code: protocol.StorageUnavailable, Message: "the node is dead"}

// mortalStore is the store as a node sees it.
type mortalStore struct {
	ws.Store
	node *node
}

func (m *mortalStore) Commit(ctx context.Context, ops []ws.Op) error {
	alive, last := m.node.burn()
	switch {
	case last && m.node.when == before:
		m.node.die()
		return errDead
	case last:
		return m.lastCommit(ctx, ops)
	case !alive:
		return errDead
	}
	switch m.node.illness() {
	case refusing:
		return ws.ErrUnavailable
	case mute:
		if err := m.Store.Commit(ctx, ops); err != nil {
			return err
		}
		return ws.ErrUnavailable
	}
	return m.Store.Commit(ctx, ops)
}

// lastCommit is the commit that the node dies of: whether it holds is open, and nobody hears of it.
func (m *mortalStore) lastCommit(ctx context.Context, ops []ws.Op) error {
	var dying sync.WaitGroup
	if m.node.when == during {
		dying.Go(m.node.die)
	}
	_ = m.Store.Commit(ctx, ops)
	dying.Wait()
	m.node.die()
	return errDead
}
