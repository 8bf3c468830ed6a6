//go:build services

package app_test

import (
	"testing"

	"github.com/yanlink/yanlink/deploy/services"
)

// TestTable_Cluster walks the routes of two nodes and tries the frames between them: what is asked of one is seen on the
// other.
func TestTable_Cluster(t *testing.T) {
	namesrv := startNamesrv(t)
	for _, database := range []services.Kind{services.MariaDB, services.Postgres} {
		t.Run(string(database), func(t *testing.T) {
			t.Parallel()
			cluster := newCluster(t, database, namesrv)
			one, two := cluster.config(), cluster.config()
			two.Store.Dir = one.Store.Dir // where the key of the development SSO is
			site := newSite(t, one, two)
			site.walk(t, errands())
			site.talk(t)
		})
	}
}
