package wstest

import (
	"testing"

	"github.com/yanlink/yanlink/ws"
)

// Registries is a registry as the suite needs it: shared by several nodes, and open to what may befall it.
type Registries interface {
	// Open opens it for a node; the suite closes it.
	Open(t *testing.T, node ws.Node) ws.Registry
	// Silence makes the node at an address one that has not beaten for too long.
	Silence(t *testing.T, address string)
	// Forget loses everything.
	Forget(t *testing.T)
}

// registryRule is one promise of ws.Registry and how it is seen to hold, on a registry of its own.
type registryRule struct {
	name  string
	check func(s *registrySubject)
}

// registryRules are the promises of ws.Registry, by what they are about.
var registryRules = []struct {
	about string
	rules []registryRule
}{
	{"Put", putRules},
	{"Remove", removeRules},
	{"Locate", locateRules},
	{"List", listRules},
	{"Beat", beatRules},
	{"Prune", pruneRules},
	{"Leave", leaveRules},
	{"Nodes", nodesRules},
	{"Reap", reapRules},
	{"Forgotten", forgottenRules},
	{"Calls", registryCallRules},
	{"Concurrent", concurrentRules},
}

// Registry checks that an adapter keeps the promises of ws.Registry. open returns an empty one each time it is called,
// in which nodes are dead only after Silence: they do not beat while the suite works.
func Registry(t *testing.T, open func(t *testing.T) Registries) {
	for _, part := range registryRules {
		t.Run(part.about, func(t *testing.T) {
			for _, r := range part.rules {
				t.Run(r.name, func(t *testing.T) { r.check(newRegistrySubject(t, open)) })
			}
		})
	}
}
