//go:build services

package sqlstore

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// What was written in another way than it should be, or not at all, is found.
func TestStore_Verify(t *testing.T) {
	onEach(t, func(t *testing.T, driverName string, server services.Instance) {
		s := mustOpen(t, fresh(t, driverName, server))
		var rows tuples
		for n := range chunkRows + 200 {
			rows.addUser(&ws.User{OpenID: fmt.Sprint("user ", n), Name: "名", Banned: n%2 == 0}, ws.Millis(n))
		}
		require.NoError(t, s.within(t.Context(), func(tx *transaction) error { return tx.put(users, &rows, fail) }))
		require.NoError(t, s.verify(t.Context(), users, &rows))
		for statement, found := range map[string]string{
			"UPDATE yanlink_users SET name = 'else' WHERE revoked_at = 650":       `"user 650" and 0 more`,
			"UPDATE yanlink_users SET banned = NOT banned WHERE revoked_at = 10":  `"user 10" and 0 more`,
			"DELETE FROM yanlink_users WHERE revoked_at = 30":                     `"user 30" and 0 more`,
			"UPDATE yanlink_users SET revoked_at = 1000000 WHERE revoked_at = 40": `"user 40" and 0 more`,
		} {
			t.Run(statement, func(t *testing.T) {
				_, err := s.db.ExecContext(t.Context(), statement)
				require.NoError(t, err)
				require.ErrorContains(t, s.verify(t.Context(), users, &rows), found)
				restore(t, s, &rows)
			})
		}
	})
}

func restore(t *testing.T, s *Store, rows *tuples) {
	require.NoError(t, s.within(t.Context(), func(tx *transaction) error { return tx.put(users, rows, change) }))
	require.NoError(t, s.verify(t.Context(), users, rows))
}
