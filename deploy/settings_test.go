package deploy_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
)

// compose is what is read of compose.yaml.
type compose struct {
	Services map[string]struct {
		Image       string            `yaml:"image"`
		Command     []string          `yaml:"command"`
		Volumes     []string          `yaml:"volumes"`
		Environment map[string]string `yaml:"environment"`
		Ports       []string          `yaml:"ports"`
		DependsOn   []string          `yaml:"depends_on"`
	} `yaml:"services"`
}

// interpolated is a variable of the operator's in compose.yaml.
var interpolated = regexp.MustCompile(`\$\{(\w+)(:[-?][^}]*)?\}`)

// composed reads compose.yaml as it is where the operator has given what there is no default for.
func composed(t *testing.T) compose {
	t.Helper()
	var file compose
	text := interpolated.ReplaceAllStringFunc(string(read(t, "compose.yaml")), func(found string) string {
		name, rest := interpolated.FindStringSubmatch(found)[1], interpolated.FindStringSubmatch(found)[2]
		if fallback, ok := strings.CutPrefix(rest, ":-"); ok {
			return fallback
		}
		return map[string]string{"YANLINK_SSO_URL": "https://sso.example.com/check"}[name]
	})
	require.NoError(t, yaml.Unmarshal([]byte(text), &file))
	return file
}

// TestCompose_Settings finds a node whose variables the program does not know or does not accept.
func TestCompose_Settings(t *testing.T) {
	known := variables(t)
	ids := make(map[string]bool)
	for name, service := range composed(t).Services {
		if !strings.HasPrefix(name, "yanlink-") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for variable, value := range service.Environment {
				require.Contains(t, known, variable)
				t.Setenv(variable, value)
			}
			accepted(t, "")
			ids[service.Environment["YANLINK_NODE_ID"]] = true
		})
	}
	require.Len(t, ids, 3, "three nodes, each with a name of its own")
}

// TestCompose_Broker holds that the broker reads broker.conf: of a file that is not there, compose makes an empty folder.
func TestCompose_Broker(t *testing.T) {
	broker := composed(t).Services["broker"]
	at := slices.Index(broker.Command, "-c")
	require.GreaterOrEqual(t, at, 0)
	require.Contains(t, broker.Volumes, "./broker.conf:"+broker.Command[at+1]+":ro")
	require.Regexp(t, `(?m)^timerFlushIntervalMs=60000$`, string(read(t, "broker.conf")))
}

// accepted loads a configuration and returns it if the program would start with it.
func accepted(t *testing.T, file string) *configs.Config {
	t.Helper()
	cfg, err := configs.Load(file)
	require.NoError(t, err)
	require.NoError(t, app.Check(cfg))
	return cfg
}

// variables are those that the documentation of the configuration implies.
func variables(t *testing.T) (names []string) {
	t.Helper()
	for _, row := range regexp.MustCompile("(?m)^\\| `([\\w.]+)` \\|").FindAllStringSubmatch(string(read(t, "../docs/configuration.md")), -1) {
		names = append(names, variable(row[1]))
	}
	require.NotEmpty(t, names)
	return names
}

func variable(key string) string {
	return configs.EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// TestNginx_Nodes holds that the proxy knows the nodes of compose.yaml, and that compose starts them before it.
func TestNginx_Nodes(t *testing.T) {
	file := composed(t)
	var nodes []string
	for name := range file.Services {
		if strings.HasPrefix(name, "yanlink-") {
			nodes = append(nodes, name)
		}
	}
	slices.Sort(nodes)
	var upstream []string
	for _, line := range regexp.MustCompile(`(?m)^\s+server ([\w-]+):8084 `).FindAllStringSubmatch(string(read(t, "nginx.conf")), -1) {
		upstream = append(upstream, line[1])
	}
	require.Equal(t, nodes, upstream)
	require.Equal(t, nodes, file.Services["nginx"].DependsOn)
	for name, service := range file.Services {
		require.NotRegexp(t, `(:latest|^[^:]+)$`, service.Image, "%s names no version", name)
	}
}

// TestDockerfile_Settings finds variables in the image that the program does not know, and a compiler that is too old.
func TestDockerfile_Settings(t *testing.T) {
	text := string(read(t, "Dockerfile"))
	known := variables(t)
	for _, used := range regexp.MustCompile(`(YANLINK_\w+)=\S`).FindAllStringSubmatch(text, -1) {
		require.Contains(t, known, used[1])
	}
	needed := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(read(t, "../go.mod")))
	require.Contains(t, text, "golang:"+needed[1])
}

// TestDockerfile_Context holds that the image is built of all that the program is made of.
func TestDockerfile_Context(t *testing.T) {
	var included []string
	for _, line := range strings.Split(string(read(t, "Dockerfile.dockerignore")), "\n") {
		if path, ok := strings.CutPrefix(line, "!"); ok {
			included = append(included, path)
		}
	}
	const files = `{{if .Module}}{{if .Module.Main}}{{range .GoFiles}}{{$.Dir}}/{{.}}
{{end}}{{range .EmbedFiles}}{{$.Dir}}/{{.}}
{{end}}{{end}}{{end}}`
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "timetzdata,nomsgpack", "-f", files, ".")
	list.Dir = ".."
	out, err := list.Output()
	require.NoError(t, err)
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	for _, file := range strings.Fields(string(out)) {
		path, err := filepath.Rel(root, file)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(included, func(in string) bool {
			return path == in || strings.HasPrefix(filepath.ToSlash(path), in+"/")
		}), "%s is not in the context", path)
	}
	require.Contains(t, included, "go.mod")
	require.Contains(t, included, "go.sum")
}
