package trace_test

import (
	"os"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// A refused connection, told packet by packet.
func Example() {
	b := trace.NewBuilder(trace.End{Name: "client"}, trace.End{Name: "server"}, tcp.Tuple{})
	send := func(from trace.Side, at time.Duration, seg tcp.SegHeader) {
		b.Packet(trace.Packet{From: from, Time: tcp.Time(at), Copies: 1, Arrive: [2]tcp.Time{tcp.Time(at + 2*time.Millisecond)}, Seg: seg})
	}
	send(trace.Left, 0, tcp.SegHeader{Seq: 1000, Flags: wire.SYN, Wnd: 65535})
	send(trace.Right, 2*time.Millisecond, tcp.SegHeader{Ack: 1001, Flags: wire.RST | wire.ACK})
	b.Ladder().Write(os.Stdout, trace.Style{Numbers: trace.Absolute, ASCII: true, Width: 72})
	// Output:
	//          client                                                   server
	//       ms              |                                   |
	//    0.000              |-- SYN seq 1000 ------------------>|
	//                       |   win 65535                       |
	//    2.000              |<-------- RST,ACK seq 0 ack 1001 --|
}
