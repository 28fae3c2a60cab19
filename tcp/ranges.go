package tcp

import "estab/internal/seq"

// span is a stretch of sequence numbers, [l, r).
type span struct{ l, r Num }

// rangeSet is a sorted set of disjoint stretches that do not touch. It is kept
// in chunks, so that a change in the middle of very many (a peer can make as
// many as the window has bytes) moves a few kilobytes and not everything.
type rangeSet struct {
	chunks [][]span // none is empty
	n      int      // stretches
}

const spansPerChunk = 256

// at finds the first stretch that ends after x: its chunk and place, or the
// end.
func (s *rangeSet) at(x Num) (ci, i int) {
	lo, hi := 0, len(s.chunks)
	for lo < hi {
		m := (lo + hi) / 2
		if c := s.chunks[m]; c[len(c)-1].r.LessEq(x) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == len(s.chunks) {
		return lo, 0
	}
	c := s.chunks[lo]
	a, b := 0, len(c)
	for a < b {
		m := (a + b) / 2
		if c[m].r.LessEq(x) {
			a = m + 1
		} else {
			b = m
		}
	}
	return lo, a
}

// get returns the stretch at a place found by at, and whether there is one.
func (s *rangeSet) get(ci, i int) (span, bool) {
	if ci == len(s.chunks) {
		return span{}, false
	}
	return s.chunks[ci][i], true
}

// next moves to the following place.
func (s *rangeSet) next(ci, i int) (int, int) {
	if i++; i == len(s.chunks[ci]) {
		return ci + 1, 0
	}
	return ci, i
}

// first returns the lowest stretch.
func (s *rangeSet) first() (span, bool) { return s.get(0, 0) }

// containing returns the stretch that holds x.
func (s *rangeSet) containing(x Num) (span, bool) {
	sp, ok := s.get(s.at(x))
	return sp, ok && sp.l.LessEq(x)
}

// gaps calls f for each part of [l, r) that the set does not hold, in order.
func (s *rangeSet) gaps(l, r Num, f func(l, r Num)) {
	ci, i := s.at(l)
	for l.Less(r) {
		sp, ok := s.get(ci, i)
		if !ok || r.LessEq(sp.l) {
			f(l, r)
			return
		}
		if l.Less(sp.l) {
			f(l, sp.l)
		}
		l = sp.r
		ci, i = s.next(ci, i)
	}
}

// add puts [l, r) into the set, joining what overlaps or touches.
func (s *rangeSet) add(l, r Num) {
	ci, i := s.at(l - 1) // the first stretch that ends at l or later
	sp, ok := s.get(ci, i)
	if !ok || r.Less(sp.l) {
		s.insert(ci, i, span{l, r})
		return
	}
	// It joins the stretch at (ci, i), and perhaps more behind it.
	sp.l = seq.Min(sp.l, l)
	if sp.r.Less(r) {
		sp.r = r
		for {
			nci, ni := s.next(ci, i)
			nx, ok := s.get(nci, ni)
			if !ok || sp.r.Less(nx.l) {
				break
			}
			if sp.r.Less(nx.r) {
				sp.r = nx.r
			}
			s.deleteAt(nci, ni)
		}
	}
	s.chunks[ci][i] = sp
}

func (s *rangeSet) insert(ci, i int, sp span) {
	s.n++
	if ci == len(s.chunks) {
		if ci == 0 || len(s.chunks[ci-1]) == spansPerChunk {
			s.chunks = append(s.chunks, append(make([]span, 0, 4), sp))
			return
		}
		s.chunks[ci-1] = append(s.chunks[ci-1], sp)
		return
	}
	c := s.chunks[ci]
	if len(c) == spansPerChunk {
		half := append(make([]span, 0, spansPerChunk), c[spansPerChunk/2:]...)
		s.chunks[ci] = c[:spansPerChunk/2]
		s.chunks = append(s.chunks, nil)
		copy(s.chunks[ci+2:], s.chunks[ci+1:])
		s.chunks[ci+1] = half
		if i > spansPerChunk/2 {
			ci, i = ci+1, i-spansPerChunk/2
		}
		c = s.chunks[ci]
	}
	c = append(c, span{})
	copy(c[i+1:], c[i:])
	c[i] = sp
	s.chunks[ci] = c
}

func (s *rangeSet) deleteAt(ci, i int) {
	s.n--
	c := s.chunks[ci]
	if len(c) > 1 {
		s.chunks[ci] = append(c[:i], c[i+1:]...)
		return
	}
	s.chunks = append(s.chunks[:ci], s.chunks[ci+1:]...)
}

// trim drops everything before x.
func (s *rangeSet) trim(x Num) {
	for {
		sp, ok := s.first()
		if !ok || x.LessEq(sp.l) {
			return
		}
		if x.Less(sp.r) {
			s.chunks[0][0].l = x
			return
		}
		s.deleteAt(0, 0)
	}
}
