package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"estab"
)

// serveOptions are the flags of estab serve.
type serveOptions struct {
	tun  tunOptions
	port uint16
	json bool
}

func newServeCmd() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve DIR",
		Short: "Serve a folder over HTTP to this machine's kernel",
		Long: `serve puts estab at the other end of a TUN device and serves a folder from there
with an ordinary net/http server: what curl or a browser on this machine fetches
comes over estab's TCP. It says what to type on the other side, and prints a line
for each request. Ctrl-C ends it: no new connections, the transfers under way are
finished, and what was sent is acknowledged.

The device is made if it does not exist, which takes root, or a network namespace
of one's own (unshare -Urn). Without root, let root make it for you once; the
kernel's address is the one that you give it there:

  ip tuntap add dev estab0 mode tun user alice
  ip addr add 10.77.0.1/24 dev estab0
  ip link set estab0 up`,
		Example: `  estab serve . --tun estab0 --addr 10.77.0.2/24
  estab serve ~/public --addr 10.77.0.2/24,fd77::2/64 --port 8080
  estab serve . --json --pcap served.pcapng`,
		Args: oneArg("name a folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runServe(cmd.Context(), &o, args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.tun.flags(f)
	f.Uint16Var(&o.port, "port", 80, "the port; estab's, which needs no right")
	f.BoolVar(&o.json, "json", false, "print what happens as JSON, an object a line")
	return cmd
}

// runServe serves until the context ends, or SIGTERM comes.
func runServe(ctx context.Context, o *serveOptions, dir string, stdout, stderr io.Writer) error {
	if o.port == 0 {
		return usagef("--port 0: want a port from 1 to 65535")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return usagef("%s: %v", dir, reason(err))
	}
	defer root.Close()
	h, err := o.tun.open(estab.Config{}, "estab serve", nil)
	if err != nil {
		return err
	}
	defer h.host.Close()
	l, err := h.host.Listen("tcp", fmt.Sprintf(":%d", o.port))
	if err != nil {
		return err
	}

	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	ctx, stopWatch := h.watch(ctx)
	defer stopWatch()

	log := newServeLog(stdout, terminalOf(stdout, stderr, "auto").progress, o.json)
	log.begin(dir, o.urls(h.addrs), h)
	srv := &http.Server{
		Handler:           log.watch(http.FileServerFS(root.FS())),
		ConnContext:       withConn,
		ConnState:         log.conns.note,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		ErrorLog:          log.errors(),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err = <-served:
	case <-ctx.Done():
		if err = h.dev.Err(); err == nil {
			stop() // a second signal ends us at once
			err = endServing(srv, h, log)
		}
	}
	log.conns.reset()
	srv.Close()
	log.end(h)
	return errors.Join(err, h.close())
}

// finishTime is how long transfers may go on after Ctrl-C.
const finishTime = 30 * time.Second

// endServing ends in order: the listener first, then the transfers, then the
// connections. A second Ctrl-C cuts it short.
func endServing(srv *http.Server, h *tunHost, log *serveLog) error {
	log.finishing()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	limited, cancel := context.WithTimeout(ctx, finishTime)
	defer cancel()
	if err := srv.Shutdown(limited); err != nil {
		if ctx.Err() != nil {
			return errors.New("cut off before the last transfer was through")
		}
		return fmt.Errorf("the last transfer was not through after %v", finishTime)
	}
	return h.drain()
}

// urls are where the folder is to be found, from the kernel's side.
func (o *serveOptions) urls(addrs []netip.Prefix) (urls []string) {
	for _, p := range addrs {
		host := netip.AddrPortFrom(p.Addr(), o.port).String()
		if o.port == 80 {
			host = strings.TrimSuffix(host, ":80")
		}
		urls = append(urls, "http://"+host+"/")
	}
	return urls
}

// reason is an error of package os without the name of the call and the path.
func reason(err error) error {
	var perr *os.PathError
	if errors.As(err, &perr) {
		return perr.Err
	}
	return err
}

// connSet are a server's connections.
type connSet struct {
	mu  sync.Mutex
	set map[net.Conn]bool
}

// note is an http.Server's ConnState.
func (s *connSet) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		if s.set == nil {
			s.set = make(map[net.Conn]bool)
		}
		s.set[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(s.set, c)
	}
}

// answerTime is how long a host still answers after it has reset connections.
const answerTime = 100 * time.Millisecond

// reset ends those that are left. A peer that has not got everything asks
// first whether the reset is meant (RFC 5961 §3): there has to be somebody to
// say so.
func (s *connSet) reset() {
	s.mu.Lock()
	n := len(s.set)
	for c := range s.set {
		c.(*estab.Conn).SetLinger(0)
		c.Close()
	}
	s.mu.Unlock()
	if n > 0 {
		time.Sleep(answerTime)
	}
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}
