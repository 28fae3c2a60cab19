package script

import "testing"

// TestOwn plays our own scripts: one behaviour a file, in every family, with
// no tolerance and nothing left over.
func TestOwn(t *testing.T) {
	o := Options{Strict: true, Families: []Family{IPv4, IPv6, IPv4Mapped}}
	Run(t, o, "testdata/rfc*/*.pkt", "testdata/rfc*/*/*.pkt")
}
