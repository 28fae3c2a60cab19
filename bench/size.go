package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// noProgram is who has no program in the row on sizes.
var noProgram = map[string]string{"loopback": "package net is what is compared with", "veth": "package net is what is compared with", "net.Pipe": "a rendezvous has no packets"}

// The smallest programs that open a connection.
const (
	netProgram = `package main

import "net"

func main() {
	c, err := net.Dial("tcp", "127.0.0.1:80")
	if err != nil {
		panic(err)
	}
	c.Write([]byte("x"))
}
`
	estabProgram = `package main

import "estab"

func main() {
	h, err := estab.NewHost(estab.Config{})
	if err != nil {
		panic(err)
	}
	c, err := h.Dial("tcp", "127.0.0.1:80")
	if err != nil {
		panic(err)
	}
	c.Write([]byte("x"))
}
`
	gvisorProgram = `package main

import (
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/loopback"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

func main() {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	if err := s.CreateNIC(1, loopback.New()); err != nil {
		panic(err)
	}
	addr := tcpip.AddrFrom4([4]byte{127, 0, 0, 1})
	pa := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: addr.WithPrefix()}
	if err := s.AddProtocolAddress(1, pa, stack.AddressProperties{}); err != nil {
		panic(err)
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
	c, err := gonet.DialTCP(s, tcpip.FullAddress{NIC: 1, Addr: addr, Port: 80}, ipv4.ProtocolNumber)
	if err != nil {
		panic(err)
	}
	c.Write([]byte("x"))
}
`
)

// built are the sizes that programSize has found, by program: they don't differ
// from run to run.
var built = map[string][]float64{}

// programSize builds a subject's smallest program and package net's, and
// returns by how many megabytes the first is larger, stripped, and how many
// packages it has that are neither the standard library's nor x/sys's nor the
// subject's own.
func programSize(w world, _ time.Duration) ([]float64, error) {
	program, own := estabProgram, "estab"
	if _, ok := w.(*gvisorWorld); ok {
		program, own = gvisorProgram, ""
	}
	if v := built[program]; v != nil {
		return v, nil
	}
	dir, err := os.MkdirTemp("", "estab-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	base, _, err := build(filepath.Join(dir, "net"), netProgram, "")
	if err != nil {
		return nil, err
	}
	size, foreign, err := build(filepath.Join(dir, "stack"), program, own)
	if err != nil {
		return nil, err
	}
	built[program] = []float64{float64(size-base) / 1e6, float64(foreign)}
	return built[program], nil
}

// build makes a module of a program, outside every workspace, with the
// requirements of this one, and builds it. Packages of the module called own
// are not foreign.
func build(dir, program, own string) (size int64, foreign int, err error) {
	bench, err := benchModule()
	if err != nil {
		return 0, 0, err
	}
	mod, err := os.ReadFile(filepath.Join(bench, "go.mod"))
	if err != nil {
		return 0, 0, err
	}
	sum, err := os.ReadFile(filepath.Join(bench, "go.sum"))
	if err != nil {
		return 0, 0, err
	}
	text := strings.Replace(string(mod), "module estab/bench", "module smallest", 1)
	text = strings.Replace(text, "=> ../", "=> "+filepath.Dir(bench), 1)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, 0, err
	}
	for name, content := range map[string]string{"go.mod": text, "go.sum": string(sum), "main.go": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return 0, 0, err
		}
	}
	if _, err := goTool(dir, "build", "-trimpath", "-ldflags=-s -w", "-o", "program", "."); err != nil {
		return 0, 0, err
	}
	st, err := os.Stat(filepath.Join(dir, "program"))
	if err != nil {
		return 0, 0, err
	}
	deps, err := goTool(dir, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")
	for _, p := range strings.Fields(deps) {
		if p != "smallest" && p != own && (own == "" || !strings.HasPrefix(p, own+"/")) && !strings.HasPrefix(p, "golang.org/x/sys/") {
			foreign++
		}
	}
	return st.Size(), foreign, err
}

// benchModule is the folder of this module.
func benchModule() (string, error) {
	out, err := goTool("", "list", "-m", "-f", "{{.Dir}}", "estab/bench")
	if err != nil {
		return "", fmt.Errorf("%w (run bench within the repository)", err)
	}
	return strings.TrimSpace(out), nil
}

// goTool runs the go command, outside the workspace if a folder is given.
func goTool(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	if dir != "" {
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "CGO_ENABLED=0")
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return string(out), err
}
