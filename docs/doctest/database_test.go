//go:build !services

package doctest

import "testing"

// haveDatabase says whether blocks that need a database are run.
const haveDatabase = false

func databaseConfig(t *testing.T) string {
	t.Helper()
	t.Fatal("there is no database")
	return ""
}
