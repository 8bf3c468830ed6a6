package configs

import "time"

// Default returns the configuration that holds where nothing is set: everything in one process, data under ./data,
// listening on loopback.
func Default() *Config {
	return &Config{
		Server: Server{
			Listen: "127.0.0.1:8084", Admin: "127.0.0.1:8085",
			BodyBytes: 1 << 20, HeaderBytes: 64 << 10, CallTimeout: 15 * time.Second, QueryTimeout: 5 * time.Second,
			ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute, TrimEvery: 10 * time.Second,
		},
		Store: Store{
			Driver: "pebble", Dir: "./data", Migrate: "auto", StartTimeout: 2 * time.Minute, MaxConns: 32,
			CacheBytes: 64 << 20, BufferBytes: 64 << 20, MinFreeBytes: 64 << 20,
		},
		Registry: Registry{Driver: "memory", NodeTTL: 6 * time.Second, Timeout: time.Second},
		Bus:      Bus{Driver: "memory", RocketMQ: RocketMQ{SendTimeout: 3 * time.Second, QueueBodies: 4096, CreateTopics: true}},
		Discovery: Discovery{Driver: "none", Nacos: Nacos{
			Group: "DEFAULT_GROUP", Service: "yanlink", Timeout: 3 * time.Second, Beat: 5 * time.Second,
		}},
		SSO: SSO{
			Header:  "token",
			Fields:  defaultFields(),
			Timeout: 3 * time.Second, CacheTTL: time.Minute, CacheSize: 100_000, Recheck: time.Minute, Grace: time.Hour,
			TicketTTL: 30 * time.Second, MaxConcurrent: 64, Dev: true,
		},
		Auth: Auth{AdminRoles: []string{"admin"}},
		Limits: Limits{
			ConnectsPerSecondPerIP: 200, CallsPerSecondPerUser: 100, RefusalsPerSecondPerIP: 50, SessionsPerUser: 16, DevicesPerUser: 16, FramesPerSecond: 200, WatchedUsers: 200, FrameBytes: 64 << 10, InFlight: 64,
		},
		Heartbeat: Heartbeat{Interval: 30 * time.Second, Timeout: 75 * time.Second},
		Presence:  Presence{Linger: 2 * time.Second},
		Delivery: Delivery{
			Window: 64, WindowBytes: 1 << 20, ResendAfter: 3 * time.Second, Resends: 3, EarlyWait: 50 * time.Millisecond,
			SenderDevices: true, QueueBytes: 4 << 20, CursorEvery: time.Minute, EphemeralAfter: 10 * time.Minute,
			WriteTimeout: 10 * time.Second, CatchUpWorkers: 4, PageRecords: 128, PageBytes: 256 << 10,
			ReconcileEvery: time.Second,
		},
		Messages: Messages{AppName: "yanlink", MaxDelay: 30 * 24 * time.Hour, RecallWindow: 2 * time.Minute, UnknownUsers: "refuse"},
		Ledger: Ledger{
			Committers: 1, CommitBatch: 1024, CommitQueue: 16384, CommitTimeout: 10 * time.Second,
		},
		Retention: Retention{Tokens: 30 * 24 * time.Hour},
		Events:    Events{OfflineAfter: 10 * time.Second, Linger: 2 * time.Second, MaxAttempts: 100, RetryAfter: time.Second},
		Drain:     Drain{Delay: 5 * time.Second, Spread: 10 * time.Second, Timeout: 25 * time.Second},
		Protocol:  Protocol{Trigger: "given"},
		Log:       Log{Level: "info", Format: "text"},
	}
}

func defaultFields() SSOFields {
	return SSOFields{
		OpenID: "openid", UserName: "userName", Roles: "roles",
		IssuedAt: "issuedAt", ExpiresAt: "expiresAt", ExpiresIn: "expiresIn",
	}
}
