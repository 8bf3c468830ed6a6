package middleware

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// maxBuckets is how many clients have their rate remembered, the latest ones.
const maxBuckets = 1 << 16

// buckets are token buckets, one for each key, that hold what comes in two seconds. It is safe for concurrent use.
type buckets[K comparable] struct {
	perSecond float64 // 0: no limit
	known     *lru.Cache[K, *rate.Limiter]
}

func newBuckets[K comparable](perSecond float64) *buckets[K] {
	known, err := lru.New[K, *rate.Limiter](maxBuckets)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &buckets[K]{perSecond: perSecond, known: known}
}

// take takes a token of a key, or returns how long it is until there is one.
func (b *buckets[K]) take(key K) (wait time.Duration) {
	if b.perSecond <= 0 {
		return 0
	}
	limiter, now := b.of(key), time.Now()
	if limiter.AllowN(now, 1) {
		return 0
	}
	return max(b.missing(limiter, now), time.Nanosecond)
}

// wait returns how long it is until there is a token of a key, and takes none.
func (b *buckets[K]) wait(key K) time.Duration {
	limiter, ok := b.known.Get(key)
	if !ok {
		return 0
	}
	return b.missing(limiter, time.Now())
}

// charge takes n tokens of a key; where there are too few, of those to come.
func (b *buckets[K]) charge(key K, n int) {
	if b.perSecond <= 0 {
		return
	}
	limiter := b.of(key)
	for ; n > 0; n -= limiter.Burst() { // more than a burst cannot be reserved
		limiter.ReserveN(time.Now(), min(n, limiter.Burst()))
	}
}

func (b *buckets[K]) of(key K) *rate.Limiter {
	limiter, ok := b.known.Get(key)
	if !ok {
		limiter = rate.NewLimiter(rate.Limit(b.perSecond), max(1, int(2*b.perSecond)))
		if first, lost, _ := b.known.PeekOrAdd(key, limiter); lost {
			limiter = first
		}
	}
	return limiter
}

// missing is how long it is until a limiter has a token.
func (b *buckets[K]) missing(limiter *rate.Limiter, now time.Time) time.Duration {
	missing := (1 - limiter.TokensAt(now)) / b.perSecond
	return max(time.Duration(missing*float64(time.Second)), 0)
}
