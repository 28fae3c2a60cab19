package estabtest

// arrival is something that will happen on the network: a packet comes to the
// end of a pipe, or a function is called.
type arrival struct {
	at    int64  // ns since New
	key   uint64 // of whose packet it is
	n     int    // its sender's nth
	order uint64
	pkt   *packet
	run   func()
}

// arrivals is a heap, earliest first. Those of the same time are ordered by
// what they are: which of two hosts came first to send something in that
// instant was Go's scheduler's to decide, and makes no difference here.
type arrivals struct {
	h     []arrival
	order uint64
}

func (q *arrivals) less(i, j int) bool {
	a, b := &q.h[i], &q.h[j]
	switch {
	case a.at != b.at:
		return a.at < b.at
	case a.key != b.key:
		return a.key < b.key
	case a.n != b.n:
		return a.n < b.n
	}
	return a.order < b.order
}

func (q *arrivals) push(a arrival) {
	q.order++
	a.order = q.order
	q.h = append(q.h, a)
	for i := len(q.h) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.less(i, up) {
			break
		}
		q.h[i], q.h[up] = q.h[up], q.h[i]
		i = up
	}
}

func (q *arrivals) pop() arrival {
	first, last := q.h[0], len(q.h)-1
	q.h[0] = q.h[last]
	q.h[last] = arrival{}
	q.h = q.h[:last]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < last; c++ {
			if q.less(c, least) {
				least = c
			}
		}
		if least == i {
			return first
		}
		q.h[i], q.h[least] = q.h[least], q.h[i]
		i = least
	}
}
