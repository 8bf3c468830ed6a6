// Package wstest holds one conformance suite for each contract of package ws, and fakes with faults for its tests.
//
// A backend proves itself by calling the suite from a test of its own:
//
//	func TestStore(t *testing.T) {
//		wstest.Store(t, func(t *testing.T) ws.Store { return openEmpty(t) })
//	}
package wstest
