package main

import (
	"net"
	"net/netip"
	"time"

	"estab"
	"estab/link"
)

// world is one subject's two ends, joined by its best link in memory.
type world interface {
	dial() (net.Conn, error)
	listener() net.Listener
	close()
}

// wire is what the link of a world is asked to be.
type wire struct {
	mtu     int
	trusted bool // the link vouches for its bytes: no checksums
}

// subject makes worlds of one stack.
type subject struct {
	name string
	note string // what its configuration is, for the report
	make func(wire) (world, error)
}

func subjects() []subject {
	return []subject{
		{name: "estab", note: "link.Pair, default configuration", make: newEstab},
		{name: "gVisor", note: "link/pipe, SACK on, CUBIC, 4 MiB buffers at most", make: newGvisor},
		{name: "kernel", note: "loopback, package net", make: newKernel},
		{name: "net.Pipe", note: "a rendezvous, no buffer, no TCP", make: newPipe},
	}
}

// estabWorld is two hosts joined by a Pair.
type estabWorld struct {
	client, server *estab.Host
	ln             net.Listener
}

func newEstab(w wire) (world, error) {
	a, b := link.Pair(link.PairOptions{MTU: w.mtu, Trusted: w.trusted})
	host := func(l link.Link, addr string) (*estab.Host, error) {
		return estab.NewHost(estab.Config{MSL: 100 * time.Millisecond, Links: []estab.LinkConfig{
			{Link: l, Addrs: []netip.Prefix{netip.MustParsePrefix(addr)}}}})
	}
	client, err := host(a, "10.0.0.1/24")
	if err != nil {
		return nil, err
	}
	server, err := host(b, "10.0.0.2/24")
	if err != nil {
		return nil, err
	}
	ln, err := server.Listen("tcp", ":80")
	return &estabWorld{client, server, ln}, err
}

func (w *estabWorld) dial() (net.Conn, error) { return w.client.Dial("tcp", "10.0.0.2:80") }
func (w *estabWorld) listener() net.Listener  { return w.ln }
func (w *estabWorld) close()                  { w.client.Close(); w.server.Close() }

// kernelWorld is the machine's own loopback.
type kernelWorld struct{ ln net.Listener }

func newKernel(wire) (world, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	return &kernelWorld{ln}, err
}

func (w *kernelWorld) dial() (net.Conn, error) { return net.Dial("tcp", w.ln.Addr().String()) }
func (w *kernelWorld) listener() net.Listener  { return w.ln }
func (w *kernelWorld) close()                  { w.ln.Close() }

// pipeWorld hands the other end of a net.Pipe to whoever accepts.
type pipeWorld struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipe(wire) (world, error) {
	return &pipeWorld{make(chan net.Conn, 128), make(chan struct{})}, nil
}

func (w *pipeWorld) dial() (net.Conn, error) {
	a, b := net.Pipe()
	w.conns <- b
	return a, nil
}
func (w *pipeWorld) listener() net.Listener { return w }
func (w *pipeWorld) close()                 { close(w.done) }

func (w *pipeWorld) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}
func (w *pipeWorld) Close() error   { return nil }
func (w *pipeWorld) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
