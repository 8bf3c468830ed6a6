package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/yanlink/yanlink/ws"
)

// secretFormat is the first format in which a ledger has a secret.
const secretFormat = 3

// makeSecret gives the ledger its secret, unless the same migration did before it was cut short. The caller has the
// migrations' lock, so that nodes which start at the same time agree.
func (s *Store) makeSecret(ctx context.Context, conn *sql.Conn) error {
	secret := ws.NewSecret()
	_, err := conn.ExecContext(ctx, s.dialect.bind("UPDATE yanlink_ledger SET secret = ? WHERE secret IS NULL"), secret[:])
	return err
}

// readSecret returns the secret, which a ledger of this format has.
func (s *Store) readSecret(ctx context.Context) (secret ws.Secret, err error) {
	var found []byte
	rows, err := s.db.QueryContext(ctx, "SELECT secret FROM yanlink_ledger")
	err = each(rows, err, func(rows scanner) error { return rows.Scan(&found) })
	if err == nil && len(found) != len(secret) {
		err = fmt.Errorf("the ledger's secret has %d bytes in place of %d: restore yanlink_ledger, or, with all nodes down, put %[2]d random bytes there",
			len(found), len(secret))
	}
	copy(secret[:], found)
	return secret, err
}
