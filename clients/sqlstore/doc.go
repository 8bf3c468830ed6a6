// Package sqlstore keeps the ledger in a MySQL, MariaDB or PostgreSQL database, which the nodes of a cluster share.
//
// # Commits
//
// One commit is one transaction, at READ COMMITTED. What the batch concerns is locked first, then read, in statements of
// many rows each; the ops are applied in memory, where later ones see what earlier ones did; what changed is written, again
// in statements of many rows. An op that turns out to need something that was not locked or not read lets the batch run
// again, with that.
//
// # Locks
//
// They are taken in one order, each kind by key: conversations, users, stays, cursors, events. The lock on a row guards
//
//   - of a conversation: its records, dedup keys and scheduled messages, and who begins or ends a stay in it; of the system
//     conversation therefore also who becomes known;
//   - of a user: the user's tokens and devices, and which cursors these have;
//   - of a stay: its marks and its end;
//   - of a cursor: its position, and the device's receipts in that conversation.
//
// A lock is held until the commit, so that no position is seen before the one below it.
//
// # Lost answers
//
// Each batch leaves its number in a row of its writer. When the answer to a commit is lost, that row says what became of it.
package sqlstore
