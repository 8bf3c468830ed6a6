package wstest

import (
	"testing"

	"github.com/yanlink/yanlink/ws"
)

// rule is one promise of a contract and how it is seen to hold, on a ledger of its own.
type rule struct {
	name  string
	check func(s *subject)
}

// storeRules are the promises of ws.Store, by what they are about.
var storeRules = []struct {
	about string
	rules []rule
}{
	{"Records", recordRules},
	{"Seqs", seqRules},
	{"Batches", batchRules},
	{"Sends", sendRules},
	{"Dedup", dedupRules},
	{"Users", userRules},
	{"Tokens", tokenRules},
	{"Devices", deviceRules},
	{"DeviceLimit", deviceLimitRules},
	{"Cursors", cursorRules},
	{"Receipts", receiptRules},
	{"Groups", groupRules},
	{"Stays", stayRules},
	{"Positions", positionRules},
	{"Pages", pageRules},
	{"Purge", purgeRules},
	{"Recall", recallRules},
	{"Schedule", scheduleRules},
	{"Fire", fireRules},
	{"Outbox", outboxRules},
	{"Leases", leaseRules},
	{"Copies", copyRules},
	{"Close", closeRules},
}

// Store checks that a backend keeps the promises of ws.Store. open returns an empty ledger each time it is called;
// the suite closes it. The last part compares the backend with a MemStore over random batches: -wstest.runs says how
// many runs, -wstest.seed repeats one.
func Store(t *testing.T, open func(t *testing.T) ws.Store) {
	for _, part := range storeRules {
		t.Run(part.about, func(t *testing.T) {
			for _, r := range part.rules {
				t.Run(r.name, func(t *testing.T) { r.check(newSubject(t, open)) })
			}
		})
	}
	t.Run("Random", func(t *testing.T) { randomStore(t, open) })
}
