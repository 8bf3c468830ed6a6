package wstest_test

import (
	"testing"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestMemStore(t *testing.T) {
	wstest.Store(t, func(*testing.T) ws.Store { return wstest.NewMemStore() })
}
