package trace

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"estab/internal/seq"
	"estab/internal/wire"
	"estab/tcp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		os.MkdirAll(filepath.Dir(file), 0o755)
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%swant\n%s", file, got, want)
	}
}

// talk tells a Builder a conversation over a path with a delay. Both ends
// send in lockstep with a script, so the tests need no TCP.
type talk struct {
	b     *Builder
	now   tcp.Time
	delay time.Duration
	iss   [2]seq.Num
	state [2]tcp.State
	opts  wire.Options
	wnd   uint16

	events bool // tell events, not packets
}

func newTalk(left, right End, delay time.Duration) *talk {
	return &talk{
		b: NewBuilder(left, right, tcp.Tuple{}), delay: delay, iss: [2]seq.Num{1146377410, 2993482931},
		state: [2]tcp.State{tcp.StateClosed, tcp.StateListen}, wnd: 512,
		opts: wire.Options{
			Set: wire.OptMSS | wire.OptWindowScale | wire.OptSACKPermitted | wire.OptTimestamps,
			MSS: 1460, WindowScale: 7, TSVal: 17,
		},
	}
}

// seg makes a segment with numbers relative to the initial ones.
func (k *talk) seg(from Side, f wire.Flags, s, a, n uint32) tcp.SegHeader {
	h := tcp.SegHeader{Seq: k.iss[from] + seq.Num(s), Flags: f, Len: n, Wnd: k.wnd}
	if f.Any(wire.ACK) {
		h.Ack = k.iss[from.Other()] + seq.Num(a)
	}
	if f.Any(wire.SYN) {
		h.Wnd, h.Options = 65535, k.opts
	}
	return h
}

// send sends a segment; the receiver gets it after the delay, and the states
// of both change.
func (k *talk) send(from Side, h tcp.SegHeader, sender, receiver tcp.State, change ...func(*Packet)) {
	p := Packet{From: from, Time: k.now, Seg: h, Copies: 1}
	p.Arrive[0] = k.now.Add(k.delay)
	for _, c := range change {
		c(&p)
	}
	if k.events {
		k.tell(&p)
	} else {
		k.b.Packet(p)
	}
	k.enter(from, k.now, sender, nil)
	if p.Copies > 0 {
		k.enter(from.Other(), p.Arrive[0], receiver, &h)
	}
}

// tell tells a packet as the events of both ends.
func (k *talk) tell(p *Packet) {
	e := tcp.Event{Kind: tcp.EventOut, Time: p.Time, HasSeg: true, Seg: p.Seg}
	k.b.Event(p.From, e)
	e.Kind = tcp.EventIn
	for _, at := range p.Arrive[:p.Copies] {
		e.Time = at
		k.b.Event(p.From.Other(), e)
		if p.Dropped != wire.Accepted {
			d := e
			d.Kind, d.Reason = tcp.EventDrop, p.Dropped
			k.b.Event(p.From.Other(), d)
		}
	}
}

func (k *talk) enter(s Side, at tcp.Time, to tcp.State, cause *tcp.SegHeader) {
	if to == k.state[s] || to == same {
		return
	}
	e := tcp.Event{Kind: tcp.EventState, Time: at, From: k.state[s], To: to}
	if cause != nil {
		e.Seg, e.HasSeg = *cause, true
	}
	k.b.Event(s, e)
	k.state[s] = to
}

// same stands for no change of state.
const same tcp.State = 255

func (k *talk) wait(d time.Duration) { k.now = k.now.Add(d) }

func lost(p *Packet)    { p.Copies = 0 }
func damaged(p *Packet) { p.Corrupt = true }
func doubled(p *Packet) { p.Copies, p.Arrive[1] = 2, p.Arrive[0].Add(time.Millisecond) }

const (
	syn    = wire.SYN
	ack    = wire.ACK
	synAck = wire.SYN | wire.ACK
	finAck = wire.FIN | wire.ACK
	pshAck = wire.PSH | wire.ACK
)

func (k *talk) open() {
	k.send(Left, k.seg(Left, syn, 0, 0, 0), tcp.StateSynSent, tcp.StateSynReceived)
	k.wait(k.delay)
	k.send(Right, k.seg(Right, synAck, 0, 1, 0), same, tcp.StateEstablished)
	k.wait(k.delay)
	k.send(Left, k.seg(Left, ack, 1, 1, 0), same, tcp.StateEstablished)
}

// get is a request and an answer of n segments, each second one acknowledged.
func (k *talk) get(n uint32) {
	k.send(Left, k.seg(Left, pshAck, 1, 1, 120), same, same)
	k.wait(k.delay)
	for i := range n {
		k.send(Right, k.seg(Right, ack, 1+i*1448, 121, 1448), same, same)
		if i%2 == 1 {
			k.wait(k.delay)
			k.send(Left, k.seg(Left, ack, 121, 1+(i+1)*1448, 0), same, same)
			k.wait(k.delay)
		}
	}
}

func (k *talk) close(n uint32) {
	end := 1 + n*1448
	k.send(Left, k.seg(Left, finAck, 121, end, 0), tcp.StateFinWait1, tcp.StateCloseWait)
	k.wait(k.delay)
	k.send(Right, k.seg(Right, ack, end, 122, 0), same, tcp.StateFinWait2)
	k.wait(10 * time.Microsecond)
	k.send(Right, k.seg(Right, finAck, end, 122, 0), tcp.StateLastAck, tcp.StateTimeWait)
	k.wait(k.delay)
	k.send(Left, k.seg(Left, ack, 122, end+1, 0), same, tcp.StateClosed)
}

func hosts() (End, End) {
	return End{Name: "client", Addr: "10.0.0.1:32768"}, End{Name: "server", Addr: "10.0.0.2:80"}
}

func whole(delay time.Duration) *talk {
	k := newTalk2(delay)
	k.open()
	k.wait(50 * time.Microsecond)
	k.get(46012)
	k.wait(k.delay)
	k.close(46012)
	return k
}

func newTalk2(delay time.Duration) *talk {
	l, r := hosts()
	return newTalk(l, r, delay)
}

func draw(t *testing.T, k *talk, st Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := k.b.Ladder().Write(&b, st); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLadder(t *testing.T) {
	for name, n := range map[string]Numbering{"relative": Relative, "absolute": Absolute, "both": Both} {
		got := draw(t, whole(20*time.Millisecond), Style{Numbers: n})
		golden(t, "ladder/"+name+".txt", got)
		for line := range strings.Lines(got) {
			if w := width(strings.TrimSuffix(line, "\n")); w > 80 {
				t.Errorf("%d columns: %q", w, line)
			}
		}
		if n := strings.Count(got, "\n"); n > 24 {
			t.Errorf("%s: %d lines, more than a screen", name, n)
		}
	}
}

// Two FINs that cross, and a SYN that does: no level arrow could be true.
func TestLadderOfCrossingSegments(t *testing.T) {
	k := newTalk2(15 * time.Millisecond)
	k.state[Right] = tcp.StateClosed
	k.send(Left, k.seg(Left, syn, 0, 0, 0), tcp.StateSynSent, same)
	k.wait(4 * time.Millisecond)
	k.enter(Right, k.now, tcp.StateSynSent, nil)
	first := k.seg(Left, syn, 0, 0, 0)
	k.enter(Right, k.now.Add(11*time.Millisecond), tcp.StateSynReceived, &first)
	k.send(Right, k.seg(Right, syn, 0, 0, 0), same, same)
	second := k.seg(Right, syn, 0, 0, 0)
	k.enter(Left, k.now.Add(15*time.Millisecond), tcp.StateSynReceived, &second)
	k.wait(11 * time.Millisecond)
	k.send(Right, k.seg(Right, synAck, 0, 1, 0), same, tcp.StateEstablished)
	k.wait(4 * time.Millisecond)
	k.send(Left, k.seg(Left, synAck, 0, 1, 0), same, tcp.StateEstablished)
	k.wait(30 * time.Millisecond)

	k.send(Left, k.seg(Left, finAck, 1, 1, 0), tcp.StateFinWait1, same)
	k.wait(5 * time.Millisecond)
	k.send(Right, k.seg(Right, finAck, 1, 1, 0), tcp.StateFinWait1, tcp.StateClosing)
	fin := k.seg(Left, finAck, 1, 1, 0)
	k.enter(Right, k.now.Add(10*time.Millisecond), tcp.StateClosing, &fin)
	k.wait(10 * time.Millisecond)
	k.send(Right, k.seg(Right, ack, 2, 2, 0), same, tcp.StateTimeWait)
	k.wait(5 * time.Millisecond)
	k.send(Left, k.seg(Left, ack, 2, 2, 0), same, tcp.StateTimeWait)
	golden(t, "ladder/crossing.txt", draw(t, k, Style{}))
}

// A bad path: what is lost, damaged and doubled shows, in rows and in folds.
func TestLadderOfABadPath(t *testing.T) {
	k := newTalk2(20 * time.Millisecond)
	k.send(Left, k.seg(Left, syn, 0, 0, 0), tcp.StateSynSent, same, lost)
	k.b.Event(Left, tcp.Event{Kind: tcp.EventTimer, Timer: tcp.TimerRetransmit, Time: k.now.Add(time.Second), Count: 1})
	k.wait(time.Second)
	k.open()
	k.send(Left, k.seg(Left, pshAck, 1, 1, 120), same, same, damaged)
	k.wait(200 * time.Millisecond)
	k.send(Left, k.seg(Left, pshAck, 1, 1, 120), same, same, doubled)
	k.wait(20 * time.Millisecond)
	for i := range uint32(40) {
		var what []func(*Packet)
		if i%7 == 3 {
			what = append(what, lost)
		}
		k.send(Right, k.seg(Right, ack, 1+i*1448, 121, 1448), same, same, what...)
		k.wait(time.Millisecond)
	}
	k.send(Right, k.seg(Right, ack, 1+3*1448, 121, 1448), same, same)
	k.wait(20 * time.Millisecond)
	h := k.seg(Left, ack, 121, 1+38*1448, 0)
	h.Options.Set, h.Options.NSACK = wire.OptSACK, 1
	h.Options.SACK[0] = wire.SACKBlock{Left: k.iss[Right] + 1 + 39*1448, Right: k.iss[Right] + 1 + 40*1448}
	k.send(Left, h, same, same)
	k.wait(20 * time.Millisecond)
	k.close(40)
	golden(t, "ladder/bad-path.txt", draw(t, k, Style{Numbers: Both}))
}

// Events of both ends tell the same ladder as packets do.
func TestLadderOfEvents(t *testing.T) {
	tell := func(events bool) string {
		k := newTalk2(20 * time.Millisecond)
		k.events = events
		k.send(Left, k.seg(Left, syn, 0, 0, 0), tcp.StateSynSent, same, lost)
		k.wait(time.Second)
		k.open()
		k.get(40)
		k.send(Right, k.seg(Right, ack, 1, 121, 1448), same, same, func(p *Packet) { p.Dropped = wire.DropDuplicate })
		k.wait(k.delay)
		k.send(Left, k.seg(Left, ack, 121, 1+40*1448, 0), same, same, doubled)
		k.wait(2 * k.delay)
		k.close(40)
		return draw(t, k, Style{Numbers: Both})
	}
	packets, events := tell(false), tell(true)
	if packets != events {
		t.Errorf("packets tell\n%sevents tell\n%s", packets, events)
	}
	golden(t, "ladder/events.txt", events)
}

// A stream of more than 4 GiB is numbered on.
func TestLadderNumbersBeyond32Bits(t *testing.T) {
	k := newTalk2(0)
	k.open()
	const n = 3 << 20
	for i := range uint32(n) {
		k.send(Right, k.seg(Right, ack, 1+i*1448, 1, 1448), same, same)
	}
	k.close(n)
	got := draw(t, k, Style{})
	if want := "FIN,ACK seq 121 ack 4555014145"; !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}

// FuzzLadder: whatever is told, every line fits.
func FuzzLadder(f *testing.F) {
	f.Add([]byte("any bytes will do, they become packets and events of all sorts and sizes"), 80, false)
	f.Fuzz(func(t *testing.T, in []byte, columns int, events bool) {
		l, r := hosts()
		k := newTalk(l, r, 0)
		k.events = events
		columns = 62 + (columns&0x7fffffff)%100
		for len(in) >= 12 {
			h := k.seg(Side(in[0]&1), wire.Flags(in[1]), uint32(in[2])<<(in[3]&31), uint32(in[4]), uint32(in[5])*uint32(in[6]&1))
			h.Options.Set, h.Options.NSACK, h.Wnd = wire.OptionSet(in[7]), in[8], uint16(in[9])<<8
			k.delay = time.Duration(in[10]) << (in[11] & 31)
			k.send(Side(in[0]&1), h, tcp.State(in[8]%11), tcp.State(in[9]%11), func(p *Packet) {
				p.Copies, p.Corrupt, p.Dropped = in[3]%3, in[3]&8 != 0, wire.Reason(in[6])
			})
			k.wait(time.Duration(in[11]) << (in[10] & 31))
			in = in[12:]
		}
		for _, n := range []Numbering{Relative, Absolute, Both} {
			for line := range strings.Lines(draw(t, k, Style{Width: columns, Numbers: n})) {
				if w := width(strings.TrimSuffix(line, "\n")); w > columns {
					t.Fatalf("%d columns, not %d: %q", w, columns, line)
				}
			}
		}
	})
}

func TestLadderOfARefusal(t *testing.T) {
	k := newTalk(End{Name: "浏览器", Addr: "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:32768"},
		End{Name: "服务器", Addr: "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:2]:81"}, 5*time.Millisecond)
	k.state[Right] = tcp.StateClosed
	k.send(Left, k.seg(Left, syn, 0, 0, 0), tcp.StateSynSent, same)
	k.wait(5 * time.Millisecond)
	k.send(Right, k.seg(Right, wire.RST|wire.ACK, 0, 1, 0), same, tcp.StateClosed)
	k.b.Event(Left, tcp.Event{Kind: tcp.EventClosed, Err: tcp.ErrRefused, Time: k.now.Add(k.delay)})
	golden(t, "ladder/refused.txt", draw(t, k, Style{Numbers: Both}))
	golden(t, "ladder/refused-ascii.txt", draw(t, k, Style{Numbers: Both, ASCII: true, Width: 64}))
	golden(t, "ladder/refused-colour.txt", draw(t, k, Style{Color: true}))
}

// Totals count what each end sent, over and above what the ladder shows.
func TestTotals(t *testing.T) {
	k := newTalk2(time.Millisecond)
	k.open()
	k.get(4)
	k.send(Right, k.seg(Right, ack, 1, 121, 1448), same, same, lost)
	k.send(Right, k.seg(Right, ack, 1+4*1448, 121, 1448), same, same, doubled)
	for _, a := range []uint32{4, 4, 4, 5, 5} { // two duplicates; then nothing is in flight
		k.send(Left, k.seg(Left, ack, 121, 1+a*1448, 0), same, same)
	}
	k.wnd++
	k.send(Left, k.seg(Left, ack, 121, 1+5*1448, 0), same, same, damaged)
	if got, want := k.b.Totals(Left), (Totals{Segments: 11, Data: 1, Bytes: 120, Acks: 9, DupAcks: 3, Repeated: 1, Corrupt: 1}); got != want {
		t.Errorf("left: %+v, want %+v", got, want)
	}
	if got, want := k.b.Totals(Right), (Totals{Segments: 7, Data: 6, Bytes: 6 * 1448, Again: 1, AgainBytes: 1448, Lost: 1, Doubled: 1}); got != want {
		t.Errorf("right: %+v, want %+v", got, want)
	}
}
