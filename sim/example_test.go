package sim_test

import (
	"fmt"
	"time"

	"estab/internal/netem"
	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// The second segment that a client sends, the third of the handshake, is lost.
func Example() {
	w := sim.New(1)
	client, server := w.Host("client", sim.HostConfig{}), w.Host("server", sim.HostConfig{})
	sent := 0
	w.Connect(client, server, sim.PathConfig{
		AB: netem.Model{Delay: netem.Delay{Mean: int64(10 * time.Millisecond)}},
		BA: netem.Model{Delay: netem.Delay{Mean: int64(10 * time.Millisecond)}},
		Meddle: func(p *sim.Packet) {
			if p.From == client {
				if sent++; sent == 2 {
					p.Fate.Drop = netem.Lost
				}
			}
		},
	})
	listener, _ := server.TCP().Listen(w.Now(), tcp.ListenOptions{Port: 80})
	id, _ := client.TCP().Open(w.Now(), tcp.OpenOptions{Tuple: tcp.Tuple{
		Local: wire.AddrFrom(client.Addrs[0]), Remote: wire.AddrFrom(server.Addrs[0]), RemotePort: 80}})
	client.Flush()

	for _, after := range []time.Duration{30 * time.Millisecond, 2 * time.Second} {
		w.RunUntil(w.Now().Add(after))
		st, _ := client.TCP().Status(w.Now(), id)
		_, err := server.TCP().Accept(w.Now(), listener)
		fmt.Printf("client %v, server has the connection: %v\n", st.State, err == 0)
	}
	// Output:
	// client ESTABLISHED, server has the connection: false
	// client ESTABLISHED, server has the connection: true
}
