package wstest

import (
	"fmt"
	"slices"

	"github.com/yanlink/yanlink/ws"
)

// schedulingOne schedules a message of a known user.
func (p *pair) schedulingOne() action {
	sender, to := p.known(), p.user()
	rec, due, ttl := p.message(sender), p.now+ws.Millis(p.IntN(5000)), int64(p.IntN(2)*1000)
	rec.CreatedAt, rec.ExpireAt = 0, 0
	ref := conversationRef{}
	if p.IntN(3) == 0 {
		ref, to = p.group(), ""
	}
	return action{fmt.Sprintf("schedule %s to %q %v msgid %q", sender, to, ref, rec.MsgID), func(v view) ws.Op {
		op := &ws.Schedule{Hash: contentHash(rec.Body), Scheduled: ws.Scheduled{DueAt: due, To: to, TTL: ttl, Draft: rec}}
		if to == "" {
			op.Scheduled.Group = v.id(ref)
		}
		return op
	}}
}

// firing fires or cancels one that was scheduled at any time before.
func (p *pair) firing() action {
	fraction, at, cancel, by := p.Float64(), p.tick(), p.IntN(3) == 0, ""
	if p.IntN(3) == 0 {
		by = p.known()
	}
	return action{fmt.Sprintf("fire or cancel (%v by %q) %.2f", cancel, by, fraction), func(v view) ws.Op {
		id := uint64(1 << 40)
		if n := len(v.scheduledIDs); n > 0 {
			id = v.scheduledIDs[int(fraction*float64(n))]
		}
		if cancel {
			return &ws.CancelScheduled{ID: id, By: by}
		}
		return &ws.FireScheduled{ID: id, At: at, Node: "node-2"}
	}}
}

// purging purges what is there before the batch, or a bit beyond.
func (p *pair) purging() action {
	ref, fraction := p.talk(p.known()), p.Float64()*0.6
	if p.IntN(5) == 0 {
		fraction = 2
	}
	return action{fmt.Sprintf("purge %v %.2f", ref, fraction), func(v view) ws.Op {
		if v.last(ref) == 0 {
			return &ws.SeenDevice{User: "nobody", Device: "none"} // nothing to purge yet
		}
		return &ws.Purge{Conversation: v.id(ref), First: uint64(fraction * float64(v.last(ref)))}
	}}
}

func (p *pair) putting() action {
	user, device, at, name := p.user(), p.device(), p.tick(), fmt.Sprint("name ", p.IntN(5))
	if p.IntN(2) == 0 {
		return action{fmt.Sprintf("put %s %s", user, name), func(view) ws.Op { return &ws.PutUser{OpenID: user, Name: name, At: at} }}
	}
	return action{fmt.Sprintf("seen %s %s", user, device), func(view) ws.Op {
		return &ws.SeenDevice{User: user, Device: device, At: at}
	}}
}

// accounting bans seldom and unbans often, so that there is somebody to talk.
func (p *pair) accounting() action {
	user, at, mark, issued := p.known(), p.tick(), byte(p.IntN(3)), ws.Millis(0)
	if p.IntN(2) == 0 {
		issued = at - ws.Millis(p.IntN(10_000))
	}
	switch p.IntN(7) {
	case 6:
		return action{fmt.Sprintf("drop %s %d", user, mark), func(view) ws.Op {
			return &ws.DropToken{Hash: [32]byte{mark, user[0]}, OpenID: user, Before: 99 + ws.Millis(mark%2)}
		}}
	case 0:
		return action{"ban " + user, func(view) ws.Op { return &ws.BanUser{OpenID: user, Banned: true} }}
	case 1, 2:
		return action{"unban " + user, func(view) ws.Op { return &ws.BanUser{OpenID: user} }}
	case 3:
		return action{"revoke " + user, func(view) ws.Op { return &ws.RevokeTokens{OpenID: user, At: at} }}
	default:
		return action{fmt.Sprintf("accept %s %d issued %d", user, mark, issued), func(view) ws.Op {
			token := ws.Token{Hash: [32]byte{mark, user[0]}, OpenID: user, ExpiresAt: 99}
			return &ws.AcceptToken{Token: token, Name: "name of " + user, IssuedAt: issued, At: at}
		}}
	}
}

// relaying takes the lease, writes events, or changes the state of one that is there.
func (p *pair) relaying() action {
	switch p.IntN(6) {
	case 0:
		name, holder, at, term := p.group().key, p.known(), p.tick(), ws.Millis(p.IntN(2000))
		return action{fmt.Sprintf("lease %s to %s", name, holder), func(view) ws.Op {
			return &ws.TakeLease{Name: name, Holder: holder, At: at, Until: at + term}
		}}
	case 1:
		events := p.events(4)
		return action{fmt.Sprintf("%d events", len(events)), func(view) ws.Op { return &ws.AddEvents{Events: slices.Clone(events)} }}
	}
	fraction, from := p.Float64(), pick(p, []ws.EventState{ws.EventPending, ws.EventDead, ws.EventScheduled})
	to, attempts, at := ws.EventPending+ws.EventState(p.IntN(3)), uint32(p.IntN(5)), p.tick()
	return action{fmt.Sprintf("event %d to %d", from, to), func(v view) ws.Op {
		op := &ws.PutEvent{ID: 1 << 40, State: to, Attempts: attempts, NextAttemptAt: at}
		if events := v.subject.events(from); len(events) > 0 {
			op.ID = events[int(fraction*float64(len(events)))].ID
		}
		return op
	}}
}
