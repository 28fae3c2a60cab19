package wire

import "testing"

// SEG.LEN counts the text, in however many pieces, the SYN and the FIN (RFC
// 9293 §3.4).
func TestSegmentLength(t *testing.T) {
	s := Segment{Seq: 1<<32 - 1, Payload: []byte("abc"), Rest: [][]byte{[]byte("de"), nil, []byte("f")}}
	for f, want := range map[Flags]uint32{0: 6, ACK: 6, SYN: 7, FIN | ACK: 7, SYN | FIN: 8, RST: 6} {
		s.Flags = f
		if s.Len() != want || s.DataLen() != 6 || uint32(s.End()) != want-1 {
			t.Errorf("%v: Len %d, DataLen %d, End %d, want %d", f, s.Len(), s.DataLen(), s.End(), want)
		}
	}
}
