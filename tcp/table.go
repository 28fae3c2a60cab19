package tcp

// table maps flows to what holds them: an open-addressing hash table of
// eight-byte slots with linear probing. A slot keeps 29 bits of the keyed hash
// of the flow, which choose its place and filter what is compared; the flow
// itself stands in the connection or record that the slot points to. So a
// rehash needs no look at them, and a half-open record becomes a connection
// by rewriting its slot.
//
// Growth is by a quarter and incremental: while an old array is being emptied,
// every insertion moves a few of its slots. No single operation takes long, whatever
// a flood makes the table do, and an entry takes 10 to 12 bytes.
type table struct {
	slots []slot
	used  int    // entries in slots
	old   []slot // being emptied into slots; nil most of the time
	moved int    // old[:moved] is empty
	inOld int    // entries left in old
}

// slot is hash<<3|kind in the high word and the index in the low word; 0 is
// empty.
type slot uint64

// kind says which slab an index points into.
type kind uint8

const (
	kindNone kind = iota
	kindConn
	kindHalf4
	kindHalf6
	kindWait4
	kindWait6
	kindGone // in old only: was here, keep probing
)

const (
	tagMask      = 1<<29 - 1
	minTable     = 16
	migrateBatch = 32
	maxLoad      = 13 // sixteenths of the slots that may be in use
)

// home is the slot of n in which the search for a tag begins: the tag as a
// fraction of all tags, so that n needn't be a power of two.
func home(tag uint64, n int) int { return int(tag * uint64(n) >> 29) }

// after is the slot behind slot i of n.
func after(i, n int) int {
	if i++; i == n {
		return 0
	}
	return i
}

func makeSlot(hash uint64, k kind, idx uint32) slot {
	return slot(hash&tagMask<<3|uint64(k))<<32 | slot(idx)
}

func (s slot) kind() kind  { return kind(s >> 32 & 7) }
func (s slot) idx() uint32 { return uint32(s) }
func (s slot) tag() uint64 { return uint64(s >> 35) }
func (t *table) len() int  { return t.used + t.inOld }

// probe is the walk over the slots that may hold a flow.
type probe struct {
	tag    uint64
	slots  []slot
	pos    int
	second []slot // the old array, to be walked after
}

func (t *table) find(hash uint64) probe {
	p := probe{tag: hash & tagMask, slots: t.slots, second: t.old}
	p.pos = home(p.tag, len(t.slots))
	return p
}

// next returns the next slot with the right tag.
func (p *probe) next() (slot, bool) {
	for {
		for len(p.slots) > 0 {
			s := p.slots[p.pos]
			if s == 0 {
				break
			}
			p.pos = after(p.pos, len(p.slots))
			if s.tag() == p.tag && s.kind() != kindGone {
				return s, true
			}
		}
		if p.second == nil {
			return 0, false
		}
		p.slots, p.second = p.second, nil
		p.pos = home(p.tag, len(p.slots))
	}
}

// insert adds an entry; the caller knows that its flow is not there yet.
func (t *table) insert(hash uint64, k kind, idx uint32) {
	t.migrate(migrateBatch)
	if 16*(t.used+1) > maxLoad*len(t.slots) {
		t.grow()
	}
	t.put(makeSlot(hash, k, idx))
}

func (t *table) put(s slot) {
	i := home(s.tag(), len(t.slots))
	for t.slots[i] != 0 {
		i = after(i, len(t.slots))
	}
	t.slots[i] = s
	t.used++
}

// grow makes the table larger by a quarter. The old array must be empty by then, which the
// batch size guarantees; if not, it is emptied here.
func (t *table) grow() {
	if t.old != nil {
		t.migrate(len(t.old))
	}
	if t.used == 0 {
		t.slots = make([]slot, max(minTable, len(t.slots)))
		return
	}
	t.old, t.moved, t.inOld = t.slots, 0, t.used
	t.slots, t.used = make([]slot, len(t.old)+len(t.old)/4), 0
	t.migrate(migrateBatch)
}

func (t *table) migrate(n int) {
	if t.old == nil {
		return
	}
	for ; n > 0 && t.moved < len(t.old); n-- {
		if s := t.old[t.moved]; s != 0 && s.kind() != kindGone {
			t.put(s)
			t.old[t.moved] = slot(kindGone) << 32
			t.inOld--
		}
		t.moved++
	}
	if t.inOld == 0 {
		t.old = nil
	}
}

// replace rewrites the slot of (hash, k, idx) in place.
func (t *table) replace(hash uint64, k kind, idx uint32, nk kind, nidx uint32) {
	if p := t.locate(t.slots, hash, makeSlot(hash, k, idx)); p >= 0 {
		t.slots[p] = makeSlot(hash, nk, nidx)
	} else if p := t.locate(t.old, hash, makeSlot(hash, k, idx)); p >= 0 {
		t.old[p] = makeSlot(hash, nk, nidx)
	}
}

// remove deletes the slot of (hash, k, idx).
func (t *table) remove(hash uint64, k kind, idx uint32) {
	if p := t.locate(t.slots, hash, makeSlot(hash, k, idx)); p >= 0 {
		t.close(p)
		t.used--
	} else if p := t.locate(t.old, hash, makeSlot(hash, k, idx)); p >= 0 {
		t.old[p] = slot(kindGone) << 32
		t.inOld--
	}
}

func (t *table) locate(slots []slot, hash uint64, want slot) int {
	if len(slots) == 0 {
		return -1
	}
	for i := home(hash&tagMask, len(slots)); slots[i] != 0; i = after(i, len(slots)) {
		if slots[i] == want {
			return int(i)
		}
	}
	return -1
}

// close empties slot i and moves back what had been pushed past it, so that no
// tombstones pile up.
func (t *table) close(i int) {
	n := len(t.slots)
	from := func(a, b int) int { // how far b is behind a
		if b < a {
			b += n
		}
		return b - a
	}
	for j := i; ; {
		j = after(j, n)
		s := t.slots[j]
		if s == 0 {
			break
		}
		if from(home(s.tag(), n), j) >= from(i, j) {
			t.slots[i] = s
			i = j
		}
	}
	t.slots[i] = 0
}
