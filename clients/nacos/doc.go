// Package nacos announces this node in Nacos, and reads configuration from there.
//
// It speaks Nacos's HTTP interface for clients, version 1, which servers of 1.x and 2.x have. See docs/adr for why it is
// not Nacos's own client.
//
// # Lifecycle
//
// [New] starts nothing. An [Announcer] has one goroutine from Start until Close. Nothing else waits for Nacos: while it
// is down, the node serves, and others see it in Nacos again seconds after it is back.
package nacos
