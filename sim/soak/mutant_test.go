package soak

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEngineFault plants a fault into a copy of the engine: the last byte of a
// segment that arrives out of order is not kept. It must be caught, and the
// world made small. It builds the engine anew.
func TestEngineFault(t *testing.T) {
	overlay := faultyEngine(t)
	if !long() {
		t.Skip("builds the engine with the fault: set ESTAB_LONG=1")
	}
	cmd := exec.Command("go", "test", "-count=1", "-overlay", overlay, "-run", "TestFaultyWorlds", "-v", ".")
	cmd.Env = append(os.Environ(), "ESTAB_FAULTY=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "FAILED: seed") {
		t.Fatalf("not caught (%v):\n%s", err, out)
	}
	t.Logf("\n%s", out)
}

// faultyEngine writes the changed file, and what tells the go command of it.
func faultyEngine(t *testing.T) (overlay string) {
	const old, changed = "r.write(pool, a, p[a-from:b-from])", "r.write(pool, a, p[a-from:b-from-1])"
	file, err := filepath.Abs("../../tcp/reassembly.go")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(b), old) != 1 {
		t.Fatalf("%s has no %q", file, old)
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
		return name
	}
	faulty := write("reassembly.go", []byte(strings.Replace(string(b), old, changed, 1)))
	list, _ := json.Marshal(map[string]any{"Replace": map[string]string{file: faulty}})
	return write("overlay.json", list)
}

// TestFaultyWorlds plays worlds with whatever engine it was built with.
func TestFaultyWorlds(t *testing.T) {
	if os.Getenv("ESTAB_FAULTY") == "" {
		t.Skip("for TestEngineFault")
	}
	p, _ := ProfileByName("mixed")
	s := Run(&Options{Profile: p, To: 2000})
	b := &strings.Builder{}
	s.Write(b, 0, "estab lab soak")
	t.Log(b)
	if len(s.Failures) > 0 && (len(s.Failures[0].Small.Talks) > 1 || len(s.Failures[0].Small.Faults) > 1) {
		t.Error("the world is not small")
	}
}
