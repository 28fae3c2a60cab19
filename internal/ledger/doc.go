// Package ledger holds the requirements of RFC 9293, and of the RFCs beside
// it that a TCP of today obeys, each with the place in the code that obeys it
// and the test that would notice if it no longer did.
//
// The requirements are written by hand, in rfc9293.txt and others.txt. The
// places come from comments in the source:
//
//	// Obeys: RFC 9293 MUST-58, MUST-59.
//	// Shows: RFC 6298 5.5; RFC 9293 MUST-19.
//
// The first stands above code, the second above a test or in a script (.pkt).
// Package gen collects them into places.txt, which is embedded here, and
// writes docs/rfc9293.md and docs/rfc-others.md; its tests fail if something is
// missing or out of date. docs/ledger.md describes the form.
package ledger

//go:generate go run ./gen
//go:generate go test ../tidy -run ^TestWalk$ -update
