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
}

type edit struct{ file, old, new string }

// mutants are faults for which the engine has no switch.
func mutants() []mutant {
	return []mutant{
		{"LAST-ACK is ended by any ACK", "half-close", "A has not had its FIN", []edit{
			{"tcp/ack.go", "c.snd.UNA != c.snd.NXT {", "c.snd.UNA != c.snd.NXT && c.state != StateLastAck {"}}},
		{"the ISS is always 0", "both-crash", "another connection", []edit{
			{"tcp/iss.go", "return Num(t.Hash(e.keys.iss)) + Num(uint64(e.now)/4000)", "return 0"}}},
		{"the third segment is not checked", "old-handshake", "a ghost", []edit{
			{"tcp/arrives_listen.go", "case seg.Ack != h.iss+1:", "case false:"},
			{"tcp/ack.go", "if seg.Ack.LessEq(c.snd.UNA) || c.snd.NXT.Less(seg.Ack) {", "if seg.Ack = c.snd.NXT; false {"}}},
	}
}

// listed are faults of internal/mutants' list, each with the world that shows it
// and what the invariant says that it breaks. Each stands for a rule.
func listed(t *testing.T) []mutant {
	ms := []mutant{}
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
		m.edits = []edit{e}
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
	if r := Explore(&w, Options{}); r.Wrong != "" {
		t.Logf("FOUND in %d steps: %s", len(r.Trail.Steps), describe(&r))
	}
}
