// Package deathsig lets a program's children end with it, however it ends, so that a run which is killed leaves nothing behind.
package deathsig
