package fault

import (
	"context"
	"fmt"
)

// Node is a process of the program under test.
type Node interface {
	Kill() error
	Start(ctx context.Context) error
	Freeze() error
	Thaw() error
}

// KillNode kills the n-th node, counted from 1, with SIGKILL, and starts it again.
func KillNode(n int, node Node) Fault {
	return Fault{
		Name: fmt.Sprintf("kill -9 of node %d", n), Node: n,
		Strike: func(context.Context) error { return node.Kill() },
		Mend:   node.Start,
	}
}

// FreezeNode stops the n-th node where it is, and lets it go on. Its sessions stay.
func FreezeNode(n int, node Node) Fault {
	return Fault{
		Name:   fmt.Sprintf("freeze of node %d", n),
		Strike: func(context.Context) error { return node.Freeze() },
		Mend:   func(context.Context) error { return node.Thaw() },
	}
}

// Server is a service that nodes talk to.
type Server interface {
	Kill() error
	Restart(ctx context.Context) error
	Freeze() error
	Thaw() error
}

// KillServer kills a service with SIGKILL, and starts it again on what it had stored.
func KillServer(name string, server Server) Fault {
	return Fault{
		Name:   "kill -9 of " + name,
		Strike: func(context.Context) error { return server.Kill() },
		Mend:   server.Restart,
	}
}

// FreezeServer stops a service where it is: connections stay, nothing is answered.
func FreezeServer(name string, server Server) Fault {
	return Fault{
		Name:   "freeze of " + name,
		Strike: func(context.Context) error { return server.Freeze() },
		Mend:   func(context.Context) error { return server.Thaw() },
	}
}

// Flush makes a service forget all it knows while it goes on.
func Flush(name string, flush func(ctx context.Context) error) Fault {
	return Fault{Name: "flush of " + name, Strike: flush, Mend: func(context.Context) error { return nil }}
}

// OfLedger says that nothing can be stored while the fault lasts.
func (f Fault) OfLedger() Fault {
	f.Ledger = true
	return f
}
