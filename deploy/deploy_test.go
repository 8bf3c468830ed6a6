package deploy_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws"
)

// alerts is what is read of prometheus/alerts.yaml.
type alerts struct {
	Groups []struct {
		Rules []rule `yaml:"rules"`
	} `yaml:"groups"`
}

type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func rules(t *testing.T) (list []rule) {
	t.Helper()
	var file alerts
	require.NoError(t, yaml.Unmarshal(read(t, "prometheus/alerts.yaml"), &file))
	for _, group := range file.Groups {
		list = append(list, group.Rules...)
	}
	require.NotEmpty(t, list)
	return list
}

// queries returns every PromQL expression of the dashboard, by the title of its panel.
func queries(t *testing.T) map[string][]string {
	t.Helper()
	var board struct {
		Panels []struct {
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	require.NoError(t, json.Unmarshal(read(t, "grafana/dashboard.json"), &board))
	found := make(map[string][]string)
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			found[panel.Title] = append(found[panel.Title], target.Expr)
		}
	}
	require.NotEmpty(t, found)
	return found
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(path))
	require.NoError(t, err)
	return text
}

func TestAlerts_Metrics(t *testing.T) {
	known := exported(t)
	for _, rule := range rules(t) {
		known.check(t, rule.Alert, rule.Expr)
	}
}

func TestDashboard_Metrics(t *testing.T) {
	known := exported(t)
	for title, exprs := range queries(t) {
		for _, expr := range exprs {
			known.check(t, title, expr)
		}
	}
}

// TestAlerts_Runbook finds that whoever is woken has a page to read, and that no page is about an alert that is gone.
func TestAlerts_Runbook(t *testing.T) {
	described := make(map[string]bool)
	for _, heading := range regexp.MustCompile(`(?m)^#+ (Yanlink\w+)$`).FindAllStringSubmatch(string(read(t, "../docs/operations.md")), -1) {
		described[heading[1]] = true
	}
	for _, rule := range rules(t) {
		require.Contains(t, described, rule.Alert, "docs/operations.md has a part named after the alert")
		require.Equal(t, "docs/operations.md#"+strings.ToLower(rule.Alert), rule.Annotations["runbook"])
		require.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
		require.Contains(t, []string{"page", "ticket"}, rule.Labels["severity"], rule.Alert)
		delete(described, rule.Alert)
	}
	require.Empty(t, described, "no alert has this name")
}

// metrics are the labels of each metric that the program exports.
type metrics map[string][]string

// exported asks a bundle for all its metrics: also for those that show nothing before something has happened.
func exported(t *testing.T) metrics {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	cfg := configs.Default()
	cfg.Store.Dir = t.TempDir()
	bundle, err := app.New(cfg, app.WithAuthenticator(nobody{}), app.WithRegisterer(registry))
	require.NoError(t, err)
	defer func() { require.NoError(t, bundle.Stop(context.Background())) }()
	descriptions := make(chan *prometheus.Desc)
	go func() {
		registry.Describe(descriptions)
		close(descriptions)
	}()
	found := make(metrics)
	pattern := regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([\w,]*)\}`)
	for description := range descriptions {
		parts := pattern.FindStringSubmatch(description.String())
		require.NotNil(t, parts, description)
		found[parts[1]] = strings.Split(parts[2], ",")
	}
	return found
}

// nobody is an authenticator that lets nobody in.
type nobody struct{}

func (nobody) Authenticate(context.Context, ws.Credentials) (ws.Identity, error) {
	return ws.Identity{}, ws.ErrInvalidToken
}

var (
	metricName = regexp.MustCompile(`\b((?:yanlink|go|process)_\w+?)(_bucket|_sum|_count)?(?:\{([^}]*)\}|\W|$)`)
	labelName  = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`)
	grouping   = regexp.MustCompile(`\b(?:by|on) \(([^)]*)\)`)
	// given are the labels that Prometheus adds, and that of a histogram's buckets.
	given = []string{"job", "instance", "le"}
)

// check finds what an expression asks for and the program does not export.
func (m metrics) check(t *testing.T, where, expr string) {
	t.Helper()
	grouped := slices.Clone(given)
	for _, used := range metricName.FindAllStringSubmatch(expr, -1) {
		name, suffix := used[1], used[2]
		labels, known := m[name]
		if !known {
			labels, known = m[name+suffix] // a gauge whose name ends like a histogram's series
		}
		require.True(t, known, "%s asks for %s, which the program does not export", where, name+suffix)
		for _, label := range labelName.FindAllStringSubmatch(used[3], -1) {
			require.True(t, slices.Contains(labels, label[1]) || slices.Contains(given, label[1]),
				"%s asks for label %s of %s, which has %v", where, label[1], name, labels)
		}
		grouped = append(grouped, labels...)
	}
	for _, list := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(list[1], ",") {
			require.Contains(t, grouped, strings.TrimSpace(label), "%s groups by a label that nothing in it has", where)
		}
	}
}
