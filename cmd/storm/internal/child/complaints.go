package child

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/yanlink/yanlink/ws/wstest/secrets"
)

// alarming is what no kill excuses: an error of the server itself, a panic, a finding of the race detector.
var alarming = regexp.MustCompile(`level"?[=:]"?ERROR|\bpanic\b|^fatal error:|WARNING: DATA RACE`)

// complaintsShown bounds what is repeated of a log.
const complaintsShown = 5

// Complaints returns an error with the alarming lines of the server's log and those that hold a secret, if there are any.
func (s *Server) Complaints() error { return errors.Join(complaints(s.Log()), s.Leaks()) }

// BodyMark opens the text of each message of a storm, which no log may hold.
const BodyMark = "«"

// Leaks returns an error if the server's log holds a token, or one of known, or a storm's message.
func (s *Server) Leaks(known ...string) error { return leaks(s.Log(), append(known, BodyMark)...) }

func leaks(path string, known ...string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the server's log: %w", err)
	}
	defer func() { _ = file.Close() }()
	return secrets.Check(file, known...)
}

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
