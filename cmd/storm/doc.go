// Storm is the proof behind the promises: many clients send, delay, cancel, recall, acknowledge, drop connections and repeat, the server is
// killed with SIGKILL again and again in the middle of it, and a checker outside the server, with an account of its
// own, looks for what was lost, shown twice, shown out of order, or acknowledged without a proof to its sender.
//
//	go run ./cmd/storm [-clients 40] [-messages 20200] [-kills 8] [-seed N] [-server BIN] [-race]
//
// The last line is the verdict; the program ends with 1 if any promise was broken, after printing the story of the
// first faults of each kind. The seed decides who does what; the machine's timing stays its own, so a replay meets the
// same clients but not the same instants.
//
// # What is checked
//
// A message counts from its 0. Then it has to be shown on every device of the recipient that had ever connected before
// it was sent, and on the sender's other devices; once, under one position, with the text that was sent; in the order
// of seq, without a gap; after everything that had got its 0 before it was sent; in the order in which its device sent
// it. Every acknowledgement of what was shown gets a 16 in the end, and every message with one gets its 17, by itself
// or by a sync's pending (an old client asks by REST). A 0, 16 or 17 for what never was is a fault as well.
//
// What is delayed is sent once, not before its time and not long after it, whatever died meanwhile; what was cancelled,
// never. What is recalled, over a socket or by REST, comes to no session that began after the recall was answered, and to no
// device that was told of it by frame 31; every device that speaks yanlink.v1 is told. When all is quiet, one device of
// each user reads all histories by REST: what stands there is what was sent and shown, position by position, without the
// text of what was recalled. At last the server stops in order, and its check-store must find nothing.
//
// # See it fail
//
// A checker that was never seen to fail proves nothing. Break the server in a copy of the tree, one at a time:
//
//   - the dedup: in clients/pebblestore/send.go let firstOf return the zero dedup and no error. A repeat after a kill is
//     stored again: "shown twice".
//   - the cursor: in ws/session.go let cursor return t.next-1 always, as if what was pushed were had. What was on its way
//     when a connection ended is never sent again: "lost".
//   - the sync before the reply: in clients/pebblestore/database.go apply batches with pebble.NoSync. A kill takes
//     accepted messages with it: "lost", and their positions are given again: "shown twice".
//   - the recall: in ws/deliver.go let needless forget rec.RecalledAt and takenBack: "shown after recall". Let it pass over
//     every KindRecall instead: "lost", since no device is told.
//   - the history: in ws/history.go let historyItem take no notice of RecalledAt: "wrong in history".
//
// In a cluster (-store mysql):
//
//   - the reconciler: in ws/reconciler.go let fastPass ring nobody, and run never call slow.step. What falls to a dead
//     bus stays there: "lost", "late".
//   - the comparison of device epochs: in ws/hub.go let add keep the session with the lower epoch, and in
//     clients/redisregistry/scripts/put.lua let outdoes say so too. Clients that come back are thrown out: "closed".
//   - the connect order: in ws/connect.go let begin read first, and enter hub and registry 15 s later. Without the 15 s
//     the reconciler makes it good before anybody could tell it from a busy machine: "late".
package main
