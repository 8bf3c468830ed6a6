//go:build services

package doctest

import (
	"fmt"
	"testing"

	"github.com/yanlink/yanlink/deploy/services"
)

// haveDatabase says whether blocks that need a database are run.
const haveDatabase = true

// databaseConfig is a configuration with an empty database.
func databaseConfig(t *testing.T) string {
	t.Helper()
	server := services.Shared(t, services.MariaDB)
	return fmt.Sprintf("store: {driver: mysql, dsn: %q}", server.DSN(server.NewDatabase(t)))
}
