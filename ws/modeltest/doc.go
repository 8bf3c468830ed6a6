// Package modeltest holds the model test of the engine: ten users with three devices each send, repeat, acknowledge in
// any order, forge, sync, recall, reconnect, fall silent and vanish at random, while the server crashes, restarts, loses
// its power or is refused by its ledger. After every step, what came out of a ws.Gateway through its sockets is compared
// with a small model of what protocol.md promises: what each device was shown and in which order, who got which proof,
// how each request was answered, what the ledger holds.
//
// Time is fake (testing/synctest): minutes of resends and time-outs take no time, and a step ends when all is quiet. Most
// runs are on a ledger in memory, every tenth on Pebble over a file system that loses in a crash a random part of what was not synced.
// With the tag services a few are made on MariaDB and on PostgreSQL too, where a crash cuts the node's connections in the middle of
// what goes on in them; the fake time stands still while the server is waited for.
//
//	go test ./ws/modeltest -runs 5000 -seed 0   # many runs, other ones each time
//	go test ./ws/modeltest -runs 1 -seed 4711   # one run again
//	go test -tags services ./ws/modeltest -run TestModel_SQL/mysql -sqlruns 500
//
// A failure prints the seed, the shortest list of steps found that still fails, and what happened. Goroutines run as they
// like, so a rare failure may need a few tries to come again.
package modeltest
