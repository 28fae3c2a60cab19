package tcp

import (
	"unsafe"

	"estab/internal/wire"
)

// Half-open and TIME-WAIT connections are records without pointers, in slabs
// that the garbage collector does not look into. An IPv4 record keeps eight
// bytes of addresses, an IPv6 record thirty-two, so each family has slabs of
// its own.

type pair4 struct{ local, remote uint32 }

type pair6 struct{ local, remote wire.Addr }

// pair is what pair4 and pair6 can do.
type pair[P any] interface {
	comparable
	of(t *Tuple) P
	put(t *Tuple)
}

func (pair4) of(t *Tuple) pair4 { return pair4{t.Local.V4(), t.Remote.V4()} }
func (p pair4) put(t *Tuple) {
	t.Local, t.Remote = wire.Addr4(p.local), wire.Addr4(p.remote)
}

func (pair6) of(t *Tuple) pair6 { return pair6{t.Local, t.Remote} }
func (p pair6) put(t *Tuple)    { t.Local, t.Remote = p.local, p.remote }

func is4(t *Tuple) bool { return t.Local.Is4() && t.Remote.Is4() }

// recordSlab holds records in chunks, so that growing copies nothing.
type recordSlab[T any] struct {
	chunks [][]T
	free   []uint32
	made   uint32
}

// A chunk is 32 records of 56 bytes or 128 of 80: sizes that the allocator has.
func (s *recordSlab[T]) shift() uint32 {
	var r T
	if unsafe.Sizeof(r) == 56 {
		return 5
	}
	return 7
}

func (s *recordSlab[T]) at(i uint32) *T {
	k := s.shift()
	return &s.chunks[i>>k][i&(1<<k-1)]
}

// get takes a record; what it holds is left over.
func (s *recordSlab[T]) get() uint32 {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		return i
	}
	if k := s.shift(); s.made&(1<<k-1) == 0 {
		s.chunks = append(s.chunks, make([]T, 1<<k))
	}
	s.made++
	return s.made - 1
}

// put gives a record back. When none is in use any more, all memory goes.
func (s *recordSlab[T]) put(i uint32) {
	s.free = append(s.free, i)
	if len(s.free) == int(s.made) && s.made > 1024 {
		*s = recordSlab[T]{}
	}
}

func (s *recordSlab[T]) clone() recordSlab[T] {
	c := recordSlab[T]{free: append([]uint32(nil), s.free...), made: s.made}
	for _, ch := range s.chunks {
		c.chunks = append(c.chunks, append([]T(nil), ch...))
	}
	return c
}
