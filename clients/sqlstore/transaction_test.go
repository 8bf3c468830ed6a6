//go:build services

package sqlstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
)

// A statement that fails in the middle of what was queued fails the whole, also where they all go in one trip.
func TestTransaction_QueuedFails(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		s := mustOpen(t, fresh(t, driver, server))
		err := s.within(t.Context(), func(tx *transaction) error {
			for _, statement := range []string{
				"UPDATE yanlink_counters SET next_id = 1000",
				"INSERT INTO yanlink_counters (name, next_id) SELECT name, next_id FROM yanlink_counters",
				"UPDATE yanlink_counters SET next_id = 2000",
			} {
				if err := tx.exec(statement); err != nil {
					return err
				}
			}
			return nil
		})
		require.Error(t, err)
		var first, next uint64
		require.NoError(t, s.within(t.Context(), func(tx *transaction) (err error) {
			first, err = tx.take("conversation", 1)
			return err
		}))
		require.Less(t, first, uint64(1000))
		require.NoError(t, s.within(t.Context(), func(tx *transaction) (err error) {
			next, err = tx.take("conversation", 0)
			return err
		}))
		require.Equal(t, first+1, next, "what is queued when a transaction is committed is part of it")
	})
}
