package estab_test

import (
	"testing"
	"testing/synctest"

	"estab"
	"estab/estabtest"
	"estab/tcp"
)

// Config.EventMask keeps the kinds that it names and no others, zero all of
// them; what isn't kept pushes nothing out.
func TestEventMask(t *testing.T) {
	for _, test := range []struct {
		mask, want tcp.EventKind
		lossless   bool // in the 64 events that are kept
	}{
		{0, tcp.EventState | tcp.EventIn | tcp.EventOut, false},
		{tcp.EventState, tcp.EventState, true},
		{tcp.EventIn | tcp.EventClosed, tcp.EventIn, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := estabtest.New(t, estabtest.Configure(func(_ string, c *estab.Config) {
				c.Events, c.EventMask = 64, test.mask
			}))
			c, s := connected(t, n)
			for range 100 {
				mustWrite(t, c, "ping")
				mustRead(t, s, "ping")
			}
			events, lost := n.Host("b").Stack().Events()
			var got tcp.EventKind
			for _, e := range events {
				got |= e.Kind
			}
			if test.mask != 0 && got&^test.mask != 0 || got&test.want == 0 || (lost == 0) != test.lossless {
				t.Errorf("mask %b: kinds %b, %d lost", test.mask, got, lost)
			}
		})
	}
}
