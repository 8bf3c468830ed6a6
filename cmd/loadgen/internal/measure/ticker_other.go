//go:build !linux

package measure

import "time"

// Ticker wakes its owner at least every period.
type Ticker struct{ ticker *time.Ticker }

// NewTicker starts a ticker.
func NewTicker(period time.Duration) (*Ticker, error) { return &Ticker{time.NewTicker(period)}, nil }

// Wait returns when at least one period has ended since the last call.
func (t *Ticker) Wait() error {
	<-t.ticker.C
	return nil
}

// Stop ends the ticker.
func (t *Ticker) Stop() { t.ticker.Stop() }
