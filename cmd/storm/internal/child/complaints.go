package child

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
)

// alarming is what no kill excuses: an error of the server itself, a panic, a finding of the race detector.
var alarming = regexp.MustCompile(`level"?[=:]"?ERROR|\bpanic\b|^fatal error:|WARNING: DATA RACE`)

// complaintsShown bounds what is repeated of a log.
const complaintsShown = 5

// Complaints returns an error with the alarming lines of the server's log, if there are any.
func (s *Server) Complaints() error { return complaints(s.Log()) }

func complaints(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the server's log: %w", err)
	}
	defer func() { _ = file.Close() }()
	var first string
	count := 0
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !alarming.Match(lines.Bytes()) {
			continue
		}
		if count++; count <= complaintsShown {
			first += "\n" + lines.Text()
		}
	}
	if count > 0 {
		return fmt.Errorf("%d alarming lines in %s:%s", count, path, first)
	}
	return lines.Err()
}
