package app

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// engineOptions turns the configuration into the engine's. Where 0 means "none" to us it means "the default" to the
// engine, whose "none" is a negative number.
func (b *Bundle) engineOptions() ws.Options {
	c := b.cfg
	zone, err := time.LoadLocation(c.Protocol.Zone)
	if err != nil || c.Protocol.Zone == "" {
		zone = time.Local
	}
	return ws.Options{
		NodeID: b.nodeID(), Advertise: b.advertise(), AppName: c.Messages.AppName,
		Zone: zone, ExactTrigger: c.Protocol.Trigger == "exact",

		FrameBytes: c.Limits.FrameBytes, FramesPerSecond: orNone(c.Limits.FramesPerSecond), InFlight: c.Limits.InFlight,
		DevicesPerUser: orNone(c.Limits.DevicesPerUser), SessionsPerUser: orNone(c.Limits.SessionsPerUser),
		WatchedUsers: orNone(c.Limits.WatchedUsers), PresenceLinger: orNone(c.Presence.Linger),
		HeartbeatEvery: c.Heartbeat.Interval, HeartbeatAfter: c.Heartbeat.Timeout, WriteTimeout: c.Delivery.WriteTimeout,

		Window: c.Delivery.Window, WindowBytes: c.Delivery.WindowBytes,
		ResendAfter: c.Delivery.ResendAfter, Resends: orNone(c.Delivery.Resends), EarlyWait: orNone(c.Delivery.EarlyWait),
		NoSenderDevices: !c.Delivery.SenderDevices, QueueBytes: c.Delivery.QueueBytes,
		CursorEvery: c.Delivery.CursorEvery, EphemeralAfter: c.Delivery.EphemeralAfter, TokenRetention: orNone(c.Retention.Tokens), MessageRetention: c.Retention.Messages,
		CatchUpWorkers: c.Delivery.CatchUpWorkers, PageRecords: c.Delivery.PageRecords, PageBytes: c.Delivery.PageBytes,
		ReconcileEvery: c.Delivery.ReconcileEvery,

		Registry: b.registry, Bus: b.bus, BeatEvery: c.Registry.NodeTTL / beatsPerTTL, RegistryTimeout: c.Registry.Timeout,
		Events: b.eventOptions(),

		Committers: c.Ledger.Committers, CommitQueue: c.Ledger.CommitQueue, CommitBatch: c.Ledger.CommitBatch,
		CommitInterval: b.paced(c.Ledger.CommitInterval, commitIntervalOfDatabases), AckDelay: b.paced(c.Ledger.AckDelay, ackDelayOfDatabases), CommitTimeout: c.Ledger.CommitTimeout,

		MaxDelay: orNone(c.Messages.MaxDelay), RecallWindow: orNone(c.Messages.RecallWindow), MaxBody: c.Messages.MaxBytes, StoreUnknown: c.Messages.UnknownUsers == "store",
		RecheckEvery: c.SSO.Recheck, DrainSpread: orNone(c.Drain.Spread),

		Authorizer: b.opt.authorizer, BeforeSend: b.opt.beforeSend, AllowOrigin: b.allowOrigin,
		Authenticate: func(ctx context.Context, token string) (ws.Identity, error) {
			return b.auth.Authenticate(ctx, ws.Credentials{Token: token})
		},
		Log: b.log.With("component", "engine"), Metrics: b.metrics, Clock: b.opt.clock,
	}
}

// The pace of commits to databases: a commit is six to ten statements there, however many messages it holds, the database is
// everybody's, and a node that has recipients only would commit nothing but acknowledgements. What comes after a pause waits for
// neither.
const (
	commitIntervalOfDatabases = 3 * time.Millisecond
	ackDelayOfDatabases       = 10 * time.Millisecond
)

// paced is what was set, or how databases are paced; 0: the engine's default.
func (b *Bundle) paced(set, database time.Duration) time.Duration {
	if set == 0 && b.cfg.Store.Driver != "pebble" {
		return database
	}
	return set
}

// orNone returns n, or for 0 what means none to the engine.
func orNone[N int | float64 | time.Duration](n N) N {
	if n == 0 {
		return -1
	}
	return n
}

// nodeID returns the name of this node.
func (b *Bundle) nodeID() string { return cmp.Or(b.cfg.Node.ID, nodeIDOf(b.advertise())) }

// advertise returns the <ip>:<port> of this node.
func (b *Bundle) advertise() string {
	if b.cfg.Node.Advertise != "" {
		return b.cfg.Node.Advertise
	}
	listen := cmp.Or(b.opt.advertise, b.cfg.Server.Listen)
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip, err := netip.ParseAddr(host); err == nil && !ip.IsUnspecified() {
		return listen
	}
	return net.JoinHostPort(ownAddress(), port)
}

// ownAddress is an address of this machine that others can reach; loopback if there is none.
func ownAddress() string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "127.0.0.1"
	}
	for _, address := range addresses {
		prefix, err := netip.ParsePrefix(address.String())
		if err == nil && prefix.Addr().Is4() && prefix.Addr().IsGlobalUnicast() {
			return prefix.Addr().String()
		}
	}
	return "127.0.0.1"
}

// nodeIDOf makes a node's name of its address: every character that a name cannot have becomes a dash.
func nodeIDOf(advertise string) string {
	name := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, advertise)
	return name[:min(len(name), 64)]
}
