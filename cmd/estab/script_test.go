package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"estab/script/kernel"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"estab": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the command as a user does: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "json": jsonField, "pcapng": pcapng},
		Condition: func(name string) (bool, error) {
			if name != "kernel" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return kernel.Allowed() == nil, nil
		},
	})
}

// status runs a command that must end with the given status, say nothing on
// stdout and one line on stderr: status 2 estab …
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status n command …")
	}
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("status %d, want %s (%v)", code, args[0], err)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("stdout: %q", out)
	}
	if e := ts.ReadFile("stderr"); strings.Count(e, "\n") != 1 || !strings.HasSuffix(e, "\n") {
		ts.Fatalf("stderr is not one line: %q", e)
	}
}

// jsonField compares a field of the JSON on stdout: json path.to.0.field value
func jsonField(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: json path value")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for _, name := range strings.Split(args[0], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(x) {
				ts.Fatalf("%s: no element %q", args[0], name)
			}
			v = x[i]
		}
	}
	if got := fmt.Sprint(v); got != args[1] {
		ts.Fatalf("%s is %s, want %s", args[0], got, args[1])
	}
}

// pcapng checks the frame of a capture: block by block, IPv4 in each packet.
func pcapng(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: pcapng file")
	}
	b := []byte(ts.ReadFile(args[0]))
	count := map[uint32]int{}
	for len(b) > 0 {
		kind, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if n < 12 || int(n) > len(b) || binary.LittleEndian.Uint32(b[n-4:]) != n {
			ts.Fatalf("a block of %d bytes", n)
		}
		if kind == 6 && b[28] != 0x45 {
			ts.Fatalf("a packet that begins with %#x", b[28])
		}
		count[kind]++
		b = b[n:]
	}
	if count[0x0a0d0d0a] != 1 || count[1] != 2 || count[6] < 10 {
		ts.Fatalf("blocks: %v", count)
	}
}
