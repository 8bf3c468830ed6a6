package ws

import (
	"context"
	"errors"
	"fmt"
)

// Route is where a session is.
type Route struct {
	User, Device string
	SessionID    string
	Node         string // the node's ID
	Incarnation  uint64 // the node's
	Epoch        uint64 // the device's, when the session began
	Since        Millis
}

// Node is a member of the cluster.
type Node struct {
	ID          string // names its topics
	Address     string // <ip>:<port>; stands in session ids and names its keys
	Incarnation uint64 // another one at each start
	Connections int
	Draining    bool
	Beat        Millis // of the last sign of life, by the registry's clock; set by Nodes only
}

// Registry knows which node holds which sessions. Implementations are safe for concurrent use, and bound every call by
// its context. Nothing in it is needed for correctness: what it forgets or invents costs time, never a message.
//
// A Registry is opened for one node: the routes it puts and removes are that node's.
type Registry interface {
	Routes
	Nodes
	// Close frees everything; it takes nothing out of the registry.
	Close() error
}

// Routes tells where sessions are. Each method takes one round trip, or a few pipelined ones, however many it is given.
type Routes interface {
	// Put records routes of this node. Of two routes of one device the one with the higher epoch stays, wherever they
	// are; of two with the same epoch, the recorded one. It returns those that have to end: recorded ones that gave way,
	// and those of routes that were not recorded because of one that is there.
	Put(ctx context.Context, routes []Route) (displaced []Route, err error)
	// Remove removes routes, each only if session id, incarnation and epoch are still the same.
	Remove(ctx context.Context, routes []Route) error
	// Locate returns all routes of users, in no order. Those of a dead node are among them until they are reaped, and those
	// that were recorded after that for as long as they are kept.
	Locate(ctx context.Context, users []string) ([]Route, error)
	// List returns the routes of the living nodes in pages of about limit, in no order. One that is there all the while is
	// on at least one page. An empty cursor is for the first page; next is empty at the end, else the cursor for the next.
	List(ctx context.Context, cursor string, limit int) (routes []Route, next string, err error)
}

// Nodes knows who is in the cluster.
type Nodes interface {
	// Beat says that a node lives. The first beat of an incarnation joins. joined says that the registry did not know
	// this incarnation: then it may have lost its routes too. Refused with *NodeTakenError while another incarnation
	// lives under the same id or address.
	Beat(ctx context.Context, node Node) (joined bool, err error)
	// Prune removes the routes that node has put and whose sessions do not live any more, and returns them: those that a
	// registry brings back when it comes back from an older copy. live is asked of each session that has a route. A session of
	// which some trace was left and no route is returned by its name alone, with no Incarnation: nobody may have told that its
	// user is gone. With an error it returns what was removed until then.
	Prune(ctx context.Context, node Node, live func(sessionID string) bool) (gone []Route, err error)
	// Leave takes a node out with all routes it still has, unless another incarnation has taken its place.
	Leave(ctx context.Context, node Node) error
	// Nodes lists the living ones, by id.
	Nodes(ctx context.Context) ([]Node, error)
	// Reap takes out nodes that have not beaten for long, with their routes, and returns these: their users may be
	// offline now. A route of which an earlier call removed all but the session is returned with user, session and node. Of callers all over the cluster one at a time does it; the others return nothing. With an error it returns
	// what was removed until then; the next call goes on with the rest.
	Reap(ctx context.Context) (gone []Route, err error)
}

// NodeTakenError says that another process lives in the cluster under a node's name.
type NodeTakenError struct {
	ID      string
	Address string // where that process is
}

// Error says what to do about it.
func (e *NodeTakenError) Error() string {
	return fmt.Sprintf("node.id %s is held by a live node at %s; give this one another node.id, or stop that one", e.ID, e.Address)
}

// Lane keeps small notices from waiting behind messages.
type Lane uint8

// The lanes of a Bus.
const (
	LaneMessages Lane = iota // committed records for the sessions of a node
	LaneNotices              // proofs, kicks, presence
)

// ErrBusFull is what Publish returns when too much waits to be sent already.
var ErrBusFull = errors.New("the bus takes no more now")

// Bus carries doorbells to nodes. It may lose, repeat and reorder. Implementations are safe for concurrent use.
type Bus interface {
	// Publish hands body over for a node and returns at once. The body may be kept. ErrBusFull when the bounded queue
	// is full; nobody is told when a body is lost later.
	Publish(node string, lane Lane, body []byte) error
	// Subscribe calls receive, from one goroutine, for what comes for node on a lane. It returns nil when ctx has ended
	// and receive is not called any more, and an error when it cannot go on, at once or later; then it may be called
	// again. receive owns the body and must not block.
	Subscribe(ctx context.Context, node string, lane Lane, receive func(body []byte)) error
	// Close sends what waits, as far as ctx allows, and frees everything.
	Close(ctx context.Context) error
}
