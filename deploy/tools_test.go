//go:build deploy

package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// program is where install.sh has put one.
func program(t *testing.T, name string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	return filepath.Join(cache, "yanlink-tools", "deploy", name)
}

// tool runs a program that install.sh has brought, in deploy/, and returns what it wrote.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program(t, name), args...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	require.NoError(t, cmd.Run(), "%s %v: %s%s", name, args, &out, &problems)
	return out.String()
}

func TestAlerts_Promtool(t *testing.T) {
	tool(t, "promtool", "check", "rules", "--lint-fatal", "prometheus/alerts.yaml")
	tool(t, "promtool", "test", "rules", "prometheus/alerts_test.yaml")
}

// TestNginx_Config lets nginx itself read the file. It looks up the nodes' names at once, which are compose's.
func TestNginx_Config(t *testing.T) {
	text := regexp.MustCompile(`server yanlink-\d:`).ReplaceAllString(string(read(t, "nginx.conf")), "server 127.0.0.1:")
	path := filepath.Join(t.TempDir(), "nginx.conf")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	tool(t, "nginx", "-t", "-q", "-c", path, "-e", "stderr")
}

// manifest is what is read of a rendered object.
type manifest struct {
	Kind string            `yaml:"kind"`
	Data map[string]string `yaml:"data"`
	Spec struct {
		Template struct {
			Spec struct {
				TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
				Containers                    []struct {
					Env []struct {
						Name  string `yaml:"name"`
						Value string `yaml:"value"`
					} `yaml:"env"`
				} `yaml:"containers"`
			} `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

// required are the values that an operator has to give.
var required = []string{
	"--set", "config.sso.url=https://sso.example.com/check", "--set", "config.registry.redis.addrs={redis:6379}",
	"--set", "config.bus.rocketmq.nameservers={namesrv:9876}", "--set", "secret.name=yanlink-secrets",
}

// rendered are the chart's objects by kind, with these values beside the required ones.
func rendered(t *testing.T, values ...string) map[string]manifest {
	t.Helper()
	args := append([]string{"template", "yanlink", "helm/yanlink", "--kube-version", "1.33.0"}, append(required, values...)...)
	decoder := yaml.NewDecoder(strings.NewReader(tool(t, "helm", args...)))
	objects := make(map[string]manifest)
	for {
		var object manifest
		if err := decoder.Decode(&object); err != nil {
			require.ErrorContains(t, err, "EOF")
			return objects
		}
		objects[object.Kind] = object
	}
}

func TestChart_Lint(t *testing.T) {
	tool(t, "helm", append([]string{"lint", "--strict", "helm/yanlink", "--kube-version", "1.33.0"}, required...)...)
}

// TestChart_Settings finds a setting that the program does not know or does not accept.
func TestChart_Settings(t *testing.T) {
	objects := rendered(t, "--set", `secret.keys.registry\.redis\.password=redis-password`)
	pod := objects["StatefulSet"].Spec.Template.Spec
	known := variables(t)
	for _, env := range pod.Containers[0].Env {
		if !strings.HasPrefix(env.Name, "YANLINK_") {
			continue
		}
		name, isFile := strings.CutSuffix(env.Name, "_FILE")
		require.Contains(t, known, name)
		switch {
		case isFile:
			env.Value = filepath.Join(t.TempDir(), "secret")
			require.NoError(t, os.WriteFile(env.Value, []byte("user:password@tcp(mariadb:3306)/yanlink\n"), 0o600))
		case env.Name == "YANLINK_NODE_ID":
			env.Value = "yanlink-0"
		default:
			env.Value = strings.ReplaceAll(env.Value, "$(POD_IP)", "10.0.0.7")
		}
		t.Setenv(env.Name, env.Value)
	}
	path := filepath.Join(t.TempDir(), "yanlink.yaml")
	require.NoError(t, os.WriteFile(path, []byte(objects["ConfigMap"].Data["yanlink.yaml"]), 0o600))
	cfg := accepted(t, path)
	require.Greater(t, pod.TerminationGracePeriodSeconds, int(cfg.Drain.Timeout.Seconds())+5, "5 s more for requests under way")
}

// TestChart_Parts renders everything that is off by default.
func TestChart_Parts(t *testing.T) {
	objects := rendered(t, "--set", "autoscaling.enabled=true,serviceMonitor.enabled=true,networkPolicy.enabled=true")
	for _, kind := range []string{
		"StatefulSet", "Service", "ConfigMap", "ServiceAccount", "PodDisruptionBudget",
		"HorizontalPodAutoscaler", "ServiceMonitor", "NetworkPolicy",
	} {
		require.Contains(t, objects, kind)
	}
	require.NotContains(t, objects, "Secret", "the operator's own is named")
}
