package soak

import (
	"bytes"
	"testing"

	"estab/sim"
)

// The fast path changes nothing: the same worlds, with header prediction at
// both ends and without, have the same packets at the same times, byte for
// byte, and end in the same states.
func TestFastPathDoesTheSame(t *testing.T) {
	seeds := uint64(150)
	if long() {
		seeds = 5000
	}
	taken := uint64(0)
	for _, p := range Profiles() {
		for seed := range seeds {
			var log [2]bytes.Buffer
			var end [2][]byte
			for slow := range log {
				s := Draw(seed, p)
				for i := range s.Hosts {
					s.Hosts[i].NoFastPath = slow == 1
				}
				r := play(&s, &Options{Profile: p, Meddle: func(k *sim.Packet) {
					log[slow].Write(k.Data)
					log[slow].WriteByte(byte(k.Time))
					log[slow].WriteByte(byte(k.Time >> 16))
				}}, 0)
				for i := range r.hosts {
					e := r.hosts[i].TCP()
					end[slow] = e.AppendState(end[slow], r.w.Now())
					if n := e.Counters().FastPath; slow == 0 {
						taken += n
					} else if n > 0 {
						t.Fatalf("profile %s, seed %d: %d segments took the fast path although it is off", p.Name, seed, n)
					}
				}
			}
			if !bytes.Equal(log[0].Bytes(), log[1].Bytes()) {
				t.Fatalf("profile %s, seed %d: other packets with the fast path than without (estab lab soak --profile %s --seeds %d)", p.Name, seed, p.Name, seed)
			}
			if !bytes.Equal(end[0], end[1]) {
				t.Fatalf("profile %s, seed %d: other states in the end with the fast path than without", p.Name, seed)
			}
		}
	}
	if taken < 10_000 {
		t.Errorf("only %d segments took the fast path", taken)
	}
}
