package link

// hold puts a packet among those under way, behind those of the same time.
func (n *lane) hold(p *Packet, at int64) {
	n.order++
	n.push(held{at: at, order: n.order, p: p})
}

func (a *held) before(b *held) bool {
	return a.at < b.at || a.at == b.at && a.order < b.order
}

// push adds to the heap.
func (n *lane) push(h held) {
	q := append(n.held, h)
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if q[up].before(&q[i]) {
			break
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
	n.held = q
}

// pop takes the earliest.
func (n *lane) pop() held {
	q := n.held
	h, last := q[0], len(q)-1
	q[0] = q[last]
	q[last] = held{}
	q = q[:last]
	for i := 0; ; {
		least := i
		for _, c := range [...]int{2*i + 1, 2*i + 2} {
			if c < last && q[c].before(&q[least]) {
				least = c
			}
		}
		if least == i {
			break
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
	n.held = q
	return h
}

// takeSpare is an empty packet to give in exchange, or nil.
func (n *lane) takeSpare() *Packet {
	last := len(n.spare) - 1
	if last < 0 {
		return nil
	}
	p := n.spare[last]
	n.spare[last] = nil
	n.spare = n.spare[:last]
	return p
}

// giveSpare keeps an empty packet that came back, unless its memory is still
// somebody else's.
func (n *lane) giveSpare(p *Packet) {
	if p != nil && len(n.spare) < keepSpare && !n.link.closed && !p.Shared() {
		n.spare = append(n.spare, p)
	}
}
