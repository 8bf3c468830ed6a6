package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

const (
	restTimeout = 10 * time.Second
	restRetry   = 300 * time.Millisecond
	// otherDoor is the share of failed REST sends that are repeated through the socket, under the same msgid.
	otherDoor = 0.2
	// proofAfter is how long an old client, which cannot ask by sync, waits in the end before it asks by REST.
	proofAfter = 2 * time.Second
)

// byREST gives a message to the REST worker, which must not be busy. The caller holds the lock.
func (d *Device) byREST(m *message) {
	if d.chance(delayedShare) {
		m.delay = 1 + d.rand.IntN(maxDelay)
	}
	d.restBusy = true
	d.restQueue <- m
}

// runREST sends what is to go in by REST, one after the other, recalls, cancels, and asks for proofs in the end.
func (d *Device) runREST(ctx context.Context) {
	look := time.NewTicker(restRetry)
	defer look.Stop()
	for {
		select {
		case m := <-d.restQueue:
			d.postUntilAnswered(ctx, m)
			d.mu.Lock()
			d.restBusy = false
			d.mu.Unlock()
			d.stir()
		case <-look.C:
			d.recallByREST(ctx)
			d.lookAfterDelayed(ctx)
			if d.calm.Load() && !d.Habits.V1 {
				d.askProofs(ctx)
			}
		case <-ctx.Done():
			return
		}
	}
}

// postUntilAnswered repeats a send until it is answered, or gives it to the socket.
func (d *Device) postUntilAnswered(ctx context.Context, m *message) {
	for ctx.Err() == nil {
		if d.post(ctx, m) {
			return
		}
		pause(ctx, restRetry)
		d.mu.Lock()
		change := m.delay == 0 && d.chance(otherDoor) // only REST knows of delays
		if change {
			d.unanswered = append(d.unanswered, m)
		}
		d.mu.Unlock()
		if change {
			return
		}
	}
}

// post sends a message once and reports whether that was answered for good.
func (d *Device) post(ctx context.Context, m *message) bool {
	d.noteSent(history.REST, m)
	body := object{"to": []string{m.to}, "message": m.body, "fileType": 0}
	if m.delay > 0 {
		body["delaySeconds"] = m.delay
	}
	header := http.Header{}
	if len(m.id)%2 == 0 {
		header.Set("Idempotency-Key", m.id)
	} else {
		body["msgid"] = m.id
	}
	var answer struct {
		Results []struct {
			Status string `json:"status"`
			fields
		} `json:"results"`
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	status, err := d.call(ctx, http.MethodPost, "/api/v1/messages", header, body, &answer)
	if err != nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if status == http.StatusOK && len(answer.Results) == 1 {
		result := answer.Results[0]
		result.Duplicate = result.Status == "duplicate"
		result.MsgID = m.id
		if result.Status == "scheduled" {
			d.scheduled(m, result.ScheduledID)
			return true
		}
		if result.Duplicate || result.Status == "accepted" {
			d.answered(history.REST, &result.fields)
			return true
		}
		answer.Error.Code = result.Status
	}
	final := !again(status)
	d.refused(history.REST, m.id, fmt.Sprintf("%d %s", status, answer.Error.Code), final)
	return final
}

// again reports whether the same call may succeed later.
func again(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests
}

func (d *Device) call(ctx context.Context, method, path string, header http.Header, body, answer any) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	data, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, method, d.Nodes[d.anyNode()]+path, bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	req.Header = header
	req.Header.Set("Authorization", "Bearer "+d.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.HTTP.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(answer)
}

// life is what GET /messages/{id} says, as far as the storm looks at it.
type life struct {
	State      string `json:"state"`
	Recipients []struct {
		OpenID  string `json:"openid"`
		Devices []struct {
			Device string `json:"device"`
		} `json:"devices"`
	} `json:"recipients"`
}

// Life asks by REST for the life of a message of this device and notes the answer.
func (d *Device) Life(ctx context.Context, at history.Position) error {
	var l life
	asked := d.Log.Len()
	id := fmt.Sprintf("%s%016x", at.Conversation, at.Seq)
	status, err := d.call(ctx, http.MethodGet, "/api/v1/messages/"+id, http.Header{}, nil, &l)
	if err != nil {
		return fmt.Errorf("ask for the life of %s: %w", id, err)
	}
	if status != http.StatusOK {
		l.State = http.StatusText(status)
	}
	event := history.Event{Kind: history.Life, Device: d.Device, Position: at, Asked: asked, Note: l.State}
	for _, r := range l.Recipients {
		for _, device := range r.Devices {
			event.Devices = append(event.Devices, history.Device{User: r.OpenID, Name: device.Device})
		}
	}
	d.Log.Add(event)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unproved[at] == nil {
		return nil
	}
	if l.State == "recalled" {
		delete(d.unproved, at)
		return nil
	}
	for _, by := range event.Devices {
		d.proved(history.REST, id, by)
	}
	return nil
}

// askProofs learns by REST what was delivered while this device was away.
func (d *Device) askProofs(ctx context.Context) {
	d.mu.Lock()
	var old []history.Position
	for at, m := range d.unproved {
		if time.Since(m.acceptedAt) > proofAfter {
			old = append(old, at)
		}
	}
	d.mu.Unlock()
	for _, at := range old {
		if d.Life(ctx, at) != nil {
			return
		}
	}
}
