package ws

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	// ephemeralEvery is how often ephemeral devices are looked for that have been away for long.
	ephemeralEvery = 10 * time.Second
	ephemeralBatch = 256
)

// upkeep ends sessions that have given way, and removes what has had its time, ephemeral devices, tokens
// and messages, until the gateway ends. It is apart from the reconciler, whose passes must not wait for it.
func (g *Gateway) upkeep() {
	ticker := time.NewTicker(g.opt.ReconcileEvery)
	defer ticker.Stop()
	tokens, messages, displaced := newTokenPass(g), newMessagePass(g), displacedPass{g: g}
	// Who was connected when the node before this one died has as long to come back as anybody else.
	dropAt := g.mono() + millis(g.opt.EphemeralAfter)
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-ticker.C:
		}
		if g.serving.Err() != nil {
			continue // the gateway is stopping
		}
		if g.mono() >= dropAt {
			dropAt = g.mono() + millis(min(ephemeralEvery, g.opt.EphemeralAfter))
			g.dropEphemeral()
		}
		displaced.step()
		tokens.step()
		messages.step()
	}
}

// dropEphemeral drops the ephemeral devices that have been without a session for EphemeralAfter.
func (g *Gateway) dropEphemeral() {
	devices, err := g.idleDevices()
	if err != nil {
		g.log.Warn("ephemeral devices were not looked for", "error", err)
		return
	}
	elsewhere, known := g.elsewhere(usersOf(devices))
	if !known {
		return // one that is connected to another node must not be dropped
	}
	for _, device := range devices {
		var op Op = &DropDevice{User: device.User, Device: device.Name, Epoch: device.Epoch}
		there := slices.ContainsFunc(elsewhere[device.User], func(r Route) bool { return r.Device == device.Name })
		if there || g.connectedDevice(device.User, device.Name) {
			op = &SeenDevice{User: device.User, Device: device.Name, At: g.now()} // or it would be listed before others for ever
		}
		if err := g.aside(op); err == nil {
			continue
		} else if g.serving.Err() == nil {
			g.log.Warn("an ephemeral device was not dropped; it is later", "error", err)
		}
		// It is looked at again when it has been away for as long once more, and keeps nobody behind it waiting.
		if g.aside(&SeenDevice{User: device.User, Device: device.Name, At: g.now()}) != nil {
			return
		}
	}
}

// aside commits an op that nobody waits for, and that may take long, beside what is committed for those who do.
func (g *Gateway) aside(op Op) error {
	ctx, cancel := context.WithTimeout(g.serving, g.opt.CommitTimeout)
	defer cancel()
	return errors.Join(g.store.Commit(ctx, []Op{op}), op.Result().Err)
}

func (g *Gateway) idleDevices() ([]Device, error) {
	ctx, cancel := g.readContext()
	defer cancel()
	return g.store.IdleDevices(ctx, g.now()-millis(g.opt.EphemeralAfter), ephemeralBatch)
}

func usersOf(devices []Device) []string {
	users := make([]string, len(devices))
	for i := range devices {
		users[i] = devices[i].User
	}
	slices.Sort(users)
	return slices.Compact(users)
}

func (g *Gateway) connectedDevice(user, device string) bool {
	for _, s := range g.hub.sessions(user) {
		if s.device == device {
			return true
		}
	}
	return false
}
