package sim

import (
	"encoding/binary"
	"fmt"
)

// A stream's bytes say where they stand: byte i is byte i%8 of a hash of the
// stream's seed and i/8. Bytes that come twice, late, or from another stream
// are seen.

// streamWord is the n-th word of a stream.
func streamWord(seed, n uint64) uint64 {
	x := (seed + n) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	return x ^ x>>31
}

// fillStream writes bytes off, off+1, … of a stream into p.
func fillStream(p []byte, seed uint64, off int) {
	for len(p) > 0 {
		var w [8]byte
		binary.LittleEndian.PutUint64(w[:], streamWord(seed, uint64(off/8)))
		n := copy(p, w[off%8:])
		p, off = p[n:], off+n
	}
}

// checkStream reports the first byte of p that is not that of the stream.
func checkStream(p []byte, seed uint64, off int) error {
	for len(p) > 0 {
		var w [8]byte
		binary.LittleEndian.PutUint64(w[:], streamWord(seed, uint64(off/8)))
		n := min(len(p), 8-off%8)
		if string(p[:n]) != string(w[off%8:off%8+n]) {
			for i := range n {
				if want := w[off%8+i]; p[i] != want {
					return fmt.Errorf("byte %d is %#x, sent was %#x", off+i, p[i], want)
				}
			}
		}
		p, off = p[n:], off+n
	}
	return nil
}
