package estab_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// counting are the edits that turn the host into one whose locks, clock reads
// and wake-ups are counted (counted_test.go). The compiler sees them; the tree
// doesn't change, and what is shipped pays nothing.
var counting = []struct{ file, old, new string }{
	{"host.go", " sync.Mutex", " countedMutex"},
	{"listen.go", " sync.Mutex", " countedMutex"},
	{"pump.go", " sync.Mutex", " countedMutex"},
	{"shard.go", " sync.Mutex", " countedMutex"},
	{"host.go", "link.Now()-", "countedNow()-"},
	{"wait.go", "w.ch <- struct{}{}", "countedWake(w.ch)"},
}

// Segments, ACKs, link calls, wake-ups, lock acquisitions and clock reads for
// a request, a mebibyte and a connection don't rise above their budgets, and
// an idle host does nothing.
func TestCounts(t *testing.T) {
	dir := t.TempDir()
	texts := map[string]string{}
	for _, c := range counting {
		if texts[c.file] == "" {
			b, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			texts[c.file] = string(b)
		}
		if !strings.Contains(texts[c.file], c.old) {
			t.Fatalf("%s has no %q any more: what does the host use instead? See counting", c.file, c.old)
		}
		texts[c.file] = strings.ReplaceAll(texts[c.file], c.old, c.new)
	}
	overlay := map[string]string{}
	for name, text := range texts {
		if strings.Contains(text, `"sync"`) {
			text += "\nvar _ sync.Locker // the import may have lost its other uses\n"
		}
		from, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		overlay[from] = filepath.Join(dir, name)
		if err := os.WriteFile(overlay[from], []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	list := filepath.Join(dir, "overlay.json")
	b, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, b, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "test", "-tags", "estabcount", "-overlay", list, "-run", "^TestCounted", "-v", ".").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestCountedRequest") {
		t.Errorf("%v\n%s", err, out)
		return
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "budget") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// inlined are the functions of the hot path that must cost no call, by folder.
var inlined = map[string][]string{
	".": {
		"(*Host).now", "(*Host).shard", "(*shard).Send", "(*shard).conn", "(*stash).pop", "(*stash).push", "class",
		"(*waiters).empty", "(*waiters).moveTo", "(*waiters).wake", "(*waiterPool).get", "(*waiterPool).put",
	},
	"./tcp": {
		"(*conn).has", "(*conn).set", "(*conn).clear", "(*conn).put", "(*conn).armed", "(*conn).disarm", "(*conn).rcvEdge",
		"(*conn).flightSize", "(*conn).unsent", "(*conn).effectiveMSS", "(*Engine).mark", "(*Engine).notify", "(*Engine).lookup",
		"(*Engine).clock", "(*Engine).Pending", "(*rtxQueue).at", "(*rtxQueue).len", "(*table).find",
		"slot.kind", "slot.idx", "slot.tag", "Time.Add", "Time.Sub", "acceptable",
	},
	"./internal/wire": {
		"(*Options).Has", "Flags.Has", "Flags.Any", "(*Segment).DataLen", "(*Segment).Len", "(*Segment).End", "Addr.Is4", "Addr.V4",
		"(*Slab).Bytes", "(*Slab).Cap", "(*Slab).Len", "(*Slab).Append", "(*Slab).Resize", "(*Slab).Trim", "sipRound", "sip.word", "Fold", "Combine",
	},
	"./internal/seq": {"Num.Less", "Num.LessEq", "Num.Diff", "Num.In", "Min", "Max"},
}

// Accessors are inlined: the compiler itself says so.
func TestAccessorsAreInlined(t *testing.T) {
	for dir, names := range inlined {
		out, err := exec.Command("go", "build", "-gcflags=-m", dir).CombinedOutput()
		if err != nil {
			t.Fatalf("go build -gcflags=-m %s: %v\n%s", dir, err, out)
		}
		said := string(out)
		for _, name := range names {
			if !strings.Contains(said, ": can inline "+name+"\n") {
				t.Errorf("%s: %s is not inlined, or has another name: go build -gcflags=-m=2 %s says why", dir, name, dir)
			}
		}
	}
}
