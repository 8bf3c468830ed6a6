package ws

import (
	"cmp"
	"log/slog"
	"math/rand/v2"
	"time"
)

// setDefaults gives every field that was left zero its default, as named beside it in Options.
func (o *Options) setDefaults() {
	o.AppName = cmp.Or(o.AppName, "yanlink")
	o.Zone = cmp.Or(o.Zone, time.Local)
	o.FrameBytes = cmp.Or(o.FrameBytes, 64<<10)
	o.FramesPerSecond = cmp.Or(o.FramesPerSecond, 200)
	o.FrameBurst = cmp.Or(o.FrameBurst, max(1, int(2*o.FramesPerSecond)))
	o.InFlight = cmp.Or(o.InFlight, 64)
	o.DevicesPerUser = cmp.Or(o.DevicesPerUser, 16)
	o.SessionsPerUser = cmp.Or(o.SessionsPerUser, 16)
	o.WatchedUsers = cmp.Or(o.WatchedUsers, 200)
	o.PresenceLinger = cmp.Or(o.PresenceLinger, 2*time.Second)
	o.HeartbeatEvery = cmp.Or(o.HeartbeatEvery, 30*time.Second)
	o.HeartbeatAfter = cmp.Or(o.HeartbeatAfter, 75*time.Second)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 10*time.Second)
	o.Window = cmp.Or(o.Window, 64)
	o.WindowBytes = cmp.Or(o.WindowBytes, 1<<20)
	o.ResendAfter = cmp.Or(o.ResendAfter, 3*time.Second)
	o.Resends = cmp.Or(o.Resends, 3)
	o.ProofEvery = cmp.Or(o.ProofEvery, 5*time.Second)
	o.EarlyWait = cmp.Or(o.EarlyWait, 50*time.Millisecond)
	o.QueueBytes = cmp.Or(o.QueueBytes, 4<<20)
	o.CursorEvery = cmp.Or(o.CursorEvery, time.Minute)
	o.EphemeralAfter = cmp.Or(o.EphemeralAfter, 10*time.Minute)
	o.TokenRetention = cmp.Or(o.TokenRetention, 30*24*time.Hour)
	o.Committers = cmp.Or(o.Committers, 1)
	o.CommitQueue = cmp.Or(o.CommitQueue, 16384)
	o.CommitBatch = cmp.Or(o.CommitBatch, 1024)
	o.CommitInterval = cmp.Or(o.CommitInterval, 600*time.Microsecond)
	o.AckDelay = cmp.Or(o.AckDelay, 2*max(0, o.CommitInterval))
	o.CommitTimeout = cmp.Or(o.CommitTimeout, 10*time.Second)
	o.CatchUpWorkers = cmp.Or(o.CatchUpWorkers, 4)
	o.PageRecords = cmp.Or(o.PageRecords, 128)
	o.PageBytes = cmp.Or(o.PageBytes, 256<<10)
	o.ReconcileEvery = cmp.Or(o.ReconcileEvery, time.Second)
	o.Incarnation = cmp.Or(o.Incarnation, rand.Uint64())
	o.BeatEvery = cmp.Or(o.BeatEvery, 2*time.Second)
	o.RegistryTimeout = cmp.Or(o.RegistryTimeout, time.Second)
	o.CanaryEvery = cmp.Or(o.CanaryEvery, time.Second)
	o.RecallWindow = cmp.Or(o.RecallWindow, 2*time.Minute)
	o.MaxDelay = cmp.Or(o.MaxDelay, 30*24*time.Hour)
	o.MaxBody = cmp.Or(o.MaxBody, o.FrameBytes)
	o.RecheckEvery = cmp.Or(o.RecheckEvery, time.Minute)
	o.DrainSpread = cmp.Or(o.DrainSpread, 10*time.Second)
	o.Metrics = cmp.Or[Metrics](o.Metrics, NoMetrics{})
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Authorizer == nil {
		o.Authorizer = AllowAll{}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
}
