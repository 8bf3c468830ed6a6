//go:build race

package pebblestore

// defaultCuts is less under the race detector, which makes Pebble check itself at every step: a cut costs thirty times
// as much there.
const defaultCuts = 150
