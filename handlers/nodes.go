package handlers

import (
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
)

// node is an item of GET /nodes.
type node struct {
	ID          string    `json:"id"`
	Address     string    `json:"address"`
	Connections int       `json:"connections"`
	Draining    bool      `json:"draining"`
	Beat        time.Time `json:"beat"` // the last sign of life
}

// nodes serves GET /nodes: the living members of the cluster.
func (a *API) nodes(c *gin.Context, _ caller) error {
	found, err := a.engine.Nodes(c.Request.Context())
	if err != nil {
		return err
	}
	items := make([]node, len(found))
	for i := range found {
		items[i] = nodeOf(&found[i])
	}
	return page(c, items, "")
}

func nodeOf(n *ws.Node) node {
	return node{ID: n.ID, Address: n.Address, Connections: n.Connections, Draining: n.Draining, Beat: moment(n.Beat)}
}
