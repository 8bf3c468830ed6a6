package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
)

// order is something a customer waits for.
type order struct {
	ID       string `json:"id"`
	Customer string `json:"customer"` // an openid
	Item     string `json:"item"`
	Shipped  bool   `json:"shipped"`
}

// send writes a message; bundle.Send is one.
type send func(ctx context.Context, draft ws.Draft) (ws.SendResult, error)

// shop holds the orders. It is safe for concurrent use.
type shop struct {
	send   send
	mu     sync.Mutex
	orders map[string]order
}

func newShop(send send) *shop {
	return &shop{send: send, orders: map[string]order{
		"17": {ID: "17", Customer: "ada", Item: "a lamp"},
		"18": {ID: "18", Customer: "bob", Item: "a chair"},
	}}
}

func (s *shop) routes(r gin.IRouter) {
	r.GET("/orders", s.list)
	r.POST("/orders/:id/ship", s.ship)
}

func (s *shop) list(c *gin.Context) {
	s.mu.Lock()
	all := make([]order, 0, len(s.orders))
	for _, o := range s.orders {
		all = append(all, o)
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b order) int { return strings.Compare(a.ID, b.ID) })
	c.JSON(http.StatusOK, all)
}

// shipped is the answer to a shipping.
type shipped struct {
	Order   string `json:"order"`
	Message string `json:"message"` // stored now, or stored before
}

// ship sends an order off and tells the customer. A repeat is harmless: the message's key is the order's.
func (s *shop) ship(c *gin.Context) {
	o, ok := s.sendOff(c.Param("id"))
	if !ok {
		c.JSON(http.StatusNotFound, gin.H{"error": "no such order"})
		return
	}
	sent, err := s.send(c.Request.Context(), ws.Draft{
		From: "orders", FromName: "The shop", To: []string{o.Customer},
		Body:  "Order " + o.ID + " (" + o.Item + ") has been shipped.",
		MsgID: "order-" + o.ID + "-shipped",
	})
	if err = errors.Join(err, refusal(sent)); err != nil {
		// Nothing is lost: whoever calls again ships nothing twice.
		_ = c.Error(err)
		c.JSON(http.StatusServiceUnavailable, gin.H{"error": "the customer could not be told; try again"})
		return
	}
	answer := shipped{Order: o.ID, Message: "stored now"}
	if sent.Results[0].Duplicate {
		answer.Message = "stored before"
	}
	c.JSON(http.StatusOK, answer)
}

// refusal returns what the one recipient was refused with.
func refusal(sent ws.SendResult) error {
	if len(sent.Results) == 1 && sent.Results[0].Err != nil {
		return sent.Results[0].Err
	}
	return nil
}

func (s *shop) sendOff(id string) (order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if ok {
		o.Shipped = true
		s.orders[id] = o
	}
	return o, ok
}
