package main

import (
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"estab/internal/netns"
)

// In the rows with checksums each of the kernel's packets crosses the veth by
// itself, no larger than the MTU and an Ethernet header; where the link is
// trusted they are larger.
func TestVethPackets(t *testing.T) {
	netns.Test(t, func(t *testing.T) {
		for _, trusted := range []bool{false, true} {
			w, err := newVeth(wiring{mtu: 1500, trusted: trusted})
			if err != nil {
				t.Fatal(err)
			}
			c, err := w.dial()
			if err != nil {
				t.Fatal(err)
			}
			s, err := w.listener().Accept()
			if err != nil {
				t.Fatal(err)
			}
			go c.Write(make([]byte, 8<<20))
			s.SetReadDeadline(time.Now().Add(20 * time.Second))
			buf := make([]byte, 64<<10)
			for n := 0; n < 8<<20; {
				k, err := s.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				n += k
			}
			links, err := netlink.LinkList()
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range links {
				if l.Type() != "veth" {
					continue
				}
				st := l.Attrs().Statistics
				mean := float64(st.TxBytes) / float64(st.TxPackets)
				if large := mean > 1514; large != trusted || mean < 1000 {
					t.Errorf("trusted %v: %.0f bytes a packet, in %d packets", trusted, mean, st.TxPackets)
				}
			}
			c.Close()
			s.Close()
			w.close()
		}
	})
}
