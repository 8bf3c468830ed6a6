package app

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBundle_Serves(t *testing.T) {
	for base, paths := range map[string]map[string]bool{
		"":                {"/ws": true, "/ws/": true, "//ws": true, "/api/v1/me": true, "/api/v2/me": false, "/api": false, "/reset": false, "/": false},
		"/im":             {"/im": true, "/im/": true, "/im/ws": true, "/im/anything": true, "/imp/ws": false, "/ws": false},
		"/t/:tenant/im":   {"/t/acme/im/ws": true, "/t/acme": false, "/t/acme/shop": false},
		"/:tenant":        {"/acme/ws": true, "/acme/api/v1/me": true, "/acme": false, "/acme/reset": false},
		"/deep/*anything": {"/deep": true, "/deep/down/ws": true, "/ws": false},
	} {
		b := &Bundle{}
		require.True(t, b.serves("/anything"), "nobody knows where it is mounted")
		b.noteBase(base)
		for path, want := range paths {
			require.Equal(t, want, b.serves(path), "%q below %q", path, base)
		}
	}
	b := &Bundle{}
	b.noteBase("/im")
	b.noteBase("/other")
	require.True(t, b.serves("/im/ws") && b.serves("/other/ws"))
}
