package tcp

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzFastPath plays one conversation on two engines, of which one takes every
// segment the long way: whatever comes, both send the same segments, deliver
// the same bytes, count the same and are in the same state after every step.
// TestFastPathDoesTheSame does it for two engines that talk to each other.
func FuzzFastPath(f *testing.F) {
	for i := range fuzzStates {
		f.Add([]byte{byte(i), 17, 16, 0, 1, 0, 0, 100, 17, 16, 0, 101, 0, 0, 100, 5, 0, 50, 4, 3, 232, 21, 0, 0, 0, 0, 100, 0})
		f.Add([]byte{byte(i), 4, 20, 0, 25, 16, 0, 0, 1, 100, 10, 8, 0, 50, 25, 24, 0, 0, 0, 100, 200, 29, 16, 0, 0, 0, 10, 9, 8, 0, 0, 101, 1, 20, 0})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || len(data) > 2000 {
			return
		}
		var z [2]*fuzzer
		for i := range z {
			z[i] = &fuzzer{data: data[1:]}
			z[i].rig = fuzzRig(t, fuzzStates[int(data[0])%len(fuzzStates)], data[0]/16)
			z[i].e.cfg.NoFastPath = i == 1
		}
		fast, slow := z[0], z[1]
		before := slow.e.Counters().FastPath // the fuzzed state may have needed it
		for step := 0; len(fast.data) > 0; step++ {
			fast.step()
			slow.step()
			same(t, step, fast, slow)
			fast.watch()
			slow.watch()
		}
		if n := slow.e.Counters().FastPath; n != before {
			t.Fatalf("%d segments took the fast path although it is off", n-before)
		}
		fast.end()
		slow.end()
	})
}

// same compares what two fuzzers see.
func same(t *testing.T, step int, x, y *fuzzer) {
	t.Helper()
	equal := func(a, b sentSeg) bool {
		return a.at == b.at && a.Tuple == b.Tuple && a.Seq == b.Seq && a.Ack == b.Ack && a.Flags == b.Flags && a.Wnd == b.Wnd && a.Up == b.Up &&
			present(&a.Options) == present(&b.Options) && bytes.Equal(a.Payload, b.Payload)
	}
	if !slices.EqualFunc(x.sent, y.sent, equal) {
		t.Fatalf("step %d: the fast path sent\n%s\nthe long way\n%s", step, x.show(x.sent, ""), y.show(y.sent, ""))
	}
	if !bytes.Equal(x.e.AppendState(nil, x.now), y.e.AppendState(nil, y.now)) {
		t.Fatalf("step %d: the states differ\n%s", step, difference(x.e, y.e))
	}
	cx, cy := *x.e.Counters(), *y.e.Counters()
	cx.FastPath, cy.FastPath = 0, 0
	if cx != cy {
		t.Fatalf("step %d: the counters differ\n%+v\n%+v", step, cx, cy)
	}
	if x.read != y.read || x.wrote != y.wrote {
		t.Fatalf("step %d: read %d and %d, wrote %d and %d", step, x.read, y.read, x.wrote, y.wrote)
	}
}
