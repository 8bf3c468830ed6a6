package configs

import (
	"fmt"
	"strings"
)

// Problems is everything that is wrong with a configuration, one entry each: the key, what is wrong, and what would be
// right.
type Problems []string

// Error lists the problems: one in the same line, several one a line.
func (p Problems) Error() string {
	if len(p) == 1 {
		return "the configuration is wrong: " + p[0]
	}
	return fmt.Sprintf("the configuration has %d problems:\n  %s", len(p), strings.Join(p, "\n  "))
}

// add notes a problem of a key.
func (p *Problems) add(key, format string, args ...any) {
	*p = append(*p, key+": "+fmt.Sprintf(format, args...))
}

// err returns p as an error, or nil if there is nothing in it.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
