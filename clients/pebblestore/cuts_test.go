//go:build !race

package pebblestore

// defaultCuts is how many power cuts TestPowerCuts makes.
const defaultCuts = 1000
