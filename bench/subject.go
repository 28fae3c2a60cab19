package main

import (
	"net"
	"net/netip"
	"time"

	"estab"
	"estab/link"
)

// world is one subject's two ends, joined by its best link.
type world interface {
	dial() (net.Conn, error)
	listener() net.Listener
	close()
}

// wiring is what a world is asked to be.
type wiring struct {
	mtu     int
	trusted bool          // the link vouches for its bytes: no checksums
	raw     bool          // the server has a second link, which the row drives by hand
	msl     time.Duration // half of TIME-WAIT; 0: 100 ms, so that thousands of connections a second don't run out of ports
	procs   int           // GOMAXPROCS while the world is made; 0: as it is
	gvisor  string        // its configuration; "": default
}

// subject makes worlds of one stack.
type subject struct {
	name    string
	note    func(wiring) string // what its configuration is
	missing func() string       // why there is none on this machine, or ""
	make    func(wiring) (world, error)
}

func always() string { return "" }

func fixed(s string) func(wiring) string { return func(wiring) string { return s } }

func subjects() []subject {
	return []subject{
		{"estab", fixed("link.Pair, default configuration but for MSL"), always, newEstab},
		{"gVisor", gvisorNote, always, newGvisor},
		{"loopback", fixed("Linux, lo of a network namespace of its own, package net"), always, newLoopback},
		{"veth", vethNote, noVeth, newVeth},
		{"net.Pipe", fixed("a rendezvous, no buffer, no TCP"), always, newPipe},
	}
}

// estabWorld is two hosts joined by a Pair.
type estabWorld struct {
	client, server *estab.Host
	ln             net.Listener
	ghosts         *estabRaw
}

func estabHost(cfg estab.Config, addr string, links ...estab.LinkConfig) (*estab.Host, error) {
	cfg.Links = links
	cfg.Links[0].Addrs = []netip.Prefix{netip.MustParsePrefix(addr)}
	return estab.NewHost(cfg)
}

func newEstab(w wiring) (world, error) { return newEstabWith(w, estab.Config{}) }

func newEstabWith(w wiring, cfg estab.Config) (*estabWorld, error) {
	cfg.MSL = w.msl
	if w.msl == 0 {
		cfg.MSL = 100 * time.Millisecond
	}
	a, b := link.Pair(link.PairOptions{MTU: w.mtu, Trusted: w.trusted})
	ew := &estabWorld{}
	links := []estab.LinkConfig{{Link: b}}
	if w.raw {
		near, far := link.Pair(link.PairOptions{MTU: 1500})
		ew.ghosts = &estabRaw{end: far}
		if err := far.Attach(ew.ghosts); err != nil {
			return nil, err
		}
		links = append(links, estab.LinkConfig{Link: near, Addrs: []netip.Prefix{ghostServer4, ghostServer6}})
	}
	var err error
	if ew.client, err = estabHost(cfg, "10.0.0.1/24", estab.LinkConfig{Link: a}); err != nil {
		return nil, err
	}
	if ew.server, err = estabHost(cfg, "10.0.0.2/24", links...); err != nil {
		return nil, err
	}
	ew.ln, err = ew.server.Listen("tcp", ":80")
	return ew, err
}

func (w *estabWorld) dial() (net.Conn, error) { return w.client.Dial("tcp", "10.0.0.2:80") }
func (w *estabWorld) listener() net.Listener  { return w.ln }
func (w *estabWorld) close()                  { w.client.Close(); w.server.Close() }
func (w *estabWorld) raw() rawLink            { return w.ghosts }

// pipeWorld hands the other end of a net.Pipe to whoever accepts.
type pipeWorld struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipe(wiring) (world, error) {
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
