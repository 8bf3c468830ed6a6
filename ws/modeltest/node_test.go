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

	mu    sync.Mutex
	pipes []*pipe
	dead  bool
	fuse  int  // commits until the node dies; 0: none
	late  bool // it dies after that commit, else before it
}

func startNode(ledger ws.Store, opt ws.Options) (*node, error) {
	n := &node{ledger: ledger, listen: newListener()}
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

// die is a kill -9: every connection breaks, and nothing reaches the store from now on.
func (n *node) die() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dieLocked()
}

func (n *node) dieLocked() {
	n.dead = true
	for _, p := range n.pipes {
		p.cut()
	}
}

// arm lets the node die at its k-th commit from now: before it, or after it and before anybody hears of it.
func (n *node) arm(k int, late bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fuse, n.late = k, late
}

func (n *node) isDead() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dead
}

// burn counts a commit, and reports whether it may take place and whether the node dies right after it.
func (n *node) burn() (alive, last bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dead {
		return false, false
	}
	if n.fuse > 0 {
		if n.fuse--; n.fuse == 0 {
			if n.late {
				return true, true
			}
			n.dieLocked()
			return false, false
		}
	}
	return true, false
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
	if !alive {
		return errDead
	}
	err := m.Store.Commit(ctx, ops)
	if last {
		m.node.die()
		return errDead
	}
	return err
}
