package kernel

import (
	"net"
	"testing"

	"estab/judge/internal/protocols"
)

// Real programs' protocols between estab and the kernel, both roles, IPv4 and
// IPv6.
func TestProtocols(t *testing.T) {
	t.Parallel()
	for _, p := range protocols.All {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			for role, name := range roles {
				t.Run(name, func(t *testing.T) {
					families(t, setting{}, func(w *world, family int) {
						n := protocols.Net{Dial: w.kernelDial, Listen: func(testing.TB) net.Listener { return w.estabListen(family) }}
						if role == estabDials {
							n = protocols.Net{Dial: w.host.DialContext, Listen: func(testing.TB) net.Listener { return w.kernelListen(family) }}
						}
						p.Run(w.t, n)
					})
				})
			}
		})
	}
}
