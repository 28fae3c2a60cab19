package main

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
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
	msl     time.Duration // half of TIME-WAIT; 0: whatever suits the subject
	ports   int           // on so many the server listens, as far as a subject's ports would run out; 0: one
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
		{"estab", fixed("link.Pair, default configuration"), always, newEstab},
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

	ports int // dial goes round them
	next  atomic.Uint32
}

func estabHost(cfg estab.Config, addr string, links ...estab.LinkConfig) (*estab.Host, error) {
	cfg.Links = links
	cfg.Links[0].Addrs = []netip.Prefix{netip.MustParsePrefix(addr)}
	return estab.NewHost(cfg)
}

func newEstab(w wiring) (world, error) { return newEstabWith(w, estab.Config{}) }

func newEstabWith(w wiring, cfg estab.Config) (*estabWorld, error) {
	cfg.MSL = w.msl
	a, b := link.Pair(link.PairOptions{MTU: w.mtu, Trusted: w.trusted})
	ew := &estabWorld{ports: max(w.ports, 1)}
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
	var all []net.Listener
	for i := range ew.ports {
		l, err := ew.server.Listen("tcp", fmt.Sprintf(":%d", 80+i))
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	ew.ln = all[0]
	if len(all) > 1 {
		ew.ln = joinListeners(all)
	}
	return ew, nil
}

func (w *estabWorld) dial() (net.Conn, error) {
	if w.ports == 1 {
		return w.client.Dial("tcp", "10.0.0.2:80")
	}
	return w.client.Dial("tcp", fmt.Sprintf("10.0.0.2:%d", 80+int(w.next.Add(1))%w.ports))
}
func (w *estabWorld) listener() net.Listener { return w.ln }
func (w *estabWorld) close()                 { w.client.Close(); w.server.Close() }
func (w *estabWorld) raw() rawLink           { return w.ghosts }

func (w *estabWorld) listen(port int) (net.Listener, error) {
	return w.server.Listen("tcp", fmt.Sprintf(":%d", port))
}

var _, _ rawWorld = (*estabWorld)(nil), (*gvisorWorld)(nil)

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

// joined accepts from several listeners.
type joined struct {
	net.Listener // the first
	conns        chan net.Conn
}

func joinListeners(all []net.Listener) *joined {
	j := &joined{all[0], make(chan net.Conn)}
	for _, l := range all {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				j.conns <- c
			}
		}()
	}
	return j
}

func (j *joined) Accept() (net.Conn, error) { return <-j.conns, nil }
