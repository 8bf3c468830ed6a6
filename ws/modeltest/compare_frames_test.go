package modeltest

import (
	"fmt"
	"slices"
	"time"
)

// compareDevices tells the model which devices were made.
func (w *world) compareDevices() {
	for _, o := range w.created {
		d := w.model.devices[o.client.String()]
		switch k := o.conn; {
		case k == nil:
			if !w.crashed && !w.ill && o.status != 0 {
				w.wrong("%s was refused with HTTP %d", o.client, o.status)
			}
			w.compareFailed(o, d)
		case k.hello != nil:
			if k.fresh = w.compareHello(k, &o.before, !d.exists); k.fresh {
				w.model.create(d, o.low)
			}
		case o.client.v1:
			if k.healthy() && !k.over() && !k.replaced && !w.crashed {
				w.wrong("%s got no hello", o.client)
			}
			w.compareFailed(o, d)
		case !d.exists:
			k.fresh = true
			w.model.create(d, o.low)
		}
	}
}

// compareFailed finds out whether an attempt to connect that failed has made the device nonetheless. An ephemeral one
// may have been dropped before, and so have begun anew.
func (w *world) compareFailed(o *opening, d *device) {
	switch {
	case !w.ledgerHas(d):
		return
	case !d.exists:
		w.model.create(d, o.low)
		d.quiet = o.at
	case d.name[0] == '~':
		w.model.create(d, nil)
	}
	d.ended = time.Time{}
}

// compareHello compares frame 33, and returns whether the device is new to the ledger. An ephemeral one that was away
// for some time may be, or not.
func (w *world) compareHello(k *conn, d *device, fresh bool) bool {
	p := k.hello.Params
	since := func(t time.Time) time.Duration {
		if t.IsZero() {
			return 0
		}
		return k.opened.Sub(t)
	}
	tab := d.name[0] == '~'
	switch {
	case p.OpenID != d.user || p.Device != d.name || p.SessionID == "":
		w.wrong("%s got the hello %s", k.client, k.hello.raw)
	case p.NewDevice == fresh:
	case p.NewDevice && (!tab || since(d.quiet) < tabAfter):
		w.wrong("%s, away for %s, was called new", k.client, since(d.quiet))
	case !p.NewDevice && fresh:
		w.wrong("%s is new and was not called so", k.client)
	}
	if tab && !fresh && !p.NewDevice && since(d.ended) > tabAfter+45*time.Second {
		w.wrong("%s, away for %s, was not dropped", k.client, since(d.ended))
	}
	return p.NewDevice
}

// compareFrame compares a frame that nobody asked for.
func (w *world) compareFrame(k *conn, f *frame) {
	if k.hello != nil && f.SessionID != k.hello.Params.SessionID || !slices.Equal(f.To, []string{k.client.user}) {
		w.wrong("%s got what is for another: %s", k.client, f.raw)
	}
	switch f.kind() {
	case 2, 31:
		w.comparePush(k, f)
	case 17:
		w.compareProof(k, f)
	default:
		w.wrong("%s got an unexpected frame: %s", k.client, f.raw)
	}
}

// comparePush compares a record that was sent to a device.
func (w *world) comparePush(k *conn, f *frame) {
	p := f.params()
	t := w.model.byID[p.ConversationID]
	if t == nil || t.at(p.Seq) == nil || !t.has(k.client.user) {
		w.wrong("%s got a record that there is not: %s", k.client, f.raw)
		return
	}
	r := t.at(p.Seq)
	w.compareContent(k, f, r)
	if high := k.client.high[t.id]; p.PrevSeq > high && w.device(k).in(t).acked[p.PrevSeq] == 0 || p.PrevSeq >= p.Seq {
		w.wrong("%s sees a gap: prevSeq %d, shown up to %d: %s", k.client, p.PrevSeq, high, f.raw)
	}
	sent := k.pushes[r]
	if sent == nil {
		if !k.wasFrozen { // else it may have been sent long ago, when things stood otherwise
			w.compareFirst(k, f, r)
		}
		sent = &push{first: f.came}
		k.pushes[r] = sent
	} else {
		w.compareResend(k, f, r)
	}
	if sent.times++; sent.times > 1 {
		w.counts["resend"]++
	}
	sent.last = f.came
	if sent.times > 1+resends {
		w.wrong("%s was sent %v %d times", k.client, r, sent.times)
	}
	fresh, err := k.client.show(place{t.id, p.Seq})
	if err != nil {
		w.wrong("%v", err)
	}
	w.counts[fmt.Sprintf("frame %d", f.kind())]++
	w.logf("%s got %v prevSeq %d times %d new %t", k.client, r, p.PrevSeq, sent.times, fresh)
}

func (w *world) compareContent(k *conn, f *frame, r *record) {
	p := f.params()
	bad := f.MessageID != r.id()
	if r.recalls != nil {
		bad = bad || f.kind() != 31 || p.Recalled != r.recalls.id() || p.By != r.sender
	} else {
		msgid := r.msgid
		if msgid == "" {
			msgid = r.id()
		}
		to := r.thread.peer(r.sender)
		bad = bad || f.kind() != 2 || p.Message != r.body || p.MsgID != msgid || string(p.FromUser) != r.sender ||
			string(p.ToUser) != to || p.FileType != "0"
	}
	if bad {
		w.wrong("%s got %v as %s", k.client, r, f.raw)
	}
}

// compareFirst compares the first push of r to a session: it has to be due, and everything before it done.
func (w *world) compareFirst(k *conn, f *frame, r *record) {
	d := w.device(k)
	p := d.in(r.thread)
	switch {
	case !w.model.wants(d, r) || r.seq <= p.startLow:
		w.wrong("%s got %v, which is not due to it", k.client, r)
	case p.acked[r.seq] != 0 && p.acked[r.seq] < w.model.step:
		w.wrong("%s got %v, which it has acknowledged", k.client, r)
	case r.recalledIn != 0 && r.recalledIn < w.model.step:
		w.wrong("%s got %v, which is recalled", k.client, r)
	case f.params().Redelivered:
		w.wrong("%s got %v for the first time as redelivered", k.client, r)
	}
	p.startHigh = min(p.startHigh, r.seq-1)
	for _, before := range r.thread.records[:r.seq-1] {
		if k.pushes[before] != nil || k.tried[before] || !w.model.wants(d, before) || p.acked[before.seq] != 0 || before.recalledIn != 0 {
			continue
		}
		switch {
		case before.seq > p.startHigh:
			w.wrong("%s got %v before %v", k.client, r, before)
		case before.seq > p.startLow:
			p.startLow = before.seq
		}
	}
}

func (w *world) compareResend(k *conn, f *frame, r *record) {
	acked := w.device(k).in(r.thread).acked[r.seq]
	if !f.params().Redelivered {
		w.wrong("%s got %v again, not as redelivered", k.client, r)
	}
	if (acked != 0 && acked < w.model.step || r.recalledIn != 0 && r.recalledIn < w.model.step) && !k.wasFrozen {
		w.wrong("%s got %v again although it is done with", k.client, r)
	}
}

// compareProof compares frame 17: it has to be true, and asked for or new.
func (w *world) compareProof(k *conn, f *frame) {
	p := f.params()
	for _, t := range w.model.threadsOf(k.client.user) {
		for _, r := range t.records {
			if r.id() != p.MessageID || f.MessageID != p.MessageID {
				continue
			}
			by := string(p.ToUser) + "/" + p.Device
			d := w.model.devices[by]
			if r.sender != k.client.user || d == nil || d.user == r.sender || d.in(t).acked[r.seq] == 0 || p.MsgID != r.msgid {
				w.wrong("%s got a false proof: %s", k.client, f.raw)
				return
			}
			w.counts["proof"]++
			k.proofs[proof{r, by}]++
			delete(k.owed, proof{r, by})
			return
		}
	}
	w.wrong("%s got a proof of nothing: %s", k.client, f.raw)
}
