package soak

import (
	"testing"
)

func TestTry(t *testing.T) {
	for _, p := range Profiles() {
		n, conns, sent, bad := 0, 0, 0, 0
		for seed := range uint64(3000) {
			o := &Options{Profile: p}
			s := Draw(seed, o.Profile)
			r := play(&s, o, 0)
			r.readFates()
			if err := r.judge(r.w.Run(0)); err != nil {
				if bad++; bad < 4 {
					t.Errorf("%s %v: %v\n%v", p.Name, seed, err, &s)
				}
			}
			n++
			conns += len(r.talks)
			sent += r.sent
		}
		t.Logf("%s: %d worlds, %d connections, %d segments, %d bad", p.Name, n, conns, sent, bad)
	}
}
