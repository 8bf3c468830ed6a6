package yardstick

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/olahol/melody"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	peerKey          = "peer"
	heartbeatSeconds = 30
	frameRoom        = 512 // most frames fit; append grows the others
)

// peer is a connected user.
type peer struct {
	user      protocol.User
	device    string
	sessionID string
	frame     protocol.Frame // of the one goroutine that reads the session
	session   *melody.Session
}

func newPeer(openID, name, device, host string) *peer {
	return &peer{
		user:      protocol.User{OpenID: openID, Name: name, Online: true},
		device:    device,
		sessionID: host + "_" + openID + "_" + time.Now().Format("20060102150405"),
	}
}

// relay passes messages from one user's session to another's.
type relay struct {
	dates *protocol.Dates
	seq   atomic.Uint64

	mu    sync.RWMutex
	peers map[string]*peer
}

func newRelay() *relay {
	return &relay{dates: protocol.NewDates(nil), peers: make(map[string]*peer)}
}

func peerOf(s *melody.Session) *peer {
	v, _ := s.Get(peerKey)
	p, _ := v.(*peer)
	return p
}

func (r *relay) connect(s *melody.Session) {
	p := peerOf(s)
	p.session = s
	r.mu.Lock()
	r.peers[p.user.OpenID] = p
	r.mu.Unlock()
	write(p, protocol.AppendHello(room(), protocol.Hello{
		SessionID: p.sessionID, OpenID: p.user.OpenID, Device: p.device, Epoch: 1,
		HeartbeatSeconds: heartbeatSeconds, FrameBytes: largestFrame, At: time.Now().UnixMilli(),
	}))
}

func (r *relay) disconnect(s *melody.Session) {
	p := peerOf(s)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.peers[p.user.OpenID] == p {
		delete(r.peers, p.user.OpenID)
	}
}

func (r *relay) find(openID string) *peer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.peers[openID]
}

func (r *relay) message(s *melody.Session, data []byte) {
	p := peerOf(s)
	if err := protocol.Decode(data, &p.frame); err != nil {
		write(p, protocol.AppendError(room(), p.frame.ID, err))
		return
	}
	switch p.frame.Type {
	case protocol.TypeSend:
		r.send(p, &p.frame)
	case protocol.TypeAck:
		r.ack(p, &p.frame)
	default:
		write(p, protocol.AppendError(room(), p.frame.ID, protocol.NewError(protocol.UnknownType, "the yardstick only relays")))
	}
}

func (r *relay) send(from *peer, f *protocol.Frame) {
	to := r.find(f.To)
	if to == nil {
		write(from, protocol.AppendError(room(), f.ID, protocol.NewError(protocol.UnknownUser, "not connected")))
		return
	}
	at, id := time.Now().UnixMilli(), protocol.MessageID{Conversation: 1, Seq: r.seq.Add(1)}
	write(from, protocol.AppendAccepted(room(), r.dates, protocol.Accepted{
		ID: f.ID, At: at, Message: f.Message, MsgID: f.MsgID, MessageID: id,
	}))
	b := protocol.AppendMessageShared(room(), protocol.Message{
		At: at, MessageID: id, MsgID: f.MsgID, To: to.user, From: from.user, Body: f.Message, FileType: f.FileType,
	})
	write(to, protocol.AppendMessageTail(b, protocol.Delivery{
		PrevSeq: id.Seq - 1, RequestID: protocol.NewRequestID(), SessionID: to.sessionID, To: to.user.OpenID,
		Trigger: protocol.TriggerREST,
	}))
}

func (r *relay) ack(acker *peer, f *protocol.Frame) {
	at := time.Now().UnixMilli()
	write(acker, protocol.AppendAcked(room(), r.dates, protocol.Acked{ID: f.ID, At: at, MsgID: f.MsgID}))
	sender := r.find(f.FromUser)
	if sender == nil {
		return
	}
	write(sender, protocol.AppendDelivered(room(), r.dates, protocol.Delivered{
		At: at, MsgID: f.MsgID, ToUser: acker.user.OpenID, Device: acker.device, RequestID: protocol.NewRequestID(),
		SessionID: sender.sessionID, To: sender.user.OpenID, Trigger: protocol.TriggerREST,
	}))
}

func room() []byte { return make([]byte, 0, frameRoom) }

// write queues a frame. melody says nil when it drops one on a full buffer; the generator notices what never came.
func write(p *peer, frame []byte) { _ = p.session.Write(frame) }
