package measure_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
)

func TestLatency_Summary(t *testing.T) {
	l := measure.NewLatency()
	for ms := 1; ms <= 1000; ms++ {
		l.Record(time.Duration(ms) * time.Millisecond)
	}
	s := l.Summary()
	require.EqualValues(t, 1000, s.Count)
	for _, at := range []struct{ want, got float64 }{{500, s.P50}, {900, s.P90}, {990, s.P99}, {999, s.P999}, {1000, s.Max}, {500.5, s.Mean}} {
		require.InEpsilon(t, at.want, at.got, 0.002)
	}
}

func TestLatency_Bounds(t *testing.T) {
	l := measure.NewLatency()
	l.Record(-time.Second)
	l.Record(time.Hour)
	s := l.Summary()
	require.EqualValues(t, 2, s.Count)
	require.InDelta(t, 0.001, s.P50, 0.0001)
	require.InEpsilon(t, 120_000, s.Max, 0.002)
}

func TestLatency_Merge(t *testing.T) {
	a, b := measure.NewLatency(), measure.NewLatency()
	for range 99 {
		a.Record(time.Millisecond)
	}
	b.Record(time.Second)
	a.Merge(b)
	s := a.Summary()
	require.EqualValues(t, 100, s.Count)
	require.InEpsilon(t, 1, s.P99, 0.002)
	require.InEpsilon(t, 1000, s.Max, 0.002)
	require.EqualValues(t, 1, b.Summary().Count)
}

func TestMeter_SeesWhatAProcessSpends(t *testing.T) {
	meter, err := measure.NewMeter([]int{os.Getpid()}, nil)
	require.NoError(t, err)
	own, err := measure.OwnCPU()
	require.NoError(t, err)
	sum := 0
	for spent := own; spent < own+200*time.Millisecond; {
		for i := range 1 << 20 {
			sum += i * sum
		}
		spent, err = measure.OwnCPU()
		require.NoError(t, err)
	}
	u, err := meter.Usage()
	require.NoError(t, err)
	require.Zero(t, sum)
	require.GreaterOrEqual(t, u.Own, 200*time.Millisecond)
	require.GreaterOrEqual(t, u.Server, 150*time.Millisecond) // read in ticks of 10 ms
	require.Positive(t, u.Wall)
	require.InDelta(t, float64(u.Own), float64(u.Server), float64(80*time.Millisecond))
}

func TestMeter_SeesWhatChildrenSpend(t *testing.T) {
	pid := os.Getpid()
	meter, err := measure.NewMeter([]int{pid}, []int{pid})
	require.NoError(t, err)
	const loop = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
	require.NoError(t, exec.Command("sh", "-c", loop).Run()) // one that has ended
	living := exec.Command("sh", "-c", loop+"; read wait; true")
	stdin, err := living.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, living.Start())
	defer func() { require.NoError(t, errors.Join(stdin.Close(), living.Wait())) }()
	var last time.Duration
	require.Eventually(t, func() bool { // until it only waits
		now, err := measure.CPU(living.Process.Pid)
		require.NoError(t, err)
		idle := now == last && now > 0
		last = now
		return idle
	}, time.Minute, 100*time.Millisecond)
	u, err := meter.Usage()
	require.NoError(t, err)
	require.GreaterOrEqual(t, u.Services, u.Server+last+last/2)
}

func TestMeter_UnknownProcess(t *testing.T) {
	_, err := measure.NewMeter([]int{1 << 30}, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = measure.RSS(1 << 30)
	require.ErrorIs(t, err, os.ErrNotExist)
	meter, err := measure.NewMeter(nil, nil)
	require.NoError(t, err)
	u, err := meter.Usage()
	require.NoError(t, err)
	require.Zero(t, u.Server)
	require.Zero(t, u.Foreign)
}

func TestRSS(t *testing.T) {
	before, err := measure.RSS(os.Getpid())
	require.NoError(t, err)
	held := make([]byte, 64<<20)
	for i := 0; i < len(held); i += 1 << 10 {
		held[i] = 1
	}
	after, err := measure.RSS(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, after-before, int64(len(held))/2)
	require.EqualValues(t, 1, held[0])
}

func TestUsage(t *testing.T) {
	u := measure.Usage{Wall: time.Second, Server: 2, Own: 3, Foreign: 4}
	require.Equal(t, measure.Usage{Wall: 2 * time.Second, Server: 4, Own: 6, Foreign: 8}, u.Add(u))
	require.Zero(t, measure.Usage{}.Share(time.Second))
	require.InEpsilon(t, 2*u.Share(time.Second), u.Share(2*time.Second), 1e-9)
}

func TestTimer_IsNeverEarly(t *testing.T) {
	timer, err := measure.NewTimer()
	require.NoError(t, err)
	defer timer.Stop()
	for _, wait := range []time.Duration{0, -time.Second, time.Microsecond, 300 * time.Microsecond, 3 * time.Millisecond} {
		began := time.Now()
		require.NoError(t, timer.Wait(wait))
		require.GreaterOrEqual(t, time.Since(began), wait)
	}
}
