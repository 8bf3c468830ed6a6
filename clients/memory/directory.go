package memory

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// defaultNodeTTL leaves room for two lost beats of those that a node makes every two seconds.
const defaultNodeTTL = 6 * time.Second

// DirectoryOptions say when a node counts as dead.
type DirectoryOptions struct {
	NodeTTL time.Duration // since its last beat; 0: 6 s
}

// Directory is what the registries of a process's nodes share. It is safe for concurrent use, owns no goroutine and
// needs no closing.
type Directory struct {
	ttl time.Duration

	mu     sync.Mutex
	nodes  map[string]ws.Node // by address
	fallen []life             // whose place was taken before they were reaped
	routes map[string]map[string]ws.Route
}

// life is one incarnation of a node.
type life struct {
	node        string
	incarnation uint64
}

func lifeOf(route ws.Route) life { return life{route.Node, route.Incarnation} }

// NewDirectory returns an empty directory.
func NewDirectory(opt DirectoryOptions) *Directory {
	if opt.NodeTTL == 0 {
		opt.NodeTTL = defaultNodeTTL
	}
	return &Directory{ttl: opt.NodeTTL, nodes: make(map[string]ws.Node), routes: make(map[string]map[string]ws.Route)}
}

// Open returns the registry of one more node.
func (d *Directory) Open() *Registry { return &Registry{directory: d} }

// put records a route, or returns it when a newer one of its device is there, with those that gave way to it.
func (d *Directory) put(route ws.Route) (displaced []ws.Route) {
	sessions := d.routes[route.User]
	var older []ws.Route
	for _, recorded := range sessions {
		switch {
		case recorded.SessionID == route.SessionID:
			if recorded.Epoch > route.Epoch {
				return []ws.Route{route}
			}
		case recorded.Device != route.Device:
		case recorded.Epoch >= route.Epoch:
			return []ws.Route{route}
		default:
			older = append(older, recorded)
		}
	}
	for _, recorded := range older {
		delete(sessions, recorded.SessionID)
	}
	if sessions == nil {
		sessions = make(map[string]ws.Route, 1)
		d.routes[route.User] = sessions
	}
	sessions[route.SessionID] = route
	return older
}

func (d *Directory) remove(route ws.Route) {
	sessions := d.routes[route.User]
	recorded, ok := sessions[route.SessionID]
	if !ok || recorded.Incarnation != route.Incarnation || recorded.Epoch != route.Epoch {
		return
	}
	delete(sessions, route.SessionID)
	if len(sessions) == 0 {
		delete(d.routes, route.User)
	}
}

// clear removes the routes of lives, and returns them.
func (d *Directory) clear(lives []life) (gone []ws.Route) {
	if len(lives) == 0 {
		return nil
	}
	return d.removeIf(func(route ws.Route) bool { return slices.Contains(lives, lifeOf(route)) })
}

// removeIf removes the routes that past is true of, and returns them.
func (d *Directory) removeIf(past func(ws.Route) bool) (gone []ws.Route) {
	for _, sessions := range d.routes {
		for _, route := range sessions {
			if past(route) {
				gone = append(gone, route)
			}
		}
	}
	for _, route := range gone {
		d.remove(route)
	}
	return gone
}

func (d *Directory) beat(node ws.Node) (joined bool, err error) {
	if holder, taken := d.holder(node); taken {
		return false, &ws.NodeTakenError{ID: holder.ID, Address: holder.Address}
	}
	before, known := d.nodes[node.Address]
	joined = !known || before.Incarnation != node.Incarnation
	if known && joined {
		d.fallen = append(d.fallen, life{before.ID, before.Incarnation})
	}
	node.Beat = ws.Millis(time.Now().UnixMilli())
	d.nodes[node.Address] = node
	return joined, nil
}

// holder returns the live node, of another incarnation, that has a node's id or address.
func (d *Directory) holder(node ws.Node) (ws.Node, bool) {
	for _, other := range d.nodes {
		if (other.ID == node.ID || other.Address == node.Address) && other.Incarnation != node.Incarnation && d.lives(other) {
			return other, true
		}
	}
	return ws.Node{}, false
}

func (d *Directory) lives(node ws.Node) bool {
	return time.Since(time.UnixMilli(int64(node.Beat))) <= d.ttl
}

func (d *Directory) leave(node ws.Node) {
	if d.nodes[node.Address].Incarnation != node.Incarnation {
		return
	}
	delete(d.nodes, node.Address)
	d.clear([]life{{node.ID, node.Incarnation}})
}

func (d *Directory) living() (nodes []ws.Node) {
	for _, node := range d.nodes {
		if d.lives(node) {
			nodes = append(nodes, node)
		}
	}
	slices.SortFunc(nodes, func(a, b ws.Node) int { return cmp.Compare(a.ID, b.ID) })
	return nodes
}

func (d *Directory) reap() (gone []ws.Route) {
	dead := d.fallen
	d.fallen = nil
	for address, node := range d.nodes {
		if !d.lives(node) {
			dead = append(dead, life{node.ID, node.Incarnation})
			delete(d.nodes, address)
		}
	}
	return d.clear(dead)
}
