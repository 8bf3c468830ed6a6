package handlers

import (
	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// viewsPerCall conversations cost about as much to read as another call does, and so do the states of as many users, and
// scannedPerCall records among which the unread ones are counted.
const (
	viewsPerCall   = 10
	scannedPerCall = 500
)

// conversation is an item of GET /conversations. Before the first message it has no conversationId.
type conversation struct {
	ConversationID string       `json:"conversationId,omitempty"`
	Kind           string       `json:"kind"`
	Peer           *person      `json:"peer,omitempty"`
	Group          *group       `json:"group,omitempty"`
	LastSeq        uint64       `json:"lastSeq"`
	ReadSeq        uint64       `json:"readSeq"`
	PeerReadSeq    *uint64      `json:"peerReadSeq,omitempty"` // of a direct one
	Unread         int          `json:"unread"`
	LastMessage    *historyItem `json:"lastMessage"`
}

type person struct {
	OpenID   string `json:"openid"`
	UserName string `json:"userName"`
}

type group struct {
	GroupID string `json:"groupId"`
	Name    string `json:"name"`
}

// conversations serves GET /conversations: the caller's own, or the one with somebody.
func (a *API) conversations(c *gin.Context, who caller) error {
	if c.Query("groupId") != "" {
		return protocol.FieldError(protocol.BadField, "groupId", "this version does not have groups")
	}
	if peer, asked := c.GetQuery("with"); asked {
		return a.conversationWith(c, who.OpenID, peer)
	}
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	pages := a.cursorsOf("conversations")
	after, err := pages.id(c)
	if err != nil {
		return err
	}
	views, next, err := a.engine.Conversations(c.Request.Context(), who.OpenID, ws.ConversationID(after), limit)
	if err != nil {
		return err
	}
	scanned := 0
	items := make([]conversation, len(views))
	for i := range views {
		scanned += views[i].Scanned
		items[i] = conversationOf(&views[i])
	}
	charge(c.Request.Context(), 1+len(views)/viewsPerCall+scanned/scannedPerCall)
	return polled(c, items, pages.nextID(uint64(next)))
}

func (a *API) conversationWith(c *gin.Context, user, peer string) error {
	if !protocol.ValidOpenID(peer) {
		return protocol.FieldError(protocol.BadField, "with", "an openid is 1 to 128 bytes without comma or control characters")
	}
	view, err := a.engine.ConversationWith(c.Request.Context(), user, peer)
	if err != nil {
		return err
	}
	return polled(c, []conversation{conversationOf(&view)}, "")
}

func conversationOf(v *ws.ConversationView) conversation {
	item := conversation{LastSeq: v.LastSeq, ReadSeq: v.ReadSeq, Unread: v.Unread}
	if v.ID != 0 {
		item.ConversationID = v.ID.String()
	}
	switch v.Kind {
	case ws.Direct:
		item.Kind = "direct"
		item.Peer = &person{OpenID: v.Peer.OpenID, UserName: v.Peer.Name}
		item.PeerReadSeq = &v.PeerReadSeq
	case ws.Group:
		item.Kind = "group"
		item.Group = &group{GroupID: v.GroupID, Name: v.GroupName}
	case ws.System:
		item.Kind = "system"
	}
	if v.LastMessage != nil {
		last := historyItemOf(v.LastMessage)
		item.LastMessage = &last
	}
	return item
}
