package ws

import (
	"context"
	"errors"
	"slices"

	"github.com/yanlink/yanlink/ws/protocol"
)

// maxUnproved bounds the sends of a session that wait for a 17; beyond it the oldest are left to frame 28.
const maxUnproved = 256

// unproved is a send whose 17 has not gone out. The list only makes a lost notice come late instead of never: the
// proof itself is derived from the ledger.
type unproved struct {
	id      MessageID
	checkAt Millis // monotonic
	wait    Millis
}

const (
	lastProofCheck Millis = 120_000
	proofsPerCheck int    = 64
)

// expectProof notes that a 17 is due to this session one day.
func (s *Session) expectProof(id MessageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unproved) >= maxUnproved {
		s.unproved = s.unproved[1:]
	}
	now, wait := s.g.mono(), s.g.proofEvery()
	s.unproved = append(s.unproved, unproved{id: id, checkAt: now + wait, wait: wait})
	if len(s.unproved) == 1 {
		s.proofAt = now + wait
		s.g.wheel.arm(s, s.proofAt)
	}
}

// checkProofsNow has the sends looked at that are not proven: until its route stood nobody could find the session to send it a
// 17. The caller holds mu.
func (s *Session) checkProofsNow() {
	now := s.g.mono()
	for i := range s.unproved {
		s.unproved[i].checkAt = now
		s.proofAt = now
	}
}

func (s *Session) proved(id MessageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.unproved {
		if s.unproved[i].id == id {
			s.unproved = slices.Delete(s.unproved, i, i+1)
			return
		}
	}
}

// proof is what frame 17 says: a device of user has acknowledged a message of sender, durably.
type proof struct {
	id     MessageID
	msgid  string
	sender string
	user   string
	device string
	at     Millis
}

func proofOf(rec *Record, user, device string, at Millis) *proof {
	return &proof{id: rec.ID(), msgid: rec.MsgID, sender: rec.Sender, user: user, device: device, at: at}
}

// prove sends 17 to the sessions of a record's sender, wherever they are: ack of it is durable. A user's own copies
// need no proof, and a broadcast is not proved for every single one.
func (d *dispatcher) prove(rec *Record, ack *Ack) {
	if rec.Sender == ack.User || rec.Kind != KindMessage || rec.Conversation == SystemConversation {
		return
	}
	p := proofOf(rec, ack.User, ack.Device, ack.At)
	p.committed(d)
	d.notify(rec.Sender, p)
}

// committed sends 17 to the sender's sessions on this node.
func (p *proof) committed(d *dispatcher) {
	for _, s := range d.g.hub.sessions(p.sender) {
		if _, bytes := s.writer.load(); bytes > d.g.opt.QueueBytes/2 {
			continue // it does not read: it asks by frame 28 when it does, or the next look at its sends finds it
		}
		s.proved(p.id)
		d.send(s, s.proof(p))
	}
}

// proof encodes frame 17.
func (s *Session) proof(p *proof) *frame {
	f := getFrame()
	f.b = protocol.AppendDelivered(f.b, s.g.dates, protocol.Delivered{
		At: int64(p.at), MsgID: p.msgid, MessageID: p.id, ToUser: p.user, Device: p.device,
		RequestID: protocol.NewRequestID(), SessionID: s.id, To: s.user, Trigger: s.g.trigger(protocol.TriggerWebSocket),
	})
	return f
}

// findProof looks in the ledger for the first receipt of a record by anybody but its sender.
func (g *Gateway) findProof(ctx context.Context, rec *Record) (Receipt, bool, error) {
	receipts, err := g.store.ReceiptsOf(ctx, rec.ID())
	if err != nil {
		return Receipt{}, false, err
	}
	var first Receipt
	found := false
	for _, r := range receipts {
		if r.User != rec.Sender && (!found || r.At < first.At) {
			first, found = r, true
		}
	}
	return first, found, nil
}

// checkProofs looks in the ledger for receipts whose 17 may have been lost on its way.
func (s *Session) checkProofs(ctx context.Context) error {
	for _, id := range s.proofsToCheck(s.g.mono()) {
		rec, err := s.g.store.Record(ctx, id)
		if errors.Is(err, ErrNotFound) {
			s.proved(id)
			continue
		}
		if err != nil {
			return err
		}
		receipt, found, err := s.g.findProof(ctx, rec)
		if err != nil {
			return err
		}
		if found {
			s.proved(id)
			s.reply(s.proof(proofOf(rec, receipt.User, receipt.Device, receipt.At)))
		}
	}
	return nil
}

// proofsToCheck returns the sends whose turn has come, and puts them off.
func (s *Session) proofsToCheck(now Millis) (due []MessageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.unproved {
		if u := &s.unproved[i]; u.checkAt <= now && len(due) < proofsPerCheck {
			due = append(due, u.id)
			u.wait = min(u.wait*2, lastProofCheck)
			u.checkAt = now + u.wait
		}
	}
	return due
}
