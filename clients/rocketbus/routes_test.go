package rocketbus

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var errUnreachable = errors.New("no name server answers")

// directory is a name server that says what it is told to.
type directory struct {
	*routes
	answer error
	looks  int
}

func newDirectory() *directory {
	d := &directory{}
	d.routes = newRoutes(func(context.Context, string) error {
		d.looks++
		return d.answer
	})
	return d
}

// asked checks a topic so often and returns the last answer.
func (d *directory) asked(t *testing.T, times int) (err error) {
	for range times {
		err = d.check(t.Context(), "topic")
	}
	return err
}

func TestRoutes_Check(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		require.NoError(t, d.asked(t, 100))
		require.Equal(t, 1, d.looks, "who is known is not looked up again")
	})
}

func TestRoutes_Check_Missing(t *testing.T) {
	for _, answer := range []error{errNoTopic, errUnreachable} {
		synctest.Test(t, func(t *testing.T) {
			d := newDirectory()
			d.answer = answer
			require.ErrorIs(t, d.asked(t, 1), answer)
			require.ErrorIs(t, d.asked(t, 100), errResting)
			require.Equal(t, 1, d.looks)
			time.Sleep(rest)
			require.ErrorIs(t, d.asked(t, 1), answer)
			d.answer = nil
			require.ErrorIs(t, d.asked(t, 1), errResting)
			time.Sleep(rest)
			require.NoError(t, d.asked(t, 1))
		})
	}
}

func TestRoutes_Failed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		require.NoError(t, d.asked(t, 1))
		require.True(t, d.failed("topic"))
		require.False(t, d.failed("topic"), "is told once")
		require.ErrorIs(t, d.asked(t, 100), errResting)
		time.Sleep(rest)
		require.NoError(t, d.asked(t, 100))
		require.Equal(t, 2, d.looks)
		require.True(t, d.failed("topic"), "is told again")
	})
}

// A name server that is down keeps nobody from sending where the client knows the way.
func TestRoutes_Failed_Unreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		require.NoError(t, d.asked(t, 1))
		d.failed("topic")
		d.answer = errUnreachable
		time.Sleep(rest)
		require.NoError(t, d.asked(t, 1))
		d.worked("topic")
		looks := d.looks
		require.NoError(t, d.asked(t, 100))
		require.Equal(t, looks, d.looks)

		d.failed("topic")
		d.answer = errNoTopic
		time.Sleep(rest)
		require.ErrorIs(t, d.asked(t, 1), errNoTopic, "is gone for good")
	})
}
