package handlers

import (
	"context"
	"net/http"

	"github.com/yanlink/yanlink/ws"
)

// Engine is what the handlers serve. *ws.Gateway is one; a host may wrap it. Every method is safe for concurrent use,
// honours its context, and refuses with a *protocol.Error; any other error is answered as internal.
type Engine interface {
	Connector
	Sender
	Ledger
	Marker
	Watcher
	Warden
	Outbox
	Patient
}

// Connector opens sessions.
type Connector interface {
	// Admit refuses what Connect would refuse from anyone, and returns the context for the request to go on with.
	Admit(r *http.Request, device string) (context.Context, error)
	// Connect turns the request into a session, or returns a *protocol.Error to be answered as HTTP, or a
	// *ws.HandshakeError, which has been answered already.
	Connect(w http.ResponseWriter, r *http.Request, c ws.ConnectRequest) error
}

// Sender writes messages.
type Sender interface {
	// Send returns once everything of the draft is durable or refused.
	Send(ctx context.Context, draft ws.Draft) (ws.SendResult, error)
	// Broadcast writes a message to everybody who is known, once for all.
	Broadcast(ctx context.Context, draft ws.Draft) (ws.BroadcastResult, error)
	// BroadcastOnline writes a message to each user who is online.
	BroadcastOnline(ctx context.Context, draft ws.Draft) (ws.BroadcastResult, error)
	// CancelScheduled cancels a delayed message; by has to be its sender, unless empty.
	CancelScheduled(ctx context.Context, by string, ref ws.ScheduledRef) error
	// Recall blanks a message; by has to be its sender, unless force.
	Recall(ctx context.Context, by string, force bool, id ws.MessageID) error
}

// Ledger reads what was written. A viewer sees what it has a stay for; the empty one sees all.
type Ledger interface {
	// Message returns the whole life of a message.
	Message(ctx context.Context, viewer string, id ws.MessageID) (ws.MessageLife, error)
	// Conversations lists a user's conversations with ids above after; next is 0 at the end.
	Conversations(ctx context.Context, user string, after ws.ConversationID, limit int) (items []ws.ConversationView, next ws.ConversationID, err error)
	// ConversationWith returns the direct conversation of two, without an id before its first message.
	ConversationWith(ctx context.Context, user, peer string) (ws.ConversationView, error)
	// History returns a page below before, newest first, or above after, oldest first.
	History(ctx context.Context, viewer string, id ws.ConversationID, before, after uint64, limit int) (items []ws.HistoryItem, next uint64, err error)
	// Secret is the ledger's, by which each node recognizes the cursors of all.
	Secret() ws.Secret
}

// Marker keeps read marks.
type Marker interface {
	// MarkRead raises a user's read mark in a conversation and returns where it stands then.
	MarkRead(ctx context.Context, user string, id ws.ConversationID, seq uint64) (uint64, error)
}

// Watcher knows who is online.
type Watcher interface {
	// Presence answers for each user, in order, as viewer may see it; an empty one may see all.
	Presence(ctx context.Context, viewer string, users []string) ([]ws.Presence, error)
	// Online lists everybody who is online in pages of about limit; next is empty at the end.
	Online(ctx context.Context, cursor string, limit int) (items []ws.Presence, next string, err error)
	// Nodes lists the living members of the cluster, by id.
	Nodes(ctx context.Context) ([]ws.Node, error)
}

// Warden administers users and their sessions, on all nodes.
type Warden interface {
	// PutUser makes a user known, or changes the name unless it is empty.
	PutUser(ctx context.Context, openID, name string) (ws.User, error)
	// Ban bans or unbans, and returns how many sessions that ended.
	Ban(ctx context.Context, openID string, banned bool) (ended int, err error)
	// Revoke ends a user's tokens, and returns how many sessions that ended.
	Revoke(ctx context.Context, openID string) (ended int, err error)
	// Sessions lists a user's live sessions, by device.
	Sessions(ctx context.Context, user string) ([]ws.SessionView, error)
	// EndSession ends one session and returns when it is gone.
	EndSession(ctx context.Context, id string) error
	// EndSessions ends all of a user's and returns how many there were.
	EndSessions(ctx context.Context, user string) (ended int, err error)
}

// Outbox holds the events for other systems.
type Outbox interface {
	// Outbox lists events in a state with ids above after; next is 0 at the end.
	Outbox(ctx context.Context, state ws.EventState, after uint64, limit int) (items []ws.Event, next uint64, err error)
	// Replay has a dead event sent again.
	Replay(ctx context.Context, id uint64) error
}

// Patient can be asked how it is.
type Patient interface {
	// Health never fails and does not wait.
	Health(ctx context.Context) ws.Health
}
