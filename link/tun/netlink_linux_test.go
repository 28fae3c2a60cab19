package tun

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// When Open returns, the kernel takes packets for its IPv6 address: there is a
// local route. (Without waiting for it, one ping in ten was lost.)
func TestAddressIsUsable(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		for range 30 {
			d := mustOpen(t, Config{Addrs: addrs})
			s, err := dialNetlink()
			if err != nil {
				t.Fatal(err)
			}
			addr := netip.MustParseAddr("fd99::1").As16()
			msg := append(header(unix.RTM_GETROUTE, 0), unix.AF_INET6, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
			msg = attribute(msg, unix.RTA_DST, addr[:])
			binary.NativeEndian.PutUint32(msg, uint32(len(msg)))
			if err := unix.Sendto(s, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
				t.Fatal(err)
			}
			var buf [4096]byte
			n, err := receive(s, buf[:])
			if err != nil {
				t.Fatal(err)
			}
			if m, _, ok := cutMessage(buf[:n]); !ok || m.kind != unix.RTM_NEWROUTE || !isLocalRoute(m.body, addr[:]) {
				t.Fatalf("the route to our own address is % x", m.body)
			}
			unix.Close(s)
			d.Close()
		}
	})
}

func TestAck(t *testing.T) {
	answer := func(seq uint32, errno int32) []byte {
		b := binary.NativeEndian.AppendUint32(header(unix.NLMSG_ERROR, 0), uint32(-errno))
		binary.NativeEndian.PutUint32(b, uint32(len(b)))
		binary.NativeEndian.PutUint32(b[8:], seq)
		return b
	}
	for _, c := range []struct {
		b    []byte
		done bool
		err  error
	}{
		{answer(1, 0), true, nil},
		{answer(1, int32(unix.EPERM)), true, unix.EPERM},
		{answer(2, 0), false, nil},
		{append(answer(2, int32(unix.EPERM)), answer(1, 0)...), true, nil},
		{answer(1, 0)[:19], false, nil},
		{nil, false, nil},
	} {
		if done, err := ack(c.b, 1); done != c.done || !errors.Is(err, c.err) {
			t.Errorf("% x: %v, %v", c.b, done, err)
		}
	}
}

// What the kernel sends is taken apart without a panic, whatever it is.
func FuzzMessages(f *testing.F) {
	f.Add(addAddr(3, addrs[0]), uint32(0))
	f.Add(addAddr(3, addrs[1]), uint32(0))
	ok := append(header(unix.NLMSG_ERROR, 0), 0, 0, 0, 0)
	binary.NativeEndian.PutUint32(ok, uint32(len(ok)))
	f.Add(ok, uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, seq uint32) {
		if done, err := ack(b, seq); err != nil && !done {
			t.Error("an error without an answer")
		}
		isLocalRoute(b, make([]byte, 16))
		for rest, ok := b, true; ok; {
			before := len(rest)
			if _, rest, ok = cutMessage(rest); ok && len(rest) >= before {
				t.Fatal("no progress")
			}
		}
	})
}
