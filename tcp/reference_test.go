package tcp

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"estab/internal/wire"
)

// TestReference plays each row of testdata/reference.txt, which was written
// from RFC 9293 §3.10.7 and RFC 5961 and not from this code: one segment that
// arrives in one state, and all that must follow. Every row is played with
// initial sequence numbers around the places where 32 bits wrap, over IPv4 and
// IPv6, with the connection opened from either end, with and without header
// prediction.
// Shows: RFC 9293 MAY-12, SHLD-2, MUST-66; RFC 5961 3.2a, 3.2b, 3.2c, 4.2a, 5.2.
func TestReference(t *testing.T) {
	rows := referenceRows(t)
	if len(rows) < 900 {
		t.Fatalf("only %d rows", len(rows))
	}
	edges := []Num{0, 1<<31 - 1, 1 << 31, 1<<32 - 1}
	bad := make(map[string]int)
	for _, row := range rows {
		played := 0
		for i := range 128 {
			how := i >> 4 // and with which pair of numbers it is combined
			if rot := i&15 + i>>2&3; !long() && how != rot&7 && how != 7-rot&7 {
				continue
			}
			v := refVariant{
				iss: edges[i&3], irs: edges[i>>2&3], six: how&1 > 0, passive: how&2 > 0, slow: how&4 > 0,
			}
			if got := playReference(t, row, v); got != "" {
				key := fmt.Sprintf("reference.txt:%d: %s\n\tgot: %s", row.line, row.text, got)
				bad[key]++
			}
			played++
		}
		for key, n := range bad {
			t.Errorf("%s\n\t(in %d of %d variants)", key, n, played)
		}
		clear(bad)
	}
}

func b2n(b bool) Num {
	if b {
		return 1
	}
	return 0
}

// playReference plays one row and says how the outcome differs; "" if not.
func playReference(t *testing.T, row refRow, v refVariant) string {
	r := refState(t, row.state, v)
	state, _, _ := strings.Cut(row.state, "/")
	if row.state != "CLOSED" && row.state != "LISTEN" && r.state().String() != state {
		t.Fatalf("line %d: built %v", row.line, r.state())
	}
	hadFin, unread := false, 0
	if r.id != 0 {
		hadFin, unread = r.status().FinReceived, r.e.Readable(r.id)
	}
	from := row.seq
	if row.flags.Has(wire.SYN) {
		from++
	}
	seg := &Segment{
		Tuple: r.tup, Seq: r.irs + row.seq, Flags: row.flags, Wnd: 10000, Payload: text(from, row.n, false),
	}
	if row.flags.Has(wire.ACK) {
		seg.Ack = r.iss + row.ack
	}
	if row.flags.Has(wire.URG) {
		seg.Up = uint16(row.n)
	}
	if row.flags.Has(wire.SYN) {
		seg.Options = Options{Set: wire.OptMSS, MSS: 1000}
	}
	r.e.Input(r.now, seg)
	r.e.Output(r.now, r)
	var bad []string
	say := func(format string, a ...any) { bad = append(bad, fmt.Sprintf(format, a...)) }
	if err := r.e.CheckInvariants(); err != nil {
		say("%v", err)
	}
	if r.id == 0 && r.lid != 0 {
		r.id, _ = r.e.Accept(r.now, r.lid)
	}
	refStateAfter(r, row, say)
	refDelivered(r, row, hadFin, unread, say)
	refReply(r, row, say)
	r.sent = nil
	return strings.Join(bad, "; ")
}

// refStateAfter compares next, una and rcv.
func refStateAfter(r *rig, row refRow, say func(string, ...any)) {
	next := r.state().String()
	if next == "CLOSED" && row.next == "LISTEN" && r.lid != 0 {
		next = "LISTEN"
	}
	if next != row.next {
		say("state %s", next)
		return
	}
	var una, nxt Num
	switch k, i := r.e.find(&r.tup, r.e.Hash(&r.tup)); k {
	case kindConn:
		una, nxt = r.e.conns[i].snd.UNA, r.e.conns[i].rcv.NXT
	case kindHalf4, kindHalf6:
		h := r.e.half.record(k, i)
		una, nxt = h.iss, h.irs+1
		if row.una == "iss" {
			if h.iss.LessEq(r.iss + 201) {
				say("new ISS %d", int32(h.iss-r.iss))
			}
		} else if h.iss != r.iss && row.state != "LISTEN" {
			say("ISS changed")
		} else {
			r.iss = h.iss
		}
	case kindWait4, kindWait6:
		w := r.e.wait.record(k, i)
		una, nxt = w.sndNXT, w.rcvNXT
		want := r.now.Add(2 * r.e.cfg.MSL)
		if row.state == "TIME-WAIT" && !row.restarts {
			want = want.Add(-time.Second)
		}
		if w.deadline != want {
			say("TIME-WAIT ends at %v, want %v", w.deadline, want)
		}
	}
	if row.una != "-" && row.una != "iss" && fmt.Sprint(uint32(una-r.iss)) != row.una {
		say("una %d", int32(una-r.iss))
	}
	if row.rcv != "-" && fmt.Sprint(uint32(nxt-r.irs)) != fmt.Sprint(uint32(atoi(row.rcv))) {
		say("rcv %d", int32(nxt-r.irs))
	}
}

func atoi(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }

// refDelivered compares what the user is given.
func refDelivered(r *rig, row refRow, hadFin bool, unread int, say func(string, ...any)) {
	got := "0"
	if r.id != 0 {
		err := r.e.TakeError(r.id)
		p := make([]byte, 20000)
		n, eof := r.e.Receive(r.now, r.id, p, ReceivePeek)
		if eof == 0 && n > 0 {
			n, _ = r.e.Receive(r.now, r.id, p, 0)
			_, eof = r.e.Receive(r.now, r.id, p, 0)
		}
		first := Num(1)
		if row.state == "SYN-SENT" {
			first = row.seq + 1
		}
		if string(p[:n]) != string(text(first, n, false)) {
			say("the bytes delivered are wrong")
		}
		got = fmt.Sprint(n - unread)
		switch {
		case err == ErrReset:
			got += "+reset"
		case err == ErrRefused:
			got += "+refused"
		case err != 0:
			got += "+" + err.Error()
		case eof == ErrEOF && !hadFin && row.next != "CLOSED":
			got += "+fin"
		}
	}
	if got != row.delivered {
		say("delivered %s", got)
	}
}

// refShow writes what was sent without its time, which the ISS decides.
func refShow(r *rig, like string) string {
	var lines []string
	for i := range r.sent {
		lines = append(lines, r.line(&r.sent[i].Segment, like))
	}
	return strings.Join(lines, ", ")
}

// refReply compares what is sent.
func refReply(r *rig, row refRow, say func(string, ...any)) {
	like := " win "
	word, rest, _ := strings.Cut(row.reply, " ")
	rcv := Num(atoi(row.rcv))
	at := func(name string) Num {
		for f := range strings.FieldsSeq(rest) {
			if s, ok := strings.CutPrefix(f, name+"="); ok {
				return Num(atoi(s))
			}
		}
		return 0
	}
	nxt := refNXT[row.state]
	var want Segment
	switch word {
	case "none":
		if len(r.sent) != 0 {
			say("sent %s", refShow(r, like))
		} else if st, err := r.e.Status(r.now, r.id); err == 0 && st.Timers[TimerDelayedAck] != Never {
			say("owes a delayed ACK")
		}
		return
	case "delayed":
		if len(r.sent) == 0 {
			r.advance(400 * time.Millisecond)
			r.sent = r.sent[:min(len(r.sent), 1)] // repeats may follow
		}
		want = Segment{Seq: r.iss + nxt, Ack: r.irs + rcv, Flags: wire.ACK}
	case "ack", "challenge":
		want = Segment{Seq: r.iss + nxt, Ack: r.irs + rcv, Flags: wire.ACK}
	case "syn,ack":
		want = Segment{Seq: r.iss, Ack: r.irs + rcv, Flags: wire.SYN | wire.ACK}
		if row.una == "iss" && len(r.sent) > 0 {
			want.Seq = r.sent[0].Seq // compared by refStateAfter
		}
	case "rst":
		want = Segment{Seq: r.iss + at("seq"), Flags: wire.RST}
	case "rst,ack":
		want = Segment{Seq: 0, Ack: r.irs + at("ack"), Flags: wire.RST | wire.ACK}
	default:
		r.t.Fatalf("line %d: reply %q", row.line, row.reply)
	}
	if len(r.sent) != 1 {
		say("sent %d segments %s", len(r.sent), refShow(r, like))
		return
	}
	s := r.sent[0].Segment
	if s.Seq != want.Seq || s.Ack != want.Ack || s.Flags != want.Flags || s.DataLen() != 0 {
		say("sent %s", refShow(r, like))
	}
	if s.Tuple != r.tup {
		say("sent to %v", s.Tuple)
	}
}
