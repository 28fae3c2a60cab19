package netem

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const everything = "delay 20ms 8ms 20% distribution paretonormal loss gemodel 5% 30% 90% 1% " +
	"duplicate 5% corrupt 10% reorder 10% 20% gap 2 rate 2mbit limit 20"

// A clone has the same future; dumps are equal wherever in time they are
// taken and differ when the states do.
func TestCloneAndDump(t *testing.T) {
	m := mustParse(t, everything)
	a, shifted := NewState(7, 0), NewState(7, 0)
	const shift = 5 * second
	for i := range int64(500) {
		now := i * 3e6
		before := a.AppendState(nil, now)
		if got := shifted.AppendState(nil, now+shift); !bytes.Equal(got, before) {
			t.Fatalf("packet %d: the dumps differ", i)
		}
		c := a.Clone()
		fa, fc, fs := a.Apply(now, 1000, &m), c.Apply(now, 1000, &m), shifted.Apply(now+shift, 1000, &m)
		if fa != fc {
			t.Fatalf("packet %d: %+v, the clone %+v", i, fa, fc)
		}
		if fs.Drop != fa.Drop || fa.Drop == NotDropped && fs.At != fa.At+shift {
			t.Fatalf("packet %d: %+v, later %+v", i, fa, fs)
		}
		if bytes.Equal(a.AppendState(nil, now), before) {
			t.Fatalf("packet %d leaves no trace", i)
		}
	}
}

// Different seeds and different paths have different luck.
func TestSeeds(t *testing.T) {
	m := mustParse(t, "loss 50%")
	seen := map[string]bool{}
	for seed := range uint64(8) {
		for path := range uint64(8) {
			st := NewState(seed, path)
			var b []byte
			for range 64 {
				b = append(b, byte(st.Apply(0, 1, &m).Drop))
			}
			seen[string(b)] = true
		}
	}
	if len(seen) != 64 {
		t.Errorf("%d different sequences of 64", len(seen))
	}
}

// The fates that a seed gives never change: not with the machine, not with a
// new version. A change here breaks every seed that anybody has noted down.
func TestGolden(t *testing.T) {
	var b bytes.Buffer
	for _, text := range []string{everything, "loss state 10% 40% 20% 60% 5% delay 1ms 1ms", "loss 20% 30% delay 5ms 2ms distribution pareto"} {
		m := mustParse(t, text)
		fmt.Fprintf(&b, "%s\n", m)
		st := NewState(42, 1)
		for i := range int64(48) {
			now := i * 2e6
			f := st.Apply(now, 500+int(i)*20, &m)
			fmt.Fprintf(&b, "%2d %s", i, passageString(now, f.Passage))
			if f.Duplicated {
				fmt.Fprintf(&b, " copy %s", passageString(now, f.Copy))
			}
			b.WriteByte('\n')
		}
	}
	const file = "testdata/fates.golden"
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the fates have changed:\n%s", b.Bytes())
	}
}

func passageString(now int64, p Passage) string {
	if p.Drop != NotDropped {
		return p.Drop.String()
	}
	s := fmt.Sprintf("+%d", p.At-now)
	if p.Corrupt {
		s += fmt.Sprintf(" bit %d", p.Bit)
	}
	if p.Reordered {
		s += " reordered"
	}
	return s
}
