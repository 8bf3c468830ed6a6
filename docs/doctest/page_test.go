package doctest

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notRun is how many blocks are marked with norun. Each has its reason beside it; a new one belongs here too.
const notRun = 11

// needy is how many blocks need a database. They are run where the tests have services, and nowhere else.
const needy = 1

// exampleTests are pages whose named JSON examples are run where their encoders are, each with the test that does so.
var exampleTests = map[string]string{
	"docs/protocol.md": "ws/protocol/docs_test.go",
	"docs/events.md":   "ws/docs_test.go",
}

func TestPages(t *testing.T) {
	left, needing := 0, 0
	for _, page := range pages(t) {
		found := blocks(t, page)
		for _, b := range found {
			if b.has("norun") {
				t.Logf("not run: %s: %s", b, b.words["norun"])
				left++
			}
			if b.has("needs") {
				needing++
			}
		}
		if len(found) > 0 {
			t.Run(strings.ReplaceAll(page, "/", ":"), func(t *testing.T) {
				t.Parallel()
				runPage(t, found)
			})
		}
	}
	require.Equal(t, notRun, left, "blocks that are not run")
	require.Equal(t, needy, needing, "blocks that need a database")
}

// runPage runs the blocks of a page. Shell and files come at the end, together: they build on one another.
func runPage(t *testing.T, found []*block) {
	var shell []*block
	var printer *block // the last that prints something
	for _, b := range found {
		if b.lang == "sh" {
			printer = b
		}
		switch {
		case b.output():
			require.NotNil(t, printer, "%s: it is the output of nothing", b)
			if !printer.has("norun") {
				shell = append(shell, b)
			}
		case b.has("norun"):
			require.Equal(t, "sh", b.lang, b)
			require.NotEmpty(t, b.words["norun"], "%s: norun needs a reason", b)
			checkNames(t, b)
		case b.lang == "sh" && b.words["needs"] == "database" && !haveDatabase:
			checkNames(t, b)
		case b.lang == "sh":
			shell = append(shell, b)
		case b.lang == "go" && b.has("file"):
			if strings.HasPrefix(b.text, "package main\n") {
				require.True(t, slices.ContainsFunc(found, builds), "%s: a program that its page does not build", b)
			} else {
				vet(t, b, b.text)
			}
			shell = append(shell, b)
		case b.lang == "go" && b.has("in"):
			vet(t, b, surrounded(t, b))
		case b.lang == "yaml":
			loadConfig(t, b)
			if b.has("file") {
				shell = append(shell, b)
			}
		case b.lang == "html" && b.has("file"):
			checkScript(t, b)
			shell = append(shell, b)
		case b.lang == "js":
			runScript(t, b)
		case b.lang == "json":
			checkExample(t, b)
		default:
			require.Equal(t, "text", b.lang, "%s: a block that nobody runs", b)
		}
	}
	runShell(t, shell)
}

// builds says whether a block builds a program.
func builds(b *block) bool { return b.lang == "sh" && strings.Contains(b.text, "go build") }

// checkExample holds that a named example is of a page whose examples are run.
func checkExample(t *testing.T, b *block) {
	t.Helper()
	file, ok := exampleTests[b.page]
	require.True(t, ok, "%s: an example that nobody runs", b)
	text, err := os.ReadFile(path.Join(root, file))
	require.NoError(t, err)
	require.Contains(t, string(text), path.Base(b.page), "%s does not read the page of %s", file, b)
}

var (
	target = regexp.MustCompile(`(?m)^make ([a-z][a-z0-9-]*)`)
	folder = regexp.MustCompile(`\s\./([a-z][\w/-]*)`)
)

// checkNames holds that what is not run is at least there: targets of the Makefile, folders.
func checkNames(t *testing.T, b *block) {
	t.Helper()
	makefile, err := os.ReadFile(path.Join(root, "Makefile"))
	require.NoError(t, err)
	for _, found := range target.FindAllStringSubmatch(b.text, -1) {
		require.Contains(t, string(makefile), "\n"+found[1]+":", "%s: make has no such target", b)
	}
	for _, found := range folder.FindAllStringSubmatch(b.text, -1) {
		if found[1] != "data" {
			require.DirExists(t, path.Join(root, found[1]), b)
		}
	}
}
