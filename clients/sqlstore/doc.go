// Package sqlstore keeps the ledger in a MySQL, MariaDB or PostgreSQL database, which the nodes of a cluster share.
//
// # Commits
//
// One commit is one transaction, at READ COMMITTED. What the batch concerns is locked first, then read, in statements of
// many rows each; the ops are applied in memory, where later ones see what earlier ones did; what changed is written, again
// in statements of many rows. An op that turns out to need something that was not locked or not read lets the batch run
// again, with that.
//
// # Assumptions
//
// That is two trips. A batch of nothing but messages and acknowledgements takes one where the store remembers the conversations, cursors
// and users that it needs: the ops are applied to what is remembered, and what changed is written by statements that fail where a row is
// not as it was remembered. Then nothing of it holds, what was assumed is doubted, and the batch reads like any other. Another
// node may have changed every row meanwhile; what is remembered is only a guess, and cheap when it is right.
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
// Each batch leaves its number in a row of its writer. When the answer to a commit is lost, that row says what became of it, and
// gets another number, with which nothing that comes late can hold.
package sqlstore
