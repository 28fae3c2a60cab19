package tcp

import (
	"math/rand/v2"
	"testing"
)

// entry is what the naive twin of table keeps.
type entry struct {
	hash uint64
	k    kind
	idx  uint32
}

func tableHas(tb *table, x entry) bool {
	p := tb.find(x.hash)
	for s, ok := p.next(); ok; s, ok = p.next() {
		if s.kind() == x.k && s.idx() == x.idx {
			return true
		}
	}
	return false
}

// The table holds what a list would, through growth, collisions, replacement
// and removal, whatever the order.
func TestTableAgainstList(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var tb table
		var list []entry
		bits := 2 + rnd.IntN(28) // few bits: nearly everything collides
		next := uint32(0)
		for step := range 4000 {
			grow := step/1000%2 == 0
			switch {
			case len(list) == 0 || rnd.IntN(10) < 3 || grow && rnd.IntN(2) == 0:
				x := entry{rnd.Uint64() & (1<<bits - 1) << rnd.IntN(2), kind(1 + rnd.IntN(5)), next}
				next++
				tb.insert(x.hash, x.k, x.idx)
				list = append(list, x)
			case rnd.IntN(4) == 0:
				i := rnd.IntN(len(list))
				x := &list[i]
				nk, ni := kind(1+rnd.IntN(5)), next
				next++
				tb.replace(x.hash, x.k, x.idx, nk, ni)
				if tableHas(&tb, *x) {
					t.Fatalf("seed %d step %d: the replaced entry is still there", seed, step)
				}
				x.k, x.idx = nk, ni
			default:
				i := rnd.IntN(len(list))
				x := list[i]
				tb.remove(x.hash, x.k, x.idx)
				tb.remove(x.hash, x.k, x.idx) // what is not there is not missed
				list[i] = list[len(list)-1]
				list = list[:len(list)-1]
				if tableHas(&tb, x) {
					t.Fatalf("seed %d step %d: the removed entry is still there", seed, step)
				}
			}
			if tb.len() != len(list) {
				t.Fatalf("seed %d step %d: %d entries, want %d", seed, step, tb.len(), len(list))
			}
			if step%50 == 0 || len(list) < 20 {
				for _, x := range list {
					if !tableHas(&tb, x) {
						t.Fatalf("seed %d step %d: %v is lost", seed, step, x)
					}
				}
			}
		}
	}
}

// A lookup gives every entry with the right tag once, also while the table
// grows, and no other.
func TestTableFindsEachCollisionOnce(t *testing.T) {
	var tb table
	const n = 40
	for i := range uint32(n) {
		tb.insert(7, kindConn, i)
		tb.insert(7+1<<29, kindHalf4, i) // the same 29 bits
		tb.insert(8, kindWait4, i)
		seen := map[slot]int{}
		p := tb.find(7)
		for s, ok := p.next(); ok; s, ok = p.next() {
			if s.kind() == kindWait4 {
				t.Fatal("an entry of another flow came up")
			}
			seen[s]++
		}
		if len(seen) != int(i+1)*2 {
			t.Fatalf("%d entries of %d came up", len(seen), (i+1)*2)
		}
		for s, k := range seen {
			if k != 1 {
				t.Fatalf("%x came up %d times", s, k)
			}
		}
	}
}

// No insertion moves more than two batches of slots, and none has to empty the
// old array at one go: a flood can't provoke a pause.
func TestTableGrowsInSmallSteps(t *testing.T) {
	var tb table
	rnd := rand.New(rand.NewPCG(1, 2))
	grown := 0
	for i := range uint32(200_000) {
		slots, moved, migrating := len(tb.slots), tb.moved, tb.old != nil
		tb.insert(rnd.Uint64(), kindHalf4, i)
		if len(tb.slots) != slots {
			grown++
			if migrating && tb.old == nil {
				t.Fatalf("at %d entries the old array was emptied at one go", i)
			}
			moved = 0
		}
		if tb.old != nil && tb.moved-moved > 2*migrateBatch {
			t.Fatalf("at %d entries one insertion moved %d slots", i, tb.moved-moved)
		}
		if 16*tb.used > maxLoad*len(tb.slots) {
			t.Fatalf("%d entries in %d slots", tb.used, len(tb.slots))
		}
	}
	if grown < 10 {
		t.Fatalf("grew %d times", grown)
	}
}

// Entries that come and go in a table of constant occupancy don't make it
// grow: no tombstones pile up.
func TestTableStaysSmallUnderChurn(t *testing.T) {
	var tb table
	rnd := rand.New(rand.NewPCG(3, 4))
	var list []entry
	for i := range uint32(100_000) {
		if len(list) == 1000 {
			j := rnd.IntN(len(list))
			tb.remove(list[j].hash, list[j].k, list[j].idx)
			list[j] = list[len(list)-1]
			list = list[:len(list)-1]
		}
		x := entry{rnd.Uint64(), kindConn, i}
		tb.insert(x.hash, x.k, x.idx)
		list = append(list, x)
	}
	if len(tb.slots) > 4096 {
		t.Fatalf("1000 entries take %d slots", len(tb.slots))
	}
}

// The keyed hash spreads flows that an attacker chose without knowing the key:
// the longest run of occupied slots stays short (HOSTILE 40).
func TestTableRunsAreShort(t *testing.T) {
	e, err := New(Config{Secret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	var tb table
	tup := testTuple4
	for i := range uint32(100_000) {
		tup.RemotePort = uint16(i)
		tup.Remote.Lo = tup.Remote.Lo&^0xff00 | uint64(i>>16)<<8
		tb.insert(e.Hash(&tup), kindHalf4, i)
	}
	run, longest := 0, 0
	for _, s := range tb.slots {
		if run++; s == 0 {
			longest, run = max(longest, run-1), 0
		}
	}
	if longest > 200 { // load 0.38 to 0.75; the expected longest is about 40 to 150
		t.Fatalf("a run of %d slots among %d", longest, len(tb.slots))
	}
}
