package modeltest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gorilla/websocket"

	"github.com/yanlink/yanlink/ws/protocol"
)

// resendSpan is how long a record is sent again and waited for: one to eight times resendAfter, each jittered by a tenth.
const resendSpan = 15 * resendAfter

// proofCheck is after how long a session looks in the ledger for receipts of what it has sent.
const proofCheck = 5 * time.Second

// busyWait is how long a resend is put off when the socket has something else to take.
const busyWait = 500 * time.Millisecond

// compareProofs makes sure that every 17 that is due has come, and none more often than there is a reason.
func (w *world) compareProofs(k *conn) {
	if !k.healthy() || k.over() || k.replaced {
		return
	}
	for p := range k.owed {
		w.wrong("%s is owed a 17 for %v by %s", k.client, p.r, p.by)
	}
	came := map[*record]int{}
	due := map[*record]int{}
	for p, n := range k.proofs {
		came[p.r] += n
		due[p.r]++
	}
	for r, n := range came {
		asked, found := k.asked[proof{r, ""}], 0
		if r.device == k.client.device && time.Since(r.at) >= proofCheck {
			found = 1 // the session may have found the receipt by itself, just before it was told
		}
		if n > due[r]+asked+found+w.extra[r] {
			w.wrong("%s got %d 17s for %v, %d devices have it and %d times it asked", k.client, n, r, due[r], asked)
		}
	}
}

// comparePushes makes sure that the window holds, that everything due has been sent as far as it has room, and again as often as time asks.
func (w *world) comparePushes(k *conn) {
	if !k.healthy() || k.over() || k.replaced || k.wasFrozen {
		return
	}
	d := w.device(k)
	now := time.Now()
	active, atMost, bytes, tired := 0, 0, 0, false
	for r, p := range k.pushes {
		if d.in(r.thread).acked[r.seq] != 0 || r.recalledIn != 0 {
			continue
		}
		age := now.Sub(p.first)
		for times, after := range []time.Duration{0, 1, 3, 7} {
			if age > after*resendAfter*11/10+settling+busyWait && p.times <= times {
				w.wrong("%s was sent %v %d times in %s", k.client, r, p.times, age)
			}
		}
		tired = tired || age > resendSpan*11/10+time.Second && k.spoke.Before(p.first.Add(-settling))
		// It rests once it was sent as often as allowed and the longest wait is over.
		if p.times <= resends || now.Sub(p.last) < resendAfter*8*9/10 {
			active++
		}
		if p.times <= resends || now.Sub(p.last) < resendAfter*8*11/10+settling {
			atMost++
			bytes += len(r.body)
		}
	}
	if active > w.setting.window {
		w.wrong("%s has %d records to acknowledge, the window is %d", k.client, active, w.setting.window)
	}
	if tired {
		w.wrong("%s acknowledges nothing and was not closed", k.client)
	}
	low := atMost <= w.setting.window/2 && bytes <= w.setting.windowBytes/2
	room := func(r *record) bool { return atMost == 0 || low && bytes+len(r.body) <= w.setting.windowBytes }
	for _, r := range w.missing(k, room) {
		w.wrong("%s was not sent %v", k.client, r)
	}
}

// missing lists, of each thread, the first record that is due to k's device, was not sent, and has room; what only the
// ledger knows to be due or not counts if it has none.
func (w *world) missing(k *conn, room func(*record) bool) (missing []*record) {
	for _, t := range w.model.threadsOf(k.client.user) {
		for _, r := range t.records {
			v := w.model.due(w.device(k), r)
			if v == no || k.pushes[r] != nil {
				continue
			}
			if v == yes && room(r) {
				missing = append(missing, r)
			}
			if v == yes || !room(r) {
				break
			}
		}
	}
	return missing
}

// compareEnd makes sure that a connection ended for a reason that there was.
func (w *world) compareEnd(k *conn) {
	if !k.over() {
		if k.replaced && !k.abandoned {
			w.wrong("%s was replaced and not closed", k.client)
		}
		if !k.muteSince.IsZero() && k.healthy() && time.Since(k.muteSince) > beatAfter+time.Second {
			w.wrong("%s is silent and was not closed", k.client)
		}
		return
	}
	ok := k.leaving || k.abandoned || w.crashed
	switch k.code {
	case websocket.CloseNormalClosure:
	case protocol.CloseReplaced:
		ok = ok || k.replaced
	case protocol.CloseNoHeartbeat:
		ok = ok || k.wasFrozen || !k.muteSince.IsZero() && time.Since(k.muteSince) > beatAfter-beatEvery
	case protocol.CloseRestart:
		ok = ok || k.wasFrozen
	case protocol.CloseAcksNothing:
		ok = ok || k.wasFrozen || w.tired(k)
		var hint struct {
			RetryAfterMs int `json:"retryAfterMs"`
		}
		if err := json.Unmarshal([]byte(k.reason), &hint); err != nil || hint.RetryAfterMs <= 0 {
			w.wrong("%s was closed with 4410 and the reason %q", k.client, k.reason)
		}
	case websocket.CloseAbnormalClosure:
		ok = ok || k.replaced || k.wasFrozen
	}
	if !ok {
		w.wrong("%s was closed with %d %q", k.client, k.code, k.reason)
	}
}

// tired reports whether the client of k has acknowledged nothing since something was sent to it as often as allowed, or
// so little that what rests has filled a window.
func (w *world) tired(k *conn) bool {
	d := w.device(k)
	resting := 0
	for r, p := range k.pushes {
		if d.in(r.thread).acked[r.seq] != 0 || time.Since(p.first) < resendSpan*8/10 {
			continue
		}
		if !k.heard.After(p.first) {
			return true
		}
		resting++
	}
	return resting >= w.setting.window
}

// forgetEnded drops the connections that are over.
func (w *world) forgetEnded() {
	kept := w.conns[:0]
	for _, k := range w.conns {
		d, current := w.device(k), k.client.conn == k || k.client.conn == nil
		switch {
		case !k.over():
			kept = append(kept, k)
			if k.client.conn == k && k.healthy() && k.muteSince.IsZero() {
				d.quiet = time.Time{}
			}
			continue
		case current && w.ill:
			d.quiet = k.opened // when it ended may not have been written
		case current && d.quiet.IsZero():
			d.quiet = k.endedAt
		}
		if current {
			d.ended, k.client.conn = k.endedAt, nil
		}
		w.counts[fmt.Sprintf("close %d", k.code)]++
		w.logf("%s has ended: %d %s", k.client, k.code, k.reason)
	}
	w.conns = kept
}
