package explore

import (
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// Worlds are the shipped worlds, those with a planted fault last. The others
// together take every arrow of figure 5.
func Worlds() []World { return append(sound(), planted()...) }

// WorldByName finds a shipped world.
func WorldByName(name string) (World, bool) {
	for _, w := range Worlds() {
		if w.Name == name {
			return w, true
		}
	}
	return World{}, false
}

// What users do, one step after the other.

func do(ops ...Op) []Step {
	var steps []Step
	for _, op := range ops {
		steps = append(steps, Step{Do: op})
	}
	return steps
}

func send(n int) []Step { return []Step{{Send, n}} }

func pause(d time.Duration) []Step { return []Step{{Pause, int(d / time.Millisecond)}} }

func then(parts ...[]Step) []Step {
	var steps []Step
	for _, p := range parts {
		steps = append(steps, p...)
	}
	return steps
}

// client is an end whose user does these steps; server one whose user does
// them with each connection.
func client(parts ...[]Step) End { return End{Program: then(parts...)} }
func server(parts ...[]Step) End { return End{Listens: true, Serve: then(parts...)} }

// late is an end whose user does not read for a time, and whose receive buffer
// has room for n bytes.
func late(e End, n int, d time.Duration) End {
	e.Late, e.Conn.ReceiveBuffer = d, n
	return e
}

// alive is an end with keep-alive, which finds out about a peer that is gone.
func alive(e End) End {
	e.Conn.KeepAlive = tcp.KeepAlive{On: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 2}
	return e
}

// narrow is an end with a window of one byte.
func narrow(e End) End {
	e.Conn.ReceiveBuffer = 1
	return e
}

// patient is an end that delays its ACKs, and that of a FIN, too.
func patient(e End) End {
	e.TCP.DelayedAck, e.Conn.DelayFinAck = 40*time.Millisecond, true
	return e
}

// forged are segments that lie in B's window.
func forged() []Stray {
	return []Stray{
		{A, tcp.Segment{Seq: 150, Flags: wire.RST}},
		{A, tcp.Segment{Seq: 150, Flags: wire.SYN, Wnd: window}},
	}
}

// forgedACKs are text, with the nearest ACKs to those that B may believe: one more than it has
// sent, and one less than RFC 5961 §5.2 allows for.
func forgedACKs() []Stray {
	return []Stray{
		{A, tcp.Segment{Seq: 101, Ack: firstISS[B] + 2, Flags: wire.ACK, Wnd: window, Payload: []byte{0xff}}},
		{A, tcp.Segment{Seq: 101, Ack: firstISS[B] + 1 - window - 1, Flags: wire.ACK, Wnd: window, Payload: []byte{0xff}}},
	}
}

// forgedAnswer acknowledges everything but B's SYN.
func forgedAnswer() []Stray {
	return []Stray{{A, tcp.Segment{Seq: 101, Ack: firstISS[B], Flags: wire.ACK, Wnd: window}}}
}

// synWithText is a SYN with the first two bytes of A's first connection.
func synWithText() []Stray {
	text := []byte{byteOf(1, 0), byteOf(1, 1)}
	return []Stray{{A, tcp.Segment{Seq: firstISS[A], Flags: wire.SYN, Wnd: window, Payload: text}}}
}

// limited is an end that answers what it does not want no more often than an
// engine does by default (RFC 5961 §7). The others always answer.
func limited(e End) End {
	e.TCP.ChallengeAckWait = 500 * time.Millisecond
	return e
}

// also gives an end's user steps beside those with its connections.
func also(e End, parts ...[]Step) End {
	e.Program = then(parts...)
	return e
}

func sound() []World {
	last := do(Await, Shutdown)
	return []World{
		{Name: "open", Title: "the three-way handshake (figure 6)",
			Ends: [2]End{client(do(Open)), server()}, Stay: true, Lose: 3, Double: 2, Delay: 2},
		{Name: "simultaneous-open", Title: "both ends open at once (figure 7)",
			Ends: [2]End{client(do(Open, Early)), client(do(Open, Early))}, Lose: 1, Delay: 1, Resets: true},
		{Name: "passive-to-active", Title: "a listener that turns round and opens",
			Ends: [2]End{client(do(Open, Shutdown)), also(server(do(Shutdown)), do(Turn, Shutdown))}, Lose: 1, Delay: 1, Resets: true, GiveUp: true},
		{Name: "close", Title: "A closes, then B (figure 12)",
			Ends: [2]End{client(do(Open), send(1), do(Shutdown)), server(last)}, Lose: 1, Double: 1, Delay: 1},
		{Name: "simultaneous-close", Title: "both ends close at once (figure 13)",
			Ends: [2]End{client(do(Open, Shutdown)), server(do(Shutdown))}, Lose: 2, Double: 1, Delay: 1},
		{Name: "half-close", Title: "A has closed, and B goes on sending",
			Ends: [2]End{client(do(Open, Shutdown)), server(do(Await), send(2), do(Shutdown))}, Lose: 1, Double: 1, Delay: 1},
		{Name: "transfer", Title: "both ends send, and close when they like",
			Ends: [2]End{client(do(Open), send(2), do(Shutdown)), server(send(1), do(Shutdown))}, Lose: 1, Double: 1},
		{Name: "wrap", Title: "both ends send, and the numbers pass 2^31 and 2^32",
			Ends: [2]End{client(do(Open), send(2), do(Shutdown)), server(send(2), last)}, Lose: 1, Wrap: true},
		{Name: "zero-window", Title: "B does not read; its window closes, and A must ask until it opens",
			Ends: [2]End{limited(client(do(Open), send(3), do(Shutdown))), limited(late(server(do(Read), last), 2, 2500*time.Millisecond))}, Lose: 1, Delay: 1},
		{Name: "zero-window-abort", Title: "A aborts while B's window is closed",
			Ends: [2]End{client(do(Open), send(2), send(2), do(Abort)), limited(late(alive(server(do(Read), last)), 2, 2500*time.Millisecond))},
			Lose: 1, Delay: 1, Resets: true, GiveUp: true},
		{Name: "three-segments", Title: "B acknowledges the FIN with its own: a close in three segments",
			Ends: [2]End{client(do(Open), send(1), do(Shutdown)), patient(server(last))}, Lose: 1, Double: 1, Delay: 1},
		{Name: "orphan", Title: "A gives the connection up for good; B may send, and never closes",
			Ends: [2]End{client(do(Open, Close)), alive(server(send(1)))}, Lose: 1, Double: 1, Delay: 1, Resets: true, GiveUp: true},
		{Name: "blind", Title: "somebody who has guessed the window forges a RST and a SYN",
			Ends: [2]End{limited(client(do(Open, Shutdown))), limited(server(last))}, Strays: forged(), Delay: 1, Resets: true},
		{Name: "blind-ack", Title: "somebody forges an ACK of what was not sent yet, and one of long ago",
			Ends: [2]End{limited(client(do(Open), send(1), do(Shutdown))), limited(server(last))}, Strays: forgedACKs(), Delay: 1, Resets: true},
		{Name: "blind-simultaneous", Title: "both ends open at once, and somebody forges A's ACK",
			Ends: [2]End{limited(client(do(Open, Shutdown))), limited(client(do(Open, Shutdown)))}, Strays: forgedAnswer(), Lose: 1, Resets: true},
		{Name: "syn-text", Title: "a SYN that carries what A is about to send comes, too",
			Ends: [2]End{limited(client(do(Open), send(2), do(Shutdown))), limited(server(last))}, Strays: synWithText(), Delay: 1, Resets: true, GiveUp: true},
		{Name: "old-handshake", Title: "the first and the third segment of a connection that is no more come again",
			Ends: [2]End{client(do(Open, Abort)), alive(server(last))}, Double: 2, Resets: true, GiveUp: true},
		{Name: "abort", Title: "A aborts; the RST may get lost",
			Ends: [2]End{client(do(Open), send(1), do(Abort)), alive(server(last))},
			Lose: 2, Double: 1, Delay: 1, Resets: true, GiveUp: true},
		{Name: "crash", Title: "A crashes, comes back, and opens again (figure 9)",
			Ends: [2]End{limited(client(do(Open), send(1), do(Crash, Restart, Open, Shutdown))), limited(alive(server(last)))},
			Lose: 1, Delay: 1, Resets: true, GiveUp: true},
		{Name: "both-crash", Title: "both crash and come back, and an old segment comes",
			Ends:   [2]End{limited(alive(client(do(Open), send(1), do(Crash, Restart, Open, Shutdown)))), limited(also(alive(server(last)), do(Crash, Restart)))},
			Resets: true, GiveUp: true},
		{Name: "server-crash", Title: "B crashes and comes back (figure 11)",
			Ends: [2]End{limited(alive(client(do(Open), send(1), do(Shutdown)))), limited(also(server(last), do(Crash, Restart)))},
			Lose: 1, Delay: 1, Resets: true, GiveUp: true},
		{Name: "gone", Title: "B's host vanishes for good",
			Ends: [2]End{alive(client(do(Open), send(1), do(Shutdown))), also(server(last), do(Crash))},
			Lose: 1, Double: 1, Delay: 1, Resets: true, GiveUp: true},
		{Name: "stale-syn", Title: "the SYN of an OPEN that was given up comes late (figure 8)",
			Ends: [2]End{limited(client(do(Cancel, Open), send(1), do(Shutdown))), limited(server(last))},
			Lose: 1, Delay: 1, Resets: true, GiveUp: true},
		{Name: "time-wait", Title: "A closes, waits 2 MSL, and opens the pair again",
			Ends: [2]End{client(do(Open), send(2), send(2), do(Shutdown, Open), send(1), do(Shutdown)), server(last)},
			Lose: 1, Double: 1, Tick: tick},
		{Name: "reuse", Title: "B closes first; A opens the pair again during B's TIME-WAIT",
			Ends: [2]End{client(do(Open, Await, Shutdown), pause(time.Second), do(Open, Await, Shutdown)), server(do(Shutdown))},
			Lose: 1, Double: 1, Delay: 1},
		{Name: "reuse-at-once", Title: "A opens the pair again at once, and the clock of initial numbers is behind what B has sent",
			Ends: [2]End{client(do(Open, Await, Shutdown, Open, Await, Shutdown)), server(send(3), do(Shutdown))},
			Lose: 1, Tick: tick},
		{Name: "reuse-given-up", Title: "the SYN that ends TIME-WAIT is of an OPEN that was given up",
			Ends: [2]End{limited(client(do(Open, Await, Shutdown, Cancel))), limited(server(do(Shutdown)))},
			Lose: 1, Delay: 1, Resets: true, GiveUp: true},
		{Name: "blind-time-wait", Title: "B closes first, and somebody forges a SYN with the number of A's FIN",
			Ends:   [2]End{limited(client(do(Open, Await, Shutdown))), limited(server(do(Shutdown)))},
			Strays: []Stray{{A, tcp.Segment{Seq: 101, Flags: wire.SYN, Wnd: window}}}, Resets: true, GiveUp: true},
		{Name: "unread", Title: "B gives the connection up, and has not read what came",
			Ends: [2]End{limited(alive(client(do(Open), send(2), do(Shutdown)))), limited(late(server(do(Close)), 2, 2500*time.Millisecond))},
			Lose: 1, Delay: 1, Resets: true, GiveUp: true},
		{Name: "refused", Title: "nobody listens, or not any more",
			Ends: [2]End{limited(client(do(Open, Shutdown, Open, Shutdown))), limited(also(server(last), do(Unlisten, Listen)))},
			Lose: 1, Delay: 1, Resets: true, GiveUp: true},
	}
}

// tick is three ticks of the clock of initial sequence numbers (§3.4.1): more
// than a connection uses up that only opens and closes, less than one that
// sends.
const tick = 12 * time.Microsecond

func planted() []World {
	last := do(Await, Shutdown)
	noWait := func(e End) End {
		e.TCP.MSL = -1
		return e
	}
	return []World{
		{Name: "two-way", Title: "an old SYN comes late, and a handshake has two segments",
			Ends: [2]End{client(do(Cancel)), server(last)}, Resets: true, GiveUp: true, TwoWay: true,
			Fault: "B's SYN,ACK is answered by a forged third segment at once"},
		{Name: "two-way-for-ever", Title: "the same, and the answer gets lost: nobody will ever notice",
			Ends: [2]End{client(do(Cancel)), server(last)}, Lose: 1, Resets: true, GiveUp: true, TwoWay: true, Brief: true,
			Fault: "B's SYN,ACK is answered by a forged third segment at once"},
		{Name: "no-time-wait", Title: "the pair is opened again at once, and an old segment comes",
			Ends:   [2]End{noWait(client(do(Open), send(3), do(Shutdown, Open, Shutdown))), noWait(server(last))},
			Double: 1, Tick: 8 * time.Microsecond, Resets: true, Fault: "MSL is negative: TIME-WAIT takes no time"},
		{Name: "no-time-wait-close", Title: "the last ACK is lost",
			Ends: [2]End{noWait(client(do(Open, Shutdown))), noWait(patient(server(last)))},
			Lose: 1, InOrder: true, Fault: "MSL is negative: TIME-WAIT takes no time"},
		{Name: "ack-war", Title: "an old SYN comes while A is in TIME-WAIT, and A has used more numbers than B's window has",
			Ends:   [2]End{client(do(Open, Shutdown)), narrow(server(last))},
			Double: 1, GiveUp: true, Fault: "no limit on answers to what is not wanted (RFC 5961 §7)"},
	}
}
