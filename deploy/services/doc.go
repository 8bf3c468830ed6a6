// Package services installs and runs the servers that Yanlink's cluster talks to, as plain processes on 127.0.0.1: for
// tests against the real thing, and for tests that kill it, freeze it or cut the network to it.
//
// # Two ways
//
// [Shared] is the instance that `make services` started: one a kind, on a fixed port, for every test that needs a server
// but does nothing to it. [MustStart] and [Start] run one of the test's own, in a folder of its own and on a free port,
// which may be killed, frozen and started again. [Proxy] stands between a client and either.
//
// # Lifecycle
//
// A started server ends with the process that started it, however that ends. The default instances are detached: they
// have a session of their own and run until [Down], which ends only what [Up] has started and what is still that process.
//
// # Durability
//
// MariaDB and PostgreSQL run as a careful operator has them: what was committed survives a power cut. Redis keeps nothing
// on the disk, since nothing may depend on it.
package services
