// Package seq is the arithmetic of TCP sequence numbers.
//
// Sequence numbers live on a circle of 2^32 values (RFC 9293 §3.4), so that
// "less than" only means "less than half the circle ahead". Every comparison
// of sequence numbers in this module goes through this package; a bare < on a
// uint32 that holds one is a bug.
package seq

// Num is a sequence number.
type Num uint32

// Less reports whether a comes before b on the circle.
func (a Num) Less(b Num) bool { return int32(a-b) < 0 }

// LessEq reports whether a comes before b or is b.
func (a Num) LessEq(b Num) bool { return int32(a-b) <= 0 }

// Diff is the signed distance from b to a: positive when a is ahead.
func (a Num) Diff(b Num) int32 { return int32(a - b) }

// In reports whether a lies in the window of the given size that begins at
// start: start <= a < start+size. A window of 0 holds nothing.
func (a Num) In(start Num, size uint32) bool { return uint32(a-start) < size }

// Max is the one of a and b that is ahead.
func Max(a, b Num) Num {
	if a.Less(b) {
		return b
	}
	return a
}

// Min is the one of a and b that is behind.
func Min(a, b Num) Num {
	if a.Less(b) {
		return a
	}
	return b
}
