package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// machine is what the figures were measured on.
type machine struct {
	CPU    string `json:"cpu"`
	Procs  int    `json:"procs"` // GOMAXPROCS
	System string `json:"system"`
	Go     string `json:"go"`
	Gvisor string `json:"gvisor"`
}

func thisMachine() machine {
	m := machine{CPU: runtime.GOARCH, Procs: runtime.GOMAXPROCS(0), System: runtime.GOOS, Go: runtime.Version(), Gvisor: version("gvisor.dev/gvisor")}
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == "model name" {
				m.CPU = strings.TrimSpace(v)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(b))
	}
	return m
}

func (m machine) String() string {
	return fmt.Sprintf("%s, GOMAXPROCS=%d, %s, %s, gVisor %s", m.CPU, m.Procs, m.System, m.Go, m.Gvisor)
}

// version is that of a module which this program was built with.
func version(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == path {
				if d.Replace != nil {
					d = d.Replace
				}
				return d.Version
			}
		}
	}
	return "unknown"
}
