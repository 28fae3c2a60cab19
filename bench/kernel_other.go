//go:build !linux

package main

import (
	"net"
)

func inNamespace() (code int, done bool) { return 0, false }

func noVeth() string         { return "veth is Linux's" }
func vethNote(wiring) string { return "" }

func newVeth(wiring) (world, error) { panic("asked for although there is none") }

// kernelWorld is the machine's own loopback.
type kernelWorld struct{ ln net.Listener }

func newLoopback(wiring) (world, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	return &kernelWorld{ln}, err
}

func (w *kernelWorld) dial() (net.Conn, error) { return net.Dial("tcp", w.ln.Addr().String()) }
func (w *kernelWorld) listener() net.Listener  { return w.ln }
func (w *kernelWorld) close()                  { w.ln.Close() }

// maxFiles is how many files a process may surely have open.
func maxFiles() int { return 256 }
