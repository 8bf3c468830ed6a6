package docs_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

//go:generate go test -run TestReference -update .

var update = flag.Bool("update", false, "write reference.md anew")

const referenceFile = "reference.md"

func TestReference(t *testing.T) {
	want := reference(t)
	if *update {
		require.NoError(t, os.WriteFile(referenceFile, []byte(want), 0o600))
		require.NoError(t, os.Chmod(referenceFile, 0o644))
	}
	got, err := os.ReadFile(referenceFile)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "docs/reference.md is stale; run go generate ./docs")
}

// TestReference_OtherPages holds pages that tell the same in their own order against the tables in the code.
func TestReference_OtherPages(t *testing.T) {
	wire, err := os.ReadFile("protocol.md")
	require.NoError(t, err)
	for _, c := range protocol.Closes() {
		require.Regexp(t, fmt.Sprintf(`(?m)^\| ([\d, ]*, )?%d(, [\d, ]*)? \| .* \| %s \|$`, c.Code, regexp.QuoteMeta(c.Client)), string(wire), "protocol.md")
	}
	for _, code := range protocol.Codes() {
		require.Regexp(t, fmt.Sprintf("(?m)^\\| .*`%s`.* \\| %d \\| ", code, code.Status()), string(wire), "protocol.md")
	}
	operations, err := os.ReadFile("operations.md")
	require.NoError(t, err)
	events, err := os.ReadFile("events.md")
	require.NoError(t, err)
	for _, m := range metrics(t) {
		require.Regexp(t, "(?m)^\\| `"+m.name+"[`{]", string(operations)+string(events), "neither operations.md nor events.md has %s", m.name)
	}
	for _, e := range outgoing() {
		require.Contains(t, string(events), fmt.Sprintf("| `%s` | `%s` | %s |", e.Name, e.Topic, e.Key), "events.md")
	}
}

// reference writes docs/reference.md.
func reference(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`# Reference

Made from the code by ` + "`go generate ./docs`" + `; a test fails while it is stale. Keys of the configuration:
[configuration.md](configuration.md); calls of the REST interface: [openapi.yaml](openapi.yaml).

## Frames

What each is for, with an example: [protocol.md](protocol.md). *Request*: from the client. *Reply*: from the server, ` + "`params`" + ` at the
top. *Envelope*: from the server, around a record or a notice. A request that fails is answered by 500. Fields of a request that do not stand here are ignored,
such as the ` + "`from`" + ` that old clients put into an acknowledgement.

| type | name | | params |
|---|---|---|---|
`)
	for _, f := range protocol.Frames() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(f.Wire()), f.Name, [...]string{"request", "reply", "envelope"}[f.Layout], code(f.Fields...))
	}
	b.WriteString(`
## Error codes

The same in frame 500 and by REST. *Again*: the same request may succeed later.

| code | status | again | meaning |
|---|---|---|---|
`)
	for _, c := range protocol.Codes() {
		fmt.Fprintf(&b, "| %s | %d | %s | %s |\n", code(string(c)), c.Status(), yes(c.Temporary()), c.Meaning())
	}
	b.WriteString(`
## Close codes

| code | meaning | the client |
|---|---|---|
`)
	for _, c := range protocol.Closes() {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", c.Code, c.Meaning, c.Client)
	}
	b.WriteString(`
## Events

For other systems, by RocketMQ or an ` + "`app.WithEventSink`" + `; what is promised of them: [events.md](events.md). Fields that do not apply
are absent; ` + "`message`, the text, is there only with `events.bodies`" + `.

| event | topic | key | raised | fields |
|---|---|---|---|---|
`)
	for _, e := range outgoing() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code(e.Name), code(e.Topic), e.Key, e.Raised, code(e.Fields...))
	}
	b.WriteString(`
## Metrics

On ` + "`server.admin`, at `/metrics`" + `, beside those of Go and of the process. What to worry about: [operations.md](operations.md).

| metric | kind | labels | meaning |
|---|---|---|---|
`)
	for _, m := range metrics(t) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(m.name), m.kind, code(m.labels...), m.help)
	}
	return b.String()
}

func outgoing() []ws.EventInfo {
	return ws.OutgoingEvents(ws.EventTopics{
		Message: rocketbus.TopicMessage, Receipt: rocketbus.TopicReceipt, Offline: rocketbus.TopicOffline,
	})
}

func code(words ...string) string {
	if len(words) == 0 {
		return ""
	}
	return "`" + strings.Join(words, "`, `") + "`"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// metric describes what the program exports.
type metric struct {
	name, kind, help string
	labels           []string
}

// metrics asks a bundle for all that it registers.
func metrics(t *testing.T) []metric {
	t.Helper()
	cfg := configs.Default()
	cfg.Store.Dir = t.TempDir()
	seen := &listener{Registerer: prometheus.NewRegistry()}
	bundle, err := app.New(cfg, app.WithDevSSO(), app.WithRegisterer(seen))
	require.NoError(t, err)
	defer func() { require.NoError(t, bundle.Stop(context.Background())) }()
	var found []metric
	for _, c := range seen.collectors {
		found = append(found, described(t, c)...)
	}
	slices.SortFunc(found, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	return found
}

// listener is a registerer that remembers what was registered.
type listener struct {
	prometheus.Registerer
	collectors []prometheus.Collector
}

func (l *listener) Register(c prometheus.Collector) error {
	l.collectors = append(l.collectors, c)
	return l.Registerer.Register(c)
}

var description = regexp.MustCompile(`fqName: "(\w+)", help: "(.*?)", (?:unit|constLabels): .*variableLabels: \{([\w,]*)\}`)

func described(t *testing.T, c prometheus.Collector) []metric {
	t.Helper()
	all := make(chan *prometheus.Desc, 16)
	c.Describe(all)
	close(all)
	var found []metric
	for d := range all {
		parts := description.FindStringSubmatch(d.String())
		require.NotNil(t, parts, d)
		m := metric{name: parts[1], kind: kind(c), help: strings.ReplaceAll(parts[2], "|", "\\|")}
		if parts[3] != "" {
			m.labels = strings.Split(parts[3], ",")
		}
		found = append(found, m)
	}
	return found
}

func kind(c prometheus.Collector) string {
	switch c.(type) {
	case *prometheus.HistogramVec, prometheus.Histogram:
		return "histogram"
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.GaugeVec, prometheus.Gauge:
		return "gauge"
	case prometheus.Counter:
		return "counter"
	default: // of our own: what is asked for at the moment
		return "gauge"
	}
}
