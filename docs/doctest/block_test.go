package doctest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the repository, from this folder.
const root = "../.."

// block is a fenced block of a page.
type block struct {
	page  string // below root
	line  int
	lang  string
	words map[string]string // behind the language; a bare word has no value
	text  string
}

func (b *block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

func (b *block) has(word string) bool {
	_, ok := b.words[word]
	return ok
}

// output says whether the block shows what the one before it prints.
func (b *block) output() bool {
	return b.lang == "json" && len(b.words) == 0 || b.lang == "text" && b.has("output")
}

var fence = regexp.MustCompile("^ *```(.*)$")

// blocks returns the blocks of a page, in order.
func blocks(t *testing.T, page string) []*block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	require.NoError(t, err)
	var found []*block
	var open *block
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		mark := fence.FindStringSubmatch(strings.TrimRight(line, "\n"))
		switch {
		case mark == nil && open != nil:
			open.text += line
		case mark != nil && open != nil:
			found, open = append(found, open), nil
		case mark != nil:
			open = &block{page: page, line: number}
			open.lang, open.words = info(mark[1])
		}
	}
	require.Nil(t, open, "%s: a block is not closed", page)
	return found
}

var word = regexp.MustCompile(`([\w-]+)(?:="([^"]*)"|=(\S+))?`)

// info reads what stands behind a fence.
func info(text string) (lang string, words map[string]string) {
	lang, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	words = make(map[string]string)
	for _, found := range word.FindAllStringSubmatch(rest, -1) {
		words[found[1]] = found[2] + found[3]
	}
	return lang, words
}

// pages returns every page of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "data"):
			return fs.SkipDir
		case strings.HasSuffix(name, ".md"):
			page, err := filepath.Rel(root, path)
			found = append(found, filepath.ToSlash(page))
			return err
		}
		return nil
	}))
	return found
}
