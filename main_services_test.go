//go:build services

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
)

// What operators do with a database, in the order in which they do it.
func TestRun_Database(t *testing.T) {
	for driver, kind := range map[string]services.Kind{"mysql": services.MariaDB, "postgres": services.Postgres} {
		t.Run(driver, func(t *testing.T) {
			server := services.Shared(t, kind)
			file := filepath.Join(t.TempDir(), "yanlink.yaml")
			cluster := "\nregistry: {driver: redis, redis: {addrs: ['127.0.0.1:1']}}\nbus: {driver: rocketmq, rocketmq: {nameservers: ['127.0.0.1:1']}}\nnode: {advertise: '127.0.0.1:8084'}\n"
			text := fmt.Sprintf("store: {driver: %s, dsn: %q}", driver, server.DSN(server.NewDatabase(t)))
			require.NoError(t, os.WriteFile(file, []byte(text+cluster), 0o600))
			for _, step := range []struct {
				command string
				code    int
				out     string
			}{
				{"check-store", 1, "run yanlink migrate"},
				{"new-epoch", 1, "run yanlink migrate"},
				{"migrate", 0, "the ledger has format 3; the nodes can be started"},
				{"migrate", 0, "the ledger has format 3; the nodes can be started"},
				{"check-store", 0, "the database: format 3, epoch 1\n0 users"},
				{"new-epoch", 0, "the ledger in the database of store.dsn has epoch 2; the nodes can be started"},
				{"check-store", 0, "epoch 2"},
				{"check-store", 0, "the ledger holds every invariant"},
			} {
				var out bytes.Buffer
				require.Equal(t, step.code, run([]string{"-config", file, step.command}, &out, &out), "%s: %s", step.command, &out)
				require.Contains(t, out.String(), step.out, step.command)
				if step.code != 0 {
					require.Equal(t, 1, strings.Count(out.String(), "\n"), &out)
				}
			}
		})
	}
}
