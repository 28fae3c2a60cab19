package estab

// waiter is one goroutine that waits for something to happen. It is woken by
// exactly one token in its channel, sent by whoever takes it off its list, so
// whoever is on a list waits and whoever is off it has a token or will get
// one.
type waiter struct {
	ch   chan struct{} // capacity 1: sending never blocks
	next *waiter
}

// waiters is a list of waiters, first come first served. It takes the eight
// bytes that a connection spends on a direction; all but the rarest lists are
// empty or hold one.
type waiters struct{ head *waiter }

func (l *waiters) empty() bool { return l.head == nil }

func (l *waiters) push(w *waiter) {
	w.next = nil
	at := &l.head
	for *at != nil {
		at = &(*at).next
	}
	*at = w
}

// pop takes the first waiter, or nil, off the list.
func (l *waiters) pop() *waiter {
	w := l.head
	if w != nil {
		l.head, w.next = w.next, nil
	}
	return w
}

// remove takes w off the list and reports whether it was there.
func (l *waiters) remove(w *waiter) bool {
	for at := &l.head; *at != nil; at = &(*at).next {
		if *at == w {
			*at, w.next = w.next, nil
			return true
		}
	}
	return false
}

// moveTo takes everybody off the list and puts them at the front of another,
// whose order nobody relies on.
func (l *waiters) moveTo(to *waiters) {
	for w := l.pop(); w != nil; w = l.pop() {
		w.next, to.head = to.head, w
	}
}

// wake wakes everybody on the list, which its owner has for itself: no lock is
// held. A waiter belongs to its goroutine again once the token is sent.
func (l *waiters) wake() {
	for w := l.pop(); w != nil; w = l.pop() {
		w.ch <- struct{}{}
	}
}

// waiterPool keeps waiters for reuse, under its owner's lock.
type waiterPool struct {
	free *waiter
	n    int
}

// keepWaiters bounds a pool; more goes to the garbage collector.
const keepWaiters = 64

func (p *waiterPool) get() *waiter {
	if w := p.free; w != nil {
		p.free, w.next = w.next, nil
		p.n--
		return w
	}
	return &waiter{ch: make(chan struct{}, 1)}
}

// put takes back a waiter that is on no list and whose token was received, or
// never sent.
func (p *waiterPool) put(w *waiter) {
	if w != nil && p.n < keepWaiters {
		w.next, p.free = p.free, w
		p.n++
	}
}
