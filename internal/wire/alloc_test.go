package wire

import "testing"

func TestNoAllocations(t *testing.T) {
	p4 := packet4(nil, segment([]byte{2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7}, []byte("text")), nil)
	p6 := packet6(ProtoHopByHop, 6, 0, 1, 4, 0, 0, 0, 0)
	quote := append([]byte{3, 4, 0, 0, 0, 0, 5, 0}, quote4()...)
	var (
		h IPHeader
		s Segment
		m ICMP
	)
	out := make([]byte, 100)
	for name, f := range map[string]func(){
		"Sum":       func() { _ = Fold(Combine(Sum(1, p4), Sum(2, p6), 1)) },
		"ParseIP4":  func() { ParseIP(p4, &h) },
		"ParseIP6":  func() { ParseIP(p6, &h) },
		"ParseTCP":  func() { ParseTCP(p4[20:], &s) },
		"PutIP":     func() { PutIP(out, &h) },
		"PutTCP":    func() { PutTCP(out, &s) },
		"checksum":  func() { PutTCPChecksum(h.Src, h.Dst, out); VerifyTCP(h.Src, h.Dst, out) },
		"ParseICMP": func() { ParseICMP(&IPHeader{Version: 4}, quote, true, &m) },
		"hash":      func() { s.Tuple.Hash(Key{1, 2}) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
