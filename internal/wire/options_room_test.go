package wire

import (
	"testing"

	"estab/internal/seq"
)

// Whatever options a segment carries, with as many SACK blocks as a receiver
// could have, they take 40 bytes at most (RFC 9293 §3.1: the data offset has
// four bits); blocks that find no room are left out, and what is written reads
// back.
func TestOptionsFitTheHeader(t *testing.T) {
	for set := OptionSet(0); set < 1<<5; set++ {
		for blocks := range uint8(MaxSACKBlocks + 1) {
			s := Segment{Tuple: Tuple{LocalPort: 1, RemotePort: 2}}
			s.Options = Options{Set: set, MSS: 1460, WindowScale: 7, TSVal: 1, TSEcr: 2, NSACK: blocks}
			for i := range s.Options.SACK {
				s.Options.SACK[i] = SACKBlock{Left: seq.Num(10 * i), Right: seq.Num(10*i + 5)}
			}
			var b [TCPHeaderMin + 80]byte
			n := PutTCP(b[:], &s)
			if n > 60 || n%4 != 0 || n != TCPHeaderLen(&s) || int(b[12]>>4)*4 != n {
				t.Fatalf("options %05b, %d blocks: a header of %d bytes", set, blocks, n)
			}
			var got Segment
			if r := ParseTCP(b[:n], &got); r != Accepted {
				t.Fatalf("options %05b, %d blocks: %v", set, blocks, r)
			}
			if want := set &^ OptSACK; got.Options.Set&^OptSACK != want {
				t.Errorf("options %05b, %d blocks: %05b read back", set, blocks, got.Options.Set)
			}
		}
	}
}
