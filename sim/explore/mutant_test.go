package explore

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is a change of the engine, made to a copy of a file.
type mutant struct {
	name, world, why string
	edits            []edit
	quick            bool // in the small version of the world
}

type edit struct{ file, old, new string }

// mutants are faults for which the engine has no switch.
func mutants() []mutant {
	return []mutant{
		{name: "LAST-ACK is ended by any ACK", world: "half-close", why: "A has not had its FIN", edits: []edit{
			{"tcp/ack.go", "c.snd.UNA != c.snd.NXT {", "c.snd.UNA != c.snd.NXT && c.state != StateLastAck {"}}},
		{name: "the ISS is always 0", world: "both-crash", why: "another connection", edits: []edit{
			{"tcp/iss.go", "return Num(t.Hash(e.keys.iss)) + Num(uint64(e.now)/4000)", "return 0"}}},
		{name: "the third segment is not checked", world: "old-handshake", why: "a ghost", edits: []edit{
			{"tcp/arrives_listen.go", "case seg.Ack != h.iss+1:", "case false:"},
			{"tcp/ack.go", "if seg.Ack.LessEq(c.snd.UNA) || c.snd.NXT.Less(seg.Ack) {", "if seg.Ack = c.snd.NXT; false {"}}},
	}
}

// listed are faults of internal/mutants' list, each with the world that shows it
// and what the invariant says that it breaks. Each stands for a rule.
func listed(t *testing.T) []mutant {
	ms := []mutant{
		{name: "seq-less-is-plain", world: "wrap", why: ""},
		{name: "reset-anywhere-in-window", world: "blind", why: "a RST with number"},
		{name: "any-reset-ends-half-open", world: "blind", why: "a RST with number"},
		{name: "syn-ends-connection", world: "blind", why: "a SYN changes something in ESTABLISHED"},
		{name: "unacceptable-not-answered", world: "close", why: "is not answered"},
		{name: "ack-of-the-future-taken", world: "blind-ack", why: "bytes that are not the next ones"},
		{name: "listen-ignores-ack", world: "close", why: "no RST answers"},
		{name: "reset-answers-reset", world: "abort", why: "a RST is answered"},
		{name: "reset-acks-too-little", world: "refused", why: "its RST is not"},
		{name: "abort-resets-at-una", world: "abort", why: "its user aborts, and the RST has number"},
		{name: "syn-sent-takes-old-ack", world: "blind-simultaneous", why: "no RST answers"},
		{name: "syn-sent-takes-bare-reset", world: "passive-to-active", why: "ends SYN-SENT"},
		{name: "simultaneous-open-is-established", world: "simultaneous-open", why: "in ESTABLISHED, with"},
		{name: "fin-not-counted", world: "close", why: "take 2 numbers"},
		{name: "fin-twice-in-snd-nxt", world: "close", why: "numbers"},
		{name: "simultaneous-close-skips-closing", world: "simultaneous-close", why: "FIN-WAIT-1 to TIME-WAIT by an ACK"},
		{name: "close-wait-never-last-ack", world: "close", why: "in CLOSE-WAIT, with its FIN sent true"},
		{name: "time-wait-one-msl", world: "close", why: "TIME-WAIT lasts 10s"},
		{name: "time-wait-not-restarted", world: "close", why: "TIME-WAIT lasts 19s"},
		{name: "time-wait-assassination", world: "passive-to-active", why: "ends TIME-WAIT"},
		{name: "timer-not-armed", world: "close", why: "no timer runs"},
		{name: "persist-not-armed", world: "zero-window", why: "no timer runs"},
		{name: "window-update-needs-new-ack", world: "zero-window", why: "a newer segment offers a window"},
		{name: "probe-in-the-window", world: "zero-window", why: "connection timed out"},
		{name: "ack-of-the-past-taken", world: "blind-ack", why: "bytes that are not the next ones"},
		{name: "beyond-the-peers-window", world: "zero-window", why: "its peer has allowed for"},
		{name: "time-wait-reopened-by-older", world: "blind-time-wait", why: "TIME-WAIT to SYN-RECEIVED"},
		{name: "reopened-iss-not-higher", world: "reuse-at-once", why: "goes back"},
		{name: "window-not-used-up", world: "zero-window", why: "offered room"},
		{name: "old-segment-updates-window", world: "unread", why: "an old segment makes its window"},
		{name: "orphan-swallows-text", world: "orphan", why: "no RST tells"},
		{name: "unread-data-closed-politely", world: "unread", why: "no RST tells"},
		{name: "orphan-waits-for-ever", world: "orphan", why: "never come to rest"},
	}
	b, err := os.ReadFile("../../internal/mutants/mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i := range ms {
		m := &ms[i]
		_, block, ok := strings.Cut("\n"+string(b), "\n# "+m.name+"\n")
		if !ok {
			t.Fatalf("internal/mutants has no %s any more", m.name)
		}
		block, _, _ = strings.Cut(block, "\n\n")
		var e edit
		for line := range strings.SplitSeq(strings.TrimSuffix(block, "\n"), "\n") {
			switch kind, rest, _ := strings.Cut(line, " "); kind {
			case "file:":
				e.file = rest
			case "-":
				e.old += "\n" + rest
			case "+":
				e.new += "\n" + rest
			}
		}
		e.old, e.new = strings.TrimPrefix(e.old, "\n"), strings.TrimPrefix(e.new, "\n")
		m.edits, m.quick = []edit{e}, true
	}
	return ms
}

// TestMutants: faults planted into a copy of the engine are found, each with a
// shortest way to it. It builds the engine anew for each.
func TestMutants(t *testing.T) {
	if !long() {
		t.Skip("builds the engine with each fault: set ESTAB_LONG=1")
	}
	for _, m := range append(mutants(), listed(t)...) {
		t.Run(m.name, func(t *testing.T) {
			overlay, err := m.overlay(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("go", "test", "-count=1", "-overlay", overlay, "-run", "TestMutantWorld", "-v", ".")
			cmd.Env = append(os.Environ(), "ESTAB_MUTANT_WORLD="+m.world)
			if m.quick {
				cmd.Env = append(cmd.Env, "ESTAB_MUTANT_QUICK=1")
			}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "FOUND") || !strings.Contains(string(out), m.why) {
				t.Fatalf("not found (%v):\n%s", err, out)
			}
			t.Logf("\n%s", out)
		})
	}
}

// overlay writes the changed files, and what tells the go command of them.
func (m *mutant) overlay(dir string) (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, e := range m.edits {
		from := filepath.Join(root, e.file)
		source, to := from, filepath.Join(dir, filepath.Base(e.file))
		if replace[from] != "" {
			source = to // it has been changed before
		}
		b, err := os.ReadFile(source)
		if err != nil {
			return "", err
		}
		if strings.Count(string(b), e.old) != 1 {
			return "", &os.PathError{Op: "find its place", Path: from, Err: os.ErrNotExist}
		}
		if err := os.WriteFile(to, []byte(strings.Replace(string(b), e.old, e.new, 1)), 0o666); err != nil {
			return "", err
		}
		replace[from] = to
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, b, 0o666)
}

// TestMutantsApply: each still finds its place in the source.
func TestMutantsApply(t *testing.T) {
	for _, m := range append(mutants(), listed(t)...) {
		if _, err := m.overlay(t.TempDir()); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

// TestMutantWorld searches a world with whatever engine it was built with.
func TestMutantWorld(t *testing.T) {
	w, ok := WorldByName(os.Getenv("ESTAB_MUTANT_WORLD"))
	if !ok {
		t.Skip("for TestMutants")
	}
	if os.Getenv("ESTAB_MUTANT_QUICK") != "" {
		w = quick(w)
	}
	if r := Explore(&w, Options{}); r.Wrong != "" {
		t.Logf("FOUND in %d steps: %s", len(r.Trail.Steps), describe(&r))
	}
}
