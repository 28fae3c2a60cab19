package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"estab"
	"estab/internal/trace"
	"estab/tcp"
)

// fetchOptions are the flags of estab fetch.
type fetchOptions struct {
	tun      tunOptions
	out      string
	dns      string
	insecure bool
	ladder   bool
	json     bool
	color    string
}

func newFetchCmd() *cobra.Command {
	var o fetchOptions
	cmd := &cobra.Command{
		Use:   "fetch URL",
		Short: "Get a file from a server in this machine's kernel, through estab",
		Long: `fetch puts estab at the other end of a TUN device and gets a file through it with
an ordinary http.Client (HTTP/1.1, HTTP/2, TLS): from a server on this machine, at
the kernel's address on the device, or from wherever the kernel routes to. The
file is complete when it has its name; its SHA-256 is printed.

The device is made if it does not exist, which takes root, or a network namespace
of one's own (unshare -Urn); see estab serve --help for how to do without.

A URL with a name needs --dns: the address of a name server that estab can reach.
It is asked by TCP, since estab has no UDP.`,
		Example: `  python3 -m http.server --bind 0.0.0.0 8000 &
  estab fetch http://10.77.0.1:8000/README.md --tun estab0 --addr 10.77.0.2/24
  estab fetch http://10.77.0.1:8000/big.iso -o - --ladder | sha256sum
  estab fetch https://go.dev/VERSION?m=text -o VERSION --dns 9.9.9.9`,
		Args: oneArg("name a URL, such as http://10.77.0.1:8000/file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runFetch(cmd.Context(), &o, args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.out, "output", "o", "", "write to this file; - is stdout (default: the last part of the URL's path)")
	o.tun.flags(f)
	f.StringVar(&o.dns, "dns", "", "a name server, such as 9.9.9.9 or [2620:fe::fe]:53")
	f.BoolVarP(&o.insecure, "insecure", "k", false, "don't verify the server's certificate")
	f.BoolVar(&o.ladder, "ladder", false, "show the connection, segment by segment where it opens and closes")
	f.BoolVar(&o.json, "json", false, "print the facts as JSON")
	f.StringVar(&o.color, "color", "auto", "colour: auto (on a terminal), always or never")
	return cmd
}

// fetched is what became of a fetch.
type fetched struct {
	url     string
	status  string
	proto   string
	file    string // "" is stdout
	bytes   int64
	elapsed time.Duration // from the request to the last byte
	connect time.Duration // what the handshake took
	sum     [sha256.Size]byte
	info    estab.Info // estab's end when the last byte had come
	host    *tunHost
	builder *trace.Builder
	ladder  *trace.Ladder // nil: not wanted
}

// check looks for what can't be meant.
func (o *fetchOptions) check(rawURL string) (*url.URL, estab.Resolver, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		var uerr *url.Error
		if errors.As(err, &uerr) {
			err = uerr.Err
		}
		return nil, nil, usagef("%s: %v", rawURL, err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, nil, usagef("%s: want a URL such as http://10.77.0.1:8000/file", rawURL)
	case o.color != "auto" && o.color != "always" && o.color != "never":
		return nil, nil, usagef("--color %s: want auto, always or never", o.color)
	}
	if o.dns == "" {
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			return nil, nil, usagef("%s: to look up a name takes a name server: give --dns ADDRESS, or an IP address in the URL", u.Hostname())
		}
		return u, nil, nil
	}
	server, err := nameServer(o.dns)
	if err != nil {
		return nil, nil, usagef("--dns %s: want an IP address, such as 9.9.9.9 or [2620:fe::fe]:53", o.dns)
	}
	return u, &tcpResolver{server: server}, nil
}

func nameServer(s string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(a, 53), nil
	}
	return netip.ParseAddrPort(s)
}

// tcpResolver is Go's own resolver, which asks one server by TCP through the
// host.
type tcpResolver struct {
	server netip.AddrPort
	host   *estab.Host
}

// LookupNetIP is part of estab.Resolver.
func (r *tcpResolver) LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error) {
	res := net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return r.host.DialTCP(ctx, r.server) // no PacketConn: so it speaks DNS over TCP (RFC 7766)
	}}
	addrs, err := res.LookupNetIP(ctx, network, name)
	var derr *net.DNSError
	if errors.As(err, &derr) {
		derr.Server = r.server.String() // not the one of resolv.conf
	}
	return addrs, err
}

// output is the file that the URL's last part names, if the user names none.
func (o *fetchOptions) output(u *url.URL) (string, error) {
	switch o.out {
	case "-":
		return "", nil
	case "":
	default:
		if i, err := os.Stat(o.out); err == nil && !i.Mode().IsRegular() {
			return "", usagef("-o %s: not a regular file", o.out)
		}
		return o.out, nil
	}
	name := path.Base(u.Path)
	if strings.HasSuffix(u.Path, "/") || name == "." || name == "/" || name == ".." || strings.ContainsAny(name, "/\\\x00") {
		return "", usagef("%s: the URL names no file: say where to with -o", u)
	}
	if _, err := os.Lstat(name); err == nil {
		return "", usagef("%s: exists already: -o %s overwrites it", name, name)
	}
	return name, nil
}

func runFetch(ctx context.Context, o *fetchOptions, rawURL string, stdout, stderr io.Writer) error {
	u, resolver, err := o.check(rawURL)
	if err != nil {
		return err
	}
	name, err := o.output(u)
	if err != nil {
		return err
	}
	file, err := newPartial(name, stdout)
	if err != nil {
		return usagef("-o %s: %v", name, reason(err))
	}
	defer file.discard()
	f := &fetched{url: u.String(), file: name}
	if o.ladder {
		f.builder = trace.NewBuilder(trace.End{Name: "estab"}, trace.End{Name: "kernel", Addr: u.Host}, tcp.Tuple{})
	}
	h, err := o.tun.open(estab.Config{Resolver: resolver, Shards: 1, Events: ringSize}, "estab fetch", f.builder)
	if err != nil {
		return err
	}
	f.host = h
	defer h.host.Close()
	if r, ok := resolver.(*tcpResolver); ok {
		r.host = h.host
	}
	ctx, stop := h.watch(ctx)
	defer stop()
	report := stdout
	if name == "" {
		report = stderr
	}
	term := terminalOf(report, stderr, o.color)
	if err := f.get(ctx, o, u, file, term); err != nil {
		return errors.Join(err, h.close())
	}
	if err := errors.Join(h.close(), file.keep()); err != nil {
		return err
	}
	if o.json {
		return f.writeJSON(report)
	}
	return f.write(report, term.color)
}

// connectTime is how long a server may take to answer a SYN.
const connectTime = 30 * time.Second

// get fetches into the file, closes the connection and notes how that went.
func (f *fetched) get(ctx context.Context, o *fetchOptions, u *url.URL, file io.Writer, term *terminal) error {
	var conn *estab.Conn // the latest: of a chain of redirections the one that the file came by
	var story history
	dialer := estab.Dialer{Host: f.host.host, Timeout: connectTime}
	transport := &http.Transport{
		DisableCompression: true, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: o.insecure},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			began := time.Now()
			c, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			f.connect = time.Since(began)
			conn = c.(*estab.Conn)
			story.take(f.host.host)
			return c, nil
		},
	}
	if err := f.body(ctx, &http.Client{Transport: transport}, u, file, term); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx) // why, if the device is gone
		}
		return err
	}
	var err error
	if f.info, err = conn.Info(); err != nil {
		f.info = estab.Info{} // the server has closed, and net/http with it
	}
	transport.CloseIdleConnections()
	if err := f.host.drain(); err != nil {
		return err
	}
	if o.ladder {
		f.tell(&story, conn)
	}
	return nil
}

// body makes the request and copies what comes.
func (f *fetched) body(ctx context.Context, client *http.Client, u *url.URL, file io.Writer, term *terminal) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return usageError{err}
	}
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", u, unwrapURL(err))
	}
	defer resp.Body.Close()
	f.url, f.status, f.proto = resp.Request.URL.String(), resp.Status, resp.Proto
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", f.url, resp.Status)
	}
	bar := term.bar(resp.ContentLength)
	sum := sha256.New()
	f.bytes, err = io.CopyBuffer(io.MultiWriter(file, sum, bar), resp.Body, make([]byte, 256<<10))
	bar.done()
	f.elapsed = time.Since(began)
	sum.Sum(f.sum[:0])
	if err != nil {
		return fmt.Errorf("%s: after %s: %w", u, trace.Size(uint64(f.bytes)), err)
	}
	return nil
}
