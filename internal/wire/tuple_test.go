package wire

import (
	"math/bits"
	"testing"
)

// Tuple.Hash is SipHash of the tuple's words, and every field of it counts.
func TestTupleHash(t *testing.T) {
	k := Key{1, 2}
	four := Tuple{Local: AddrFrom4([]byte{192, 0, 2, 1}), Remote: AddrFrom4([]byte{192, 0, 2, 2}), LocalPort: 80, RemotePort: 4000}
	six := four
	six.Local, six.Remote = Addr{0x20010db8 << 32, 1}, Addr{0x20010db8 << 32, 2}
	ports := uint64(80)<<48 | 4000<<32
	if got, want := four.Hash(k), SipHash(k, 0xc0000201_c0000202, ports); got != want {
		t.Errorf("IPv4: %x, want %x", got, want)
	}
	if got, want := six.Hash(k), SipHash(k, six.Local.Hi, six.Local.Lo, six.Remote.Hi, six.Remote.Lo, ports); got != want {
		t.Errorf("IPv6: %x, want %x", got, want)
	}
	for _, base := range []Tuple{four, six} {
		seen := map[uint64]string{base.Hash(k): "the tuple itself"}
		for what, change := range map[string]func(*Tuple){
			"local address": func(x *Tuple) { x.Local.Lo ^= 1 }, "remote address": func(x *Tuple) { x.Remote.Lo ^= 1 },
			"local port": func(x *Tuple) { x.LocalPort ^= 1 }, "remote port": func(x *Tuple) { x.RemotePort ^= 1 },
			"zone": func(x *Tuple) { x.Zone ^= 1 }, "both ends exchanged": func(x *Tuple) { *x = x.Swap() },
			"ports exchanged": func(x *Tuple) { x.LocalPort, x.RemotePort = x.RemotePort, x.LocalPort },
		} {
			x := base
			change(&x)
			h := x.Hash(k)
			if other, ok := seen[h]; ok {
				t.Errorf("%v: %s hashes like %s", base, what, other)
			}
			seen[h] = what
		}
		if h := base.Hash(Key{1, 3}); seen[h] != "" {
			t.Errorf("%v: the key does not count", base)
		}
	}
}

// One bit of difference in the input flips about half of the output.
func TestTupleHashAvalanche(t *testing.T) {
	base := Tuple{Local: AddrFrom4([]byte{192, 0, 2, 1}), Remote: AddrFrom4([]byte{192, 0, 2, 2}), LocalPort: 80, RemotePort: 4000}
	h := base.Hash(Key{1, 2})
	flips, n := 0, 0
	for i := range 16 {
		for _, f := range []func(*Tuple){
			func(x *Tuple) { x.RemotePort ^= 1 << i }, func(x *Tuple) { x.LocalPort ^= 1 << i }, func(x *Tuple) { x.Remote.Lo ^= 1 << i },
		} {
			x := base
			f(&x)
			flips += bits.OnesCount64(h ^ x.Hash(Key{1, 2}))
			n++
		}
	}
	if mean := float64(flips) / float64(n); mean < 28 || mean > 36 {
		t.Errorf("%.1f of 64 bits flip", mean)
	}
}
