package tempest

import (
	"slices"
	"strings"
	"sync"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// under is what is wrong right now, for the progress line.
type under struct {
	mu    sync.Mutex
	names []string
}

func (u *under) note(kind history.Kind, name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch kind {
	case history.Struck:
		u.names = append(u.names, name)
	case history.Mended:
		if i := slices.Index(u.names, name); i >= 0 {
			u.names = slices.Delete(u.names, i, i+1)
		}
	}
}

// list returns the names in brackets, or nothing.
func (u *under) list() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.names) == 0 {
		return ""
	}
	return "  [" + strings.Join(u.names, ", ") + "]"
}
