package soak

import (
	"os"
	"testing"
	"time"
)

func TestTry(t *testing.T) {
	for _, p := range Profiles() {
		t0 := time.Now()
		s := Run(&Options{Profile: p, To: 19999, Failures: 3})
		t.Logf("%s: %v %d worlds, %d conns, %d segs, %.0f conns/min", p.Name, time.Since(t0), s.Worlds, s.Conns, s.Segments, float64(s.Conns)/time.Since(t0).Minutes())
		for _, c := range s.Endings {
			t.Logf("   %d %s", c.N, c.Name)
		}
		for _, c := range s.Reasons {
			t.Logf("   %d %s", c.N, c.Name)
		}
		for _, f := range s.Failures {
			t.Errorf("%d %s\n%s%s (%d tries)", f.Seed, f.Err, f.Text, f.Again, f.Tries)
			if f.Conn >= 0 {
				f.Small.WriteLadder(os.Stderr, &Options{}, f.Conn, 12)
			}
		}
	}
}
