// Package pebblestore keeps the ledger in one folder of this machine, on the log-structured tree of cockroachdb/pebble.
//
// # Commits
//
// One commit is one Pebble batch and one sync of the log. The committer's own memory of rows (tables) makes most ops
// free of reads, lets later ops of a batch see earlier ones, and writes each row once for a batch, however many ops
// changed it. An op is checked completely before it changes anything.
//
// # Readers
//
// They see the state after the last commit that is durable, never one whose sync is under way.
//
// # Failing disks
//
// When a write fails, the opening of the database it belongs to is given up as a whole, fenced off from the folder, and
// the folder is opened again until that works. Meanwhile commits are refused at once and readers go on with what they
// saw last.
package pebblestore
