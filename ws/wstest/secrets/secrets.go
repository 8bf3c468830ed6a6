// Package secrets finds in logs what must never stand there: tokens, by how they are carried, and what a test has sent.
// The tests of every kind of run hold what was logged against it.
package secrets

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
)

// carried is a token on its way: a parameter or field of that name, a header, a subprotocol; and a signed one by its first
// bytes, which are those of a JSON object in base64.
var carried = regexp.MustCompile(`(?i)\b(token\\?"?[=:] *\\?"?[^\s"\\&,}]|bearer [\w-])|yanlink\.token\.|\beyJ[\w-]{16}`)

// Find returns what of a line is a token, or one of the known secrets; empty if nothing is.
func Find(line []byte, known ...string) string {
	for _, secret := range known {
		if bytes.Contains(line, []byte(secret)) {
			return secret
		}
	}
	return string(carried.Find(line))
}

// Check reads a log to its end. Its error names the lines that hold a secret, and shows the first.
func Check(log io.Reader, known ...string) error {
	count, first := 0, ""
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 4<<20)
	for n := 1; lines.Scan(); n++ {
		found := Find(lines.Bytes(), known...)
		if found == "" {
			continue
		}
		if count++; count == 1 {
			first = fmt.Sprintf("line %d, for %q: %s", n, found, lines.Text())
		}
	}
	if count > 0 {
		return fmt.Errorf("%d lines of the log hold a token or what was written; the first is %s", count, first)
	}
	return lines.Err()
}
