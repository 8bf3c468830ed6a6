// Package failures holds the failure table of docs/failures.md by tests: real nodes in processes of their own on real
// services, each of which is killed, frozen, flushed, cut off or put back while users talk. The tests carry the build tag
// services. What they hold is that everything arrives, once, and that everything comes back by itself; they log figures,
// and fail for one only where it is ten times what the design asks, or shows that the bus reaches nobody.
package failures
