package redisregistry

import (
	"encoding/json"

	"github.com/yanlink/yanlink/ws"
)

// routeEntry is a route as it is recorded. Numbers of 64 bits are strings, which the scripts compare exactly.
type routeEntry struct {
	Node        string    `json:"node"`
	Incarnation uint64    `json:"incarnation,string"`
	Device      string    `json:"device"`
	Epoch       uint64    `json:"epoch,string"`
	Since       ws.Millis `json:"since"`
	Joined      int64     `json:"joined"` // when the node had, at which it was recorded
}

func encodeRoute(route *ws.Route, joined int64) []byte {
	value, err := json.Marshal(routeEntry{
		Node: route.Node, Incarnation: route.Incarnation, Device: route.Device, Epoch: route.Epoch, Since: route.Since,
		Joined: joined,
	})
	if err != nil {
		panic(err) // nothing in it can fail
	}
	return value
}

// decodeRoute reports false for what is not a route: somebody else's, or of a release to come. There is nobody to ring.
func decodeRoute(user, session, value string) (ws.Route, bool) {
	var e routeEntry
	if json.Unmarshal([]byte(value), &e) != nil || e.Node == "" {
		return ws.Route{}, false
	}
	return ws.Route{
		User: user, Device: e.Device, SessionID: session,
		Node: e.Node, Incarnation: e.Incarnation, Epoch: e.Epoch, Since: e.Since,
	}, true
}

// nodeEntry is what Nodes reads of a node's entry. It is written by the scripts, since beats are by the clock of Redis.
type nodeEntry struct {
	ID          string    `json:"id"`
	Incarnation uint64    `json:"incarnation,string"`
	Beat        ws.Millis `json:"beat"`
	Connections int       `json:"connections"`
	Draining    bool      `json:"draining"`
}

func decodeNode(address, value string) (ws.Node, bool) {
	var e nodeEntry
	if json.Unmarshal([]byte(value), &e) != nil {
		return ws.Node{}, false
	}
	return ws.Node{
		ID: e.ID, Address: address, Incarnation: e.Incarnation,
		Connections: e.Connections, Draining: e.Draining, Beat: e.Beat,
	}, true
}
