package configs

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

//go:generate go test -run TestGenerated -update .

var update = flag.Bool("update", false, "write the example file and the table of docs/configuration.md anew")

const (
	exampleFile = "yanlink.example.yaml"
	tableFile   = "../docs/configuration.md"
)

func TestGenerated(t *testing.T) {
	for file, want := range map[string]string{exampleFile: example(), tableFile: table()} {
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(want), 0o600))
			require.NoError(t, os.Chmod(file, 0o644))
		}
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, want, string(got), "%s is stale; run go generate ./configs", file)
	}
}

func TestExample_IsEqualToTheDefaults(t *testing.T) {
	c, err := Load(exampleFile)
	require.NoError(t, err)
	require.Equal(t, Default(), c)
	for _, k := range keys(c) {
		last := k.name[strings.LastIndexByte(k.name, '.')+1:]
		require.Contains(t, string(Example), last+":", "the example lacks %s", k.name)
	}
}

// example writes every key with its default and, above it, what it means.
func example() string {
	var b strings.Builder
	b.WriteString("# Every setting of Yanlink with its default. A file needs only what differs.\n" +
		"# Durations have a unit: 500ms, 5s, 2m, 1h. Each key is also an environment variable: YANLINK_SERVER_LISTEN,\n" +
		"# lists as a,b or in JSON; keys marked (secret) also as YANLINK_…_FILE, which names a file that holds the value.\n")
	var open []string
	for _, k := range keys(Default()) {
		path := strings.Split(k.name, ".")
		open = writeSections(&b, open, path[:len(path)-1])
		indent := strings.Repeat("  ", len(path)-1)
		fmt.Fprintf(&b, "%s# %s%s\n", indent, k.doc, notes(&k))
		fmt.Fprintf(&b, "%s%s: %s\n", indent, path[len(path)-1], yaml(&k))
	}
	return b.String()
}

func writeSections(b *strings.Builder, open, sections []string) []string {
	for i, name := range sections {
		if i < len(open) && open[i] == name {
			continue
		}
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "%s%s:\n", strings.Repeat("  ", i), name)
		open = nil
	}
	return sections
}

func notes(k *key) string {
	switch {
	case k.secret:
		return " (secret)"
	case len(k.oneof) > 0:
		return " (" + strings.Join(k.oneof, " | ") + ")"
	case k.min != "" || k.max != "":
		return " (" + k.bounds() + ")"
	}
	return ""
}

func yaml(k *key) string {
	switch v := k.value.Interface().(type) {
	case time.Duration:
		return short(v)
	case string:
		if v == "" {
			return `""`
		}
		return fmt.Sprintf("%q", v)
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	case []ServiceKey:
		return "[]"
	default:
		return fmt.Sprint(v)
	}
}

// short writes 1m0s as 1m.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// table writes docs/configuration.md.
func table() string {
	var b strings.Builder
	b.WriteString(`# Configuration

Settings come from a file (` + "`yanlink -config FILE`" + `, YAML or JSON) and from the environment, which wins. Without either
everything runs in one process with the defaults below. ` + "`yanlink check-config FILE`" + ` says all that is wrong, at once.

- The variable of a key is its name in capitals with ` + "`.` as `_` and `YANLINK_`" + ` before it: ` + "`server.listen` is `YANLINK_SERVER_LISTEN`" + `.
- Lists are written with commas or in JSON: ` + "`YANLINK_SERVER_ORIGINS=https://a.example,https://b.example`" + `.
- A *secret* may also stand in a file: ` + "`YANLINK_AUTH_SERVICEKEYS_FILE=/run/secrets/keys`" + `.
- Durations have a unit (` + "`500ms`, `5s`, `2m`, `1h`" + `); sizes are whole numbers of bytes.
- Two sets of drivers work together: *single* (any store, registry and bus in memory; a database is leased by that node) and *cluster* (` + "`mysql` or `postgres`, `redis`, `rocketmq`" + `).
- An application that mounts the bundle reads a section of its own file with ` + "`configs.FromViper(v, \"yanlink\")`" + `.

The table is made from the structs in ` + "`configs/config.go`" + ` by ` + "`go generate ./configs`" + `.

| key | default | allowed | meaning |
|---|---|---|---|
`)
	for _, k := range keys(Default()) {
		allowed := strings.Trim(strings.ReplaceAll(notes(&k), "|", "or"), " ()")
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", k.name, yaml(&k), allowed, strings.ReplaceAll(strings.ReplaceAll(k.doc, "<", "&lt;"), "|", "\\|"))
	}
	return b.String()
}
