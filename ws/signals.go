package ws

import (
	"encoding/binary"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// signalQueue is how many signals may wait to be told to other nodes; what comes on top is lost, as any signal may be.
	signalQueue = 1024
	// signalEvery is how often other nodes are told of signals at most: those of one moment go together, so that many of them
	// do not fill the lane of the proofs.
	signalEvery = 20 * time.Millisecond
	// signalLife is how old a signal from another node may be: what a bus in trouble has kept for longer says nothing any
	// more. It leaves room for clocks that differ.
	signalLife = 10 * time.Second
)

// receiveSignal handles frame 27: it is passed on to whoever is there, and kept nowhere.
func (s *Session) receiveSignal(f *protocol.Frame) error {
	if f.Group != "" {
		return protocol.FieldError(protocol.UnknownGroup, "groupId", "nobody knows this group")
	}
	if err := s.g.opt.Authorizer.MaySend(s.g.serving, s.user, f.To); err != nil {
		return err
	}
	bell := &signalBell{to: f.To, from: s.user, fromName: s.name, signal: f.Signal, at: s.g.now()}
	bell.tell(s.g)
	if c := s.g.cluster; c != nil {
		c.signals.take(news{notices: []notice{{f.To, bell}}})
	}
	if f.ID != "" {
		s.answer(protocol.TypeSignal, f.ID)
	}
	return nil
}

// signalBell is a signal from one user to another.
type signalBell struct {
	to             string
	from, fromName string
	signal         string
	at             Millis
}

func (b *signalBell) committed(d *dispatcher) {
	if d.g.now() <= b.at+millis(signalLife) {
		b.tell(d.g)
	}
}

// tell sends 27 to the sessions on this node that know it.
func (b *signalBell) tell(g *Gateway) {
	for _, s := range g.hub.sessions(b.to) {
		if !s.takesState() {
			continue
		}
		f := getFrame()
		f.b = protocol.AppendSignal(f.b, protocol.Signal{
			At: int64(b.at), From: protocol.User{OpenID: b.from, Name: b.fromName, Online: true}, Signal: b.signal,
		})
		s.reply(f)
	}
}

func (b *signalBell) append(dst []byte) []byte {
	dst = appendStrings(append(dst, bellSignal), b.to, b.from, b.fromName, b.signal)
	return binary.AppendUvarint(dst, uint64(b.at))
}

func (r *bellReader) signal() effect {
	return &signalBell{to: r.string(), from: r.string(), fromName: r.string(), signal: r.string(), at: Millis(r.number())}
}
