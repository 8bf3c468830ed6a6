// Package modeltest holds the model test of the engine: random clients of ten users drive a ws.Gateway through its
// sockets, and after every step what came out is compared with a small model of what protocol.md promises. Time is
// fake (testing/synctest), so minutes of resends and time-outs take no time and every step ends when all is quiet.
//
// `go test ./ws/modeltest -runs N -seed S` makes N runs, the first with seed S.
package modeltest
