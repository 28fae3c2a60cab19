package tcp

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"estab/internal/wire"
)

// refRow is a row of the table; its header says what the columns are.
type refRow struct {
	line, n              int
	text, state, reply   string
	seq, ack             Num
	flags                Flags
	next, delivered, una string
	rcv                  string
	restarts             bool // 2 MSL begin again
}

type refVariant struct {
	iss, irs           Num
	six, passive, slow bool
}

func referenceRows(t *testing.T) (rows []refRow) {
	t.Helper()
	b, err := os.ReadFile("testdata/reference.txt")
	if err != nil {
		t.Fatal(err)
	}
	bits := map[string]Flags{
		"FIN": wire.FIN, "SYN": wire.SYN, "RST": wire.RST, "PSH": wire.PSH, "ACK": wire.ACK,
		"URG": wire.URG, "ECE": wire.ECE, "CWR": wire.CWR, "none": 0,
	}
	for i, line := range strings.Split(string(b), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		c := strings.Split(line, " | ")
		if len(c) != 11 {
			t.Fatalf("line %d has %d columns", i+1, len(c))
		}
		num := func(s string) int64 {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			return n
		}
		r := refRow{
			line: i + 1, text: line, state: c[0], seq: Num(num(c[1])), n: int(num(c[3])), reply: c[5],
			next: c[6], delivered: c[7], una: c[8], rcv: c[9], restarts: strings.Contains(c[10], "restart2msl"),
		}
		for f := range strings.SplitSeq(c[2], ",") {
			b, ok := bits[f]
			if !ok {
				t.Fatalf("line %d: flag %q", i+1, f)
			}
			r.flags |= b
		}
		if c[4] != "-" {
			r.ack = Num(num(c[4]))
		}
		rows = append(rows, r)
	}
	return rows
}

// refNXT is SND.NXT of the fixed situation, relative to ISS.
var refNXT = map[string]Num{
	"SYN-SENT": 1, "SYN-RECEIVED/passive": 1, "SYN-RECEIVED/active": 1, "ESTABLISHED": 201, "ESTABLISHED/zero-window": 201,
	"FIN-WAIT-1": 202, "FIN-WAIT-2": 202, "CLOSE-WAIT": 201, "CLOSING": 202, "LAST-ACK": 202, "TIME-WAIT": 202,
}

// refState brings a connection into the fixed situation of a state.
func refState(t *testing.T, state string, v refVariant) *rig {
	cfg := plain()
	cfg.NoFastPath = v.slow
	r := newRig(t, cfg)
	if v.six {
		r.tup = testTuple6
	}
	r.irs = v.irs
	r.win = 10000
	r.setISS(v.iss)
	o := ConnConfig{MSS: 1000, ReceiveBuffer: 10000}
	switch state {
	case "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT":
		o.ReceiveBuffer++ // the peer's FIN takes a number of the window
	case "CLOSED":
		return r
	}
	if v.passive || state == "LISTEN" || state == "TIME-WAIT" {
		r.listen(ListenOptions{Conn: o})
	}
	switch {
	case state == "LISTEN":
		return r
	case state == "SYN-SENT", state == "SYN-RECEIVED/active":
		r.open(o)
		r.want("S 0:0(0) <mss 1000>")
		if state == "SYN-RECEIVED/active" {
			r.in("S 0:0(0) <mss 1000>")
			r.want("S. 0:0(0) ack 1 win 10000")
		}
		return r
	case state == "SYN-RECEIVED/passive":
		if !v.passive {
			r.listen(ListenOptions{Conn: o})
		}
		r.in("S 0:0(0) <mss 1000>")
		r.want("S. 0:0(0) ack 1 win 10000")
		return r
	case v.passive:
		r.in("S 0:0(0) <mss 1000>")
		r.want("S. 0:0(0) ack 1")
		r.in(". 1:1(0) ack 1")
		r.accept()
	default:
		r.open(o)
		r.want("S 0:0(0)")
		r.in("S. 0:0(0) ack 1 <mss 1000>")
		r.want(". 1:1(0) ack 1")
	}
	if r.iss != v.iss {
		t.Fatalf("ISS is %d, want %d", r.iss, v.iss)
	}
	nxt := 1
	if state == "ESTABLISHED/zero-window" {
		for range 10 {
			r.in(fmt.Sprintf(". %d:%d(1000) ack 1", nxt, nxt+1000))
			nxt += 1000
		}
		r.sent = r.sent[:0]
		r.advance(100 * time.Millisecond) // a delayed ACK
		r.sent = r.sent[:0]
	}
	r.write(200)
	r.want(fmt.Sprintf("P. 1:201(200) ack %d", nxt))
	r.in(fmt.Sprintf(". %d:%d(0) ack 101", nxt, nxt))
	shut := func() {
		if err := r.e.Shutdown(r.now, r.id); err != 0 {
			t.Fatal(err)
		}
		r.output()
		if len(r.sent) != 1 || r.sent[0].Flags != wire.FIN|wire.ACK {
			t.Fatalf("CLOSE sent\n%s", r.show(r.sent, ""))
		}
		r.sent = r.sent[:0]
	}
	switch state {
	case "FIN-WAIT-1", "CLOSING":
		shut()
	case "FIN-WAIT-2", "TIME-WAIT":
		shut()
		r.in(". 1:1(0) ack 202")
	}
	switch state {
	case "CLOSE-WAIT", "CLOSING", "LAST-ACK":
		r.in("F. 1:1(0) ack 101")
		r.want("." + fmt.Sprintf(" %d:%d(0) ack 2 win 10000", refNXT[state]-b2n(state == "LAST-ACK"), refNXT[state]-b2n(state == "LAST-ACK")))
	case "TIME-WAIT":
		r.in("F. 1:1(0) ack 202")
		r.want(". 202:202(0) ack 2 win 10000")
		r.now = r.now.Add(time.Second)
	}
	if state == "LAST-ACK" {
		shut()
	}
	r.want()
	return r
}
