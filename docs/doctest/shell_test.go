package doctest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/freeport"
)

// patience bounds a page; nothing is asserted of how long it took.
const patience = 5 * time.Minute

// runShell writes the files of a page and runs its commands, as somebody would who follows it: in one shell, from its
// top to its end.
func runShell(t *testing.T, found []*block) {
	t.Helper()
	if len(found) == 0 {
		return
	}
	script, marks := scriptOf(found)
	moved := freeAddresses(t, within.Replace(script))
	dir := t.TempDir()
	if slices.ContainsFunc(found, func(b *block) bool { return b.has("needs") }) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "cluster.yaml"), []byte(databaseConfig(t)), 0o600))
	}
	printed := execute(t, dir, moved)
	require.FileExists(t, filepath.Join(dir, reached), "%s: the page did not come to its end", found[0].page)
	for i, b := range found {
		if b.output() {
			compare(t, b, between(printed, marks[i]))
		}
	}
}

// reached is the file that the script leaves at its end.
const reached = ".end"

// scriptOf makes one script of a page's blocks, and says at which mark each block's output ends.
func scriptOf(found []*block) (script string, marks []string) {
	var b strings.Builder
	b.WriteString(prelude + prepared[found[0].page])
	mark := ""
	for i, block := range found {
		switch {
		case block.output():
		case block.has("file"):
			fmt.Fprintf(&b, "cat > '%s' <<'@@@'\n%s@@@\n", block.words["file"], block.text)
		default:
			mark = fmt.Sprintf("@@@ %d @@@", i)
			fmt.Fprintf(&b, "%s\nprintf '\\n%s\\n'\n", block.text, mark)
		}
		marks = append(marks, mark)
	}
	b.WriteString("touch \"$DOCTEST_HOME/" + reached + "\"\n")
	return b.String(), marks
}

// prelude makes a page fail where a reader would stop: at a command that fails, an answer that is a refusal. What asks
// for the status of a refusal by -w wants it.
const prelude = `set -euo pipefail
set -m
trap 'trap - EXIT; jobs -p | xargs -r -I{} kill -9 -- -{} 2>/dev/null || true' EXIT
curl() {
	case " $* " in
	*" -w "*) command curl "$@" ;;
	*) command curl --fail-with-body "$@" ;;
	esac
}
`

// execute runs a script in a folder and returns what it printed.
func execute(t *testing.T, dir, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DOCTEST_HOME="+dir, "PATH="+programs(t)+":"+os.Getenv("PATH"), "REAL_GO="+realGo(t), "GIN_MODE=release",
		"GOFLAGS="+os.Getenv("GOFLAGS")+" "+quickLink)
	// What the page leaves running goes with its shell.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	require.NoError(t, err, "it printed:\n%s\nand said:\n%s", &out, &errs)
	return out.String()
}

func realGo(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("go")
	require.NoError(t, err)
	return path
}

// programs returns the folder with what pages call by name: the program itself, built once, and a go that knows that
// the module of a page means this checkout.
func programs(t *testing.T) string {
	t.Helper()
	dir, err := built()
	require.NoError(t, err)
	return dir
}

// quickLink leaves out what only a debugger reads.
const quickLink = "-ldflags=-w"

// builtDir is the folder that the end has to remove; empty while there is none.
var builtDir string

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "doctest")
	if err != nil {
		return "", err
	}
	builtDir = dir
	checkout, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(fmt.Sprintf(goShim, checkout)), 0o700); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", quickLink, "-o", filepath.Join(dir, "yanlink"), ".")
	cmd.Dir = checkout
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, said)
	}
	return dir, nil
})

// goShim is go, but for two things: a new module takes this one from the checkout instead of the network, with the
// versions that are tested here; and tidy goes on where it cannot fetch the tests of dependencies.
const goShim = `#!/bin/sh
set -eu
case "${1:-} ${2:-}" in
"mod init")
	cp %[1]q/go.mod %[1]q/go.sum .
	exec "$REAL_GO" mod edit -module "$3" -require github.com/yanlink/yanlink@v0.0.0 -replace github.com/yanlink/yanlink=%[1]q ;;
"mod tidy") exec "$REAL_GO" mod tidy -e ;;
*) exec "$REAL_GO" "$@" ;;
esac
`

func TestMain(m *testing.M) {
	if err := os.Setenv("CGO_ENABLED", "0"); err != nil { // what pages build is built as what is released
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(builtDir)
	os.Exit(code)
}

var loopback = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// freeAddresses gives each address of a text a free port.
func freeAddresses(t *testing.T, text string) string {
	t.Helper()
	ports := make(map[string]string)
	return loopback.ReplaceAllStringFunc(text, func(address string) string {
		if ports[address] == "" {
			free, err := freeport.Address()
			require.NoError(t, err)
			ports[address] = free
		}
		return ports[address]
	})
}

var anyMark = regexp.MustCompile(`\n@@@ \d+ @@@\n`)

// between returns what was printed since the mark before this one.
func between(printed, mark string) string {
	before, _, _ := strings.Cut(printed, "\n"+mark+"\n")
	if last := anyMark.FindAllStringIndex(before, -1); last != nil {
		before = before[last[len(last)-1][1]:]
	}
	return before
}

// compare holds a block against what was printed.
func compare(t *testing.T, b *block, printed string) {
	t.Helper()
	if b.lang == "json" {
		compareJSON(t, b, printed)
		return
	}
	for line := range strings.Lines(b.text) {
		parts := strings.Split(strings.TrimSpace(line), "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		require.Regexp(t, strings.Join(parts, ".*"), printed, b)
	}
}

// compareJSON holds a block against the last JSON object that was printed.
func compareJSON(t *testing.T, b *block, printed string) {
	t.Helper()
	var want any
	require.NoError(t, json.Unmarshal([]byte(b.text), &want), b)
	var got any
	for rest := printed; ; {
		start := strings.IndexByte(rest, '{')
		if start < 0 {
			break
		}
		decoder := json.NewDecoder(strings.NewReader(rest[start:]))
		var value any
		if decoder.Decode(&value) != nil {
			rest = rest[start+1:]
			continue
		}
		got, rest = value, rest[start+int(decoder.InputOffset()):]
	}
	require.NotNil(t, got, "%s: no JSON was printed:\n%s", b, printed)
	require.Equal(t, settled(want), settled(got), "%s: %s", b, printed)
}

// settled puts one word for what differs each time: identifiers of requests, times, tokens.
func settled(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			switch name {
			case "requestId", "expiresAt", "expiresIn", "token", "at", "date":
				v[name] = "differs"
			default:
				v[name] = settled(v[name])
			}
		}
	case []any:
		for i := range v {
			v[i] = settled(v[i])
		}
	}
	return value
}
