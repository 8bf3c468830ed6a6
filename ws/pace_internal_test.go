package ws

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPaces(t *testing.T) {
	limits := paceLimits{perSecond: 1e-6, burst: 2}
	used := func() pace {
		p := limits.pace()
		p.frames.Allow()
		return p
	}
	ps := make(paces)
	ps.keep(DeviceRef{"rose", "web"}, limits.pace())
	require.Empty(t, ps, "of one that has used nothing there is nothing to keep")
	ps.keep(DeviceRef{"rose", "web"}, paceLimits{}.pace())
	require.Empty(t, ps, "nor where there is no limit")

	ps[DeviceRef{"jack", "web"}] = limits.pace() // full again
	for i := range maxPaces {
		ps.keep(DeviceRef{"rose", strconv.Itoa(i)}, used())
	}
	require.Len(t, ps, maxPaces*3/4+1, "the last one found it full, and has room made for others too")
	require.NotContains(t, ps, DeviceRef{"jack", "web"}, "what is full again goes first")
	ps.keep(DeviceRef{"rose", "0"}, used())
	require.Contains(t, ps, DeviceRef{"rose", "0"})
	for i := range 2 * maxPaces {
		ps.keep(DeviceRef{"eve", strconv.Itoa(i)}, used())
		require.LessOrEqual(t, len(ps), maxPaces, "never more")
	}
}
