package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"estab"
	"estab/internal/trace"
	"estab/link"
	"estab/link/tun"
)

// tunOptions say where estab meets the kernel.
type tunOptions struct {
	name  string
	addrs []string
	mtu   int
	pcap  string
}

func (o *tunOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.name, "tun", "estab0", "the TUN device: made, or opened if it exists")
	f.StringSliceVar(&o.addrs, "addr", []string{"10.77.0.2/24"}, "estab's addresses on it, with their prefixes; IPv4, IPv6 or both")
	f.IntVar(&o.mtu, "mtu", 0, "MTU of the device in bytes (default as it is, 1500 on a new one)")
	f.StringVar(&o.pcap, "pcap", "", "write a capture for Wireshark to this file (pcapng)")
}

// tunHost is an estab host whose only link leads to the kernel.
type tunHost struct {
	host   *estab.Host
	dev    *tun.Device
	start  time.Time // what the tap's times count from
	shift  time.Duration
	addrs  []netip.Prefix // estab's
	kernel []netip.Prefix // the kernel's, one for each of these
	tap    *tap           // may be nil

	askedMTU int // of the device; 0: the kernel's
}

// open makes the device and the host. builder, if not nil, is told of each
// packet. What keeps it from that is the user's to mend.
func (o *tunOptions) open(cfg estab.Config, program string, builder *trace.Builder) (*tunHost, error) {
	h := &tunHost{start: time.Now(), askedMTU: o.mtu}
	var err error
	if h.addrs, err = parseAddrs(o.addrs); err != nil {
		return nil, err
	}
	if h.kernel, err = kernelAddrs(o.name, h.addrs); err != nil {
		return nil, err
	}
	if builder != nil || o.pcap != "" {
		h.tap = newTap(h.start, builder)
	}
	// First what can't be mended by anybody but the user: nothing is left
	// half-made, a file without a device least of all.
	h.dev, err = tun.Open(tun.Config{Name: o.name, MTU: o.mtu, Addrs: h.kernel})
	if err != nil {
		return nil, o.deviceError(err, h.kernel)
	}
	var l link.Link = h.dev
	if h.tap != nil {
		if l, err = link.Impair(h.dev, link.Impairment{Observe: h.tap.observe}); err != nil {
			h.dev.Close()
			return nil, err
		}
	}
	if o.pcap != "" {
		err := h.beginCapture(o.pcap, program)
		if err != nil {
			h.dev.Close()
			return nil, err
		}
	}
	cfg.Links = []estab.LinkConfig{{Link: l, Addrs: h.addrs, Name: h.dev.Name()}}
	cfg.Routes = []estab.Route{{Dst: netip.MustParsePrefix("0.0.0.0/0")}, {Dst: netip.MustParsePrefix("::/0")}}
	h.shift = time.Since(h.start)
	if h.host, err = estab.NewHost(cfg); err != nil {
		h.dev.Close()
		return nil, usageError{err}
	}
	return h, nil
}

func (h *tunHost) beginCapture(path, program string) error {
	f, err := os.Create(path)
	if err != nil {
		return usagef("--pcap: %w", err)
	}
	return h.tap.capture(f, program,
		trace.Interface{Name: "estab", Description: "what estab sends to " + h.dev.Name()},
		trace.Interface{Name: "kernel", Description: "what the kernel sends to " + h.dev.Name()})
}

// close ends the host at once, and the capture.
func (h *tunHost) close() error {
	err := h.host.Close()
	if h.tap != nil {
		err = errors.Join(err, h.tap.finish())
	}
	return err
}

// watch returns a context that ends when the device does, and says why.
func (h *tunHost) watch(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		tick := time.NewTicker(time.Second / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := h.dev.Err(); err != nil {
					cancel(err)
				}
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// drainTime is how long a host waits at its end for what is not acknowledged.
const drainTime = 5 * time.Second

// drain lets what was sent arrive.
func (h *tunHost) drain() error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), drainTime,
		fmt.Errorf("not everything was acknowledged within %v", drainTime))
	defer cancel()
	if err := h.host.Shutdown(ctx); err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// parseAddrs reads estab's own addresses.
func parseAddrs(list []string) (addrs []netip.Prefix, err error) {
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			if a, aerr := netip.ParseAddr(s); aerr == nil {
				bits := 24
				if !a.Is4() {
					bits = 64
				}
				return nil, usagef("--addr %s: want the prefix of its network with it, such as %s/%d", s, a, bits)
			}
			return nil, usagef("--addr %s: want an address with its prefix, such as 10.77.0.2/24", s)
		}
		if a := p.Addr(); a.Is4In6() || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() || p.Bits() == 0 {
			return nil, usagef("--addr %s: not a host's address in a network", s)
		}
		addrs = append(addrs, p)
	}
	if len(addrs) == 0 {
		return nil, usagef("--addr: want an address with its prefix, such as 10.77.0.2/24")
	}
	return addrs, nil
}

// kernelAddrs are the addresses that the kernel has, or will get, on the
// device: in each of estab's networks one that it has there, or else the
// first that is not estab's.
func kernelAddrs(device string, addrs []netip.Prefix) (kernel []netip.Prefix, err error) {
	var have []netip.Prefix
	ifs, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for _, i := range ifs {
		as, err := i.Addrs()
		if err != nil {
			return nil, err
		}
		for _, a := range as {
			p, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			for _, mine := range addrs {
				if p.Addr() == mine.Addr() {
					return nil, usagef("--addr %v: the kernel has that address itself, on %s: choose another", mine, i.Name)
				}
			}
			if i.Name == device {
				have = append(have, p)
			}
		}
	}
	for _, mine := range addrs {
		k, ok := inNetwork(have, mine)
		if !ok {
			if k, ok = neighbour(mine); !ok {
				return nil, usagef("--addr %v: that network has no room for the kernel: want a shorter prefix, such as %v/24", mine, mine.Addr())
			}
		}
		kernel = append(kernel, k)
	}
	return kernel, nil
}

func inNetwork(have []netip.Prefix, mine netip.Prefix) (netip.Prefix, bool) {
	for _, p := range have {
		if mine.Contains(p.Addr()) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

// neighbour is the first host's address of a network that is not p's own.
func neighbour(p netip.Prefix) (netip.Prefix, bool) {
	a := p.Masked().Addr()
	if p.Bits() < a.BitLen()-1 {
		a = a.Next() // the network's own address is no host's
	}
	if a == p.Addr() {
		a = a.Next()
	}
	return netip.PrefixFrom(a, p.Bits()), a.IsValid() && p.Contains(a)
}

// deviceError says what to do about a device that can't be opened.
func (o *tunOptions) deviceError(err error, kernel []netip.Prefix) error {
	if errors.Is(err, syscall.EPERM) {
		list := setUp(o.name, o.mtu, kernel)
		if i, err := net.InterfaceByName(o.name); err == nil { // it is there, and lacks something
			have, _ := i.Addrs()
			list = setUp(o.name, o.mtu, slices.DeleteFunc(kernel, func(k netip.Prefix) bool {
				return slices.ContainsFunc(have, func(a net.Addr) bool { return a.String() == k.String() })
			}))[1:]
		}
		return usagef("--tun %s: not permitted; as root: %s", o.name, strings.Join(list, " && "))
	}
	return usagef("--tun %s: %s", o.name, strings.TrimPrefix(err.Error(), "tun: "))
}

// setUp are the commands with which root makes a device for a user. An MTU of 0
// is the kernel's.
func setUp(device string, mtu int, kernel []netip.Prefix) []string {
	who := "NAME"
	if u, err := user.Current(); err == nil && u.Uid != "0" {
		who = u.Username
	}
	list := []string{fmt.Sprintf("ip tuntap add dev %s mode tun user %s", device, who)}
	for _, k := range kernel {
		list = append(list, fmt.Sprintf("ip addr add %v dev %s", k, device))
	}
	up := fmt.Sprintf("ip link set %s up", device)
	if mtu != 0 {
		up += fmt.Sprintf(" mtu %d", mtu)
	}
	return append(list, up)
}

// listOf writes addresses as a sentence has them.
func listOf(ps []netip.Prefix) string {
	var names []string
	for _, p := range ps {
		names = append(names, p.Addr().String())
	}
	return strings.Join(names, " and ")
}
