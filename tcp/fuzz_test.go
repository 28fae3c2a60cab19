package tcp

import (
	"testing"
	"time"

	"estab/internal/wire"
)

// fuzzStates are the situations in which a fuzzed conversation begins.
var fuzzStates = []string{
	"LISTEN", "SYN-SENT", "SYN-RECEIVED/passive", "SYN-RECEIVED/active", "ESTABLISHED", "ESTABLISHED/zero-window",
	"FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT", "ESTABLISHED/options", "CLOSED",
}

// fuzzer reads a conversation out of bytes.
type fuzzer struct {
	*rig
	data []byte
	edge int32 // the right edge that was advertised, relative to IRS
	read int
}

func (f *fuzzer) byte() byte {
	if len(f.data) == 0 {
		return 0
	}
	b := f.data[0]
	f.data = f.data[1:]
	return b
}

func (f *fuzzer) uint16() int { return int(f.byte())<<8 | int(f.byte()) }

// FuzzInputInState plays segments, user calls and time on a connection in each
// of the states. Whatever comes, the invariants hold, nothing is delivered that
// was not sent, the right edge stays, and in the end nothing is left.
func FuzzInputInState(f *testing.F) {
	for i := range fuzzStates {
		f.Add([]byte{byte(i)})
		f.Add([]byte{byte(i), 1, 0, 16, 0, 1, 0, 1, 0, 10, 8, 0, 0, 200, 9, 1, 44, 5, 1, 0, 17, 0, 11, 0, 1, 0, 0, 12})
		f.Add([]byte{byte(i), 4, 200, 0, 16, 0, 100, 0, 1, 100, 0, 0, 16, 0, 1, 0, 1, 100, 8, 1, 0, 13, 8, 255, 255, 11})
		f.Add([]byte{byte(i), 14, 0, 4, 0, 1, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 16, 128, 0, 128, 0, 255, 2, 25, 200, 1, 30, 6, 7, 8, 9, 10})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || len(data) > 2000 {
			return
		}
		z := &fuzzer{data: data[1:]}
		z.rig = fuzzRig(t, fuzzStates[int(data[0])%len(fuzzStates)], data[0]/16)
		for len(z.data) > 0 {
			z.step()
			z.watch()
		}
		z.end()
	})
}

func fuzzRig(t *testing.T, state string, how byte) *rig {
	v := refVariant{
		iss: []Num{0, 1<<31 - 1, 1<<32 - 1, 77}[how&3], irs: []Num{0, 1<<31 - 100, 1<<32 - 1, 1 << 31}[how>>2&3],
		passive: how&1 > 0, six: how&2 > 0, slow: how&4 > 0,
	}
	if state != "ESTABLISHED/options" {
		return refState(t, state, v)
	}
	r := newRig(t, Config{NoFastPath: v.slow})
	r.irs, r.win = v.irs, 1000
	r.setISS(v.iss)
	r.connect(ConnConfig{}, "<mss 536,sackOK,TS val 100 ecr 0,wscale 6>")
	return r
}

// step takes the next event out of the bytes.
func (f *fuzzer) step() {
	e, now := f.e, f.now
	switch op := f.byte() % 32; op {
	default:
		f.segment(op)
		return
	case 4:
		n := f.uint16() % 5000
		if k, err := e.Send(now, f.id, text(Num(f.wrote+1), n, true), SendFlags(n&3)); err == 0 {
			f.wrote += k
		}
	case 5:
		f.receive(1 + f.uint16())
	case 6:
		e.Shutdown(now, f.id)
	case 7:
		e.ShutdownRead(now, f.id)
		f.read = -1
	case 8:
		f.advance(time.Duration(f.uint16()) * ms)
	case 9:
		f.advance(time.Duration(f.byte()) * time.Second)
	case 10:
		e.SetNoDelay(now, f.id, f.byte()&1 > 0)
		e.SetCork(now, f.id, f.byte()&1 > 0)
	case 11:
		e.SetReceiveBuffer(now, f.id, f.uint16())
		e.SetSendBuffer(now, f.id, f.uint16())
	case 12:
		e.SetKeepAlive(now, f.id, KeepAlive{On: true, Idle: time.Duration(f.byte()) * time.Second, Interval: time.Second, Count: 2})
		e.SetUserTimeout(now, f.id, time.Duration(f.byte())*time.Second)
	case 13:
		switch x := f.byte(); {
		case x < 16:
			e.Close(now, f.id, time.Duration(int8(x-2))*time.Second)
		case x < 20:
			e.Abort(now, f.id)
		case x < 30:
			if id, err := e.Accept(now, f.lid); err == 0 {
				e.Close(now, f.id, -1)
				f.id = id
				f.iss, f.irs = f.status().ISS, f.status().IRS
				f.read = -1
			}
		case x < 40:
			e.PacketTooBig(now, &f.tup, f.iss+Num(f.uint16()), f.uint16()%2000)
		case x < 50:
			e.ICMPError(now, &f.tup, f.iss+Num(f.uint16()), ErrHostUnreachable)
		case x < 60:
			f.deaf = !f.deaf
			if !f.deaf {
				e.Writable()
			}
		case x < 70:
			e.Close(now, f.id, -1)
			if id, err := e.Open(now, OpenOptions{Tuple: f.tup}); err == 0 {
				f.id, f.read = id, -1
				f.iss = f.status().ISS
			}
		case x < 80:
			e.Clone().AppendState(nil, now)
		}
	}
	f.output()
}

// segment lets a segment arrive, whose text is what this peer sends at that
// number, always.
func (f *fuzzer) segment(op byte) {
	s := &Segment{Tuple: f.tup, Wnd: uint16(f.win)}
	s.Flags = Flags(f.byte())
	if op > 20 {
		s.Flags = wire.ACK | s.Flags&wire.PSH
	}
	from := Num(int16(f.uint16()))
	if op&1 > 0 && f.id != 0 {
		if st, err := f.e.Status(f.now, f.id); err == 0 {
			from += st.RcvNXT - f.irs
			s.Ack = st.SndUNA
		}
	}
	s.Seq = f.irs + from
	if s.Ack == 0 {
		s.Ack = f.iss
	}
	s.Ack += Num(int16(f.uint16()))
	n := int(f.byte())
	if op&2 > 0 {
		n *= 8
	}
	if s.Flags.Has(wire.SYN) {
		from++
	}
	s.Payload = text(from, n, false)
	if op&4 > 0 {
		f.fuzzOptions(s)
	}
	if op&8 > 0 {
		s.Slab = f.e.Pool().Get(max(n, 1))
		s.Slab.Append(s.Payload)
		s.Payload = s.Slab.Bytes()
	}
	f.e.Input(f.now, s)
	if s.Slab != nil {
		f.e.Pool().Put(s.Slab)
	}
	f.output()
}

func (f *fuzzer) fuzzOptions(s *Segment) {
	o := &s.Options
	o.Set = wire.OptionSet(f.byte() & 31)
	o.MSS = uint16(f.byte()) * 16
	o.WindowScale = f.byte()
	o.TSVal = 100 + uint32(int8(f.byte()))
	o.TSEcr = uint32(f.byte())
	s.Wnd = uint16(f.byte()) * 64
	s.Up = uint16(f.byte())
	if o.Has(wire.OptSACK) {
		o.NSACK = 1 + f.byte()%wire.MaxSACKBlocks
		for i := range o.NSACK {
			l := f.iss + Num(int16(f.uint16()))
			o.SACK[i] = SACKBlock{Left: l, Right: l + Num(int8(f.byte()))*16}
		}
	}
}

// receive takes text and compares it with what the peer sent.
func (f *fuzzer) receive(n int) {
	p := make([]byte, n)
	k, _ := f.e.Receive(f.now, f.id, p, 0)
	if f.read < 0 {
		return // the connection is not the one that began, or nobody reads
	}
	st, _ := f.e.Status(f.now, f.id)
	if k > 0 && string(p[:k]) != string(text(st.IRS-f.irs+Num(f.read+1), k, false)) {
		f.t.Fatalf("bytes %d to %d are not what was sent", f.read, f.read+k)
	}
	f.read += k
}

// watch looks at what was sent.
func (f *fuzzer) watch() {
	st, _ := f.e.Status(f.now, f.id)
	c := f.e.lookup(f.id)
	for i := range f.sent {
		s := &f.sent[i].Segment
		if c == nil || !c.has(fInTable) || f.read < 0 || !st.State.Synchronised() || s.Flags&(wire.ACK|wire.SYN|wire.RST) != wire.ACK {
			continue
		}
		edge := (s.Ack + Num(s.Wnd)<<st.RcvScale).Diff(st.IRS)
		if edge < f.edge-(1<<st.RcvScale) {
			f.t.Fatalf("the right edge moved from %d to %d", f.edge, edge)
		}
		f.edge = max(f.edge, edge)
		if n := s.DataLen(); n > 0 && string(s.Payload) != string(text(s.Seq-f.iss, n, true)) {
			f.t.Fatalf("text sent at %d is not what was written", s.Seq-f.iss)
		}
	}
	f.sent = f.sent[:0]
}

// end gives everything up and waits.
func (f *fuzzer) end() {
	f.deaf = false
	f.e.Writable()
	f.receive(1 << 20)
	f.e.Close(f.now, f.id, -1)
	for {
		id, err := f.e.Accept(f.now, f.lid)
		if err != 0 {
			break
		}
		f.e.Close(f.now, id, -1)
	}
	f.e.Unlisten(f.now, f.lid)
	f.output()
	f.advance(2 * time.Hour)
	f.sent = nil
	f.wantGone()
}

// FuzzRanges compares rangeSet with a set of single numbers.
func FuzzRanges(f *testing.F) {
	f.Add([]byte{0, 1, 5, 0, 9, 5, 0, 20, 3, 1, 6, 0})
	f.Add([]byte{0, 1, 1, 0, 3, 1, 0, 5, 1, 0, 7, 1, 0, 0, 20})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 600 {
			return
		}
		base := Num(1<<32 - 300)
		o := &naiveSet{base: base, has: make([]bool, 600)}
		var s rangeSet
		low := base
		for len(data) >= 3 {
			op, at, n := data[0], Num(data[1])+Num(data[0]>>2), Num(data[2]%40)
			data = data[3:]
			if (base + at).Less(low) {
				continue
			}
			l := base + at
			switch op & 3 {
			case 0, 1:
				if n == 0 {
					continue
				}
				checkGaps(t, &s, o, l, l+n)
				s.add(l, l+n)
				o.set(l, l+n, true)
			case 2:
				s.trim(l)
				o.set(base, l, false)
				low = l
			case 3:
				if _, ok := s.containing(l); ok != o.has[l-base] {
					t.Fatalf("containing(%d) = %v", l-base, ok)
				}
			}
			if err := compareSets(&s, o); err != nil {
				t.Fatal(err)
			}
		}
	})
}
