package script

import (
	"encoding/binary"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// cause is what made the stack send a packet.
type cause uint8

const (
	causeInput cause = iota // a packet arrived
	causeCall               // a system call
	causeClose              // the system call close
	causeTimer
)

// flow is a connection as the script knows it: a pair of ports, and how the
// script's numbers relate to those on the wire.
//
// Sequence numbers in scripts are as in tcpdump's output: those of a segment
// with SYN are absolute, all others relative to the initial one. The script
// chooses the initial number of its own end, so there the absolute ones are
// the real ones; that of the stack is learnt from its SYN.
type flow struct {
	local, remote uint16        // ports
	sock          *sock         // whose connection it is in the engine, once that is known
	real          *realSock     // and in a machine
	out           []*packet     // what left and no line has stated yet
	written       []byte        // what the program wrote
	pushEnds      []uint32      // where in it a write ended that nothing held back
	corked        bool          // the program holds text back
	read          uint32        // how much of what arrived the program has read
	state         tcp.State     // the last that an event spoke of
	resetFrom     tcp.State     // the state in which it was closed without a close
	minRTT        time.Duration // 0: none measured

	sentSYN   bool
	liveISN   uint32 // of the stack, on the wire
	scriptISN uint32 // and in the script
	namedISN  bool   // scriptISN is set
	remoteISN uint32
	synced    bool // the stack has acknowledged remoteISN
	high      uint32
	counts    flowCounts

	ts struct {
		known        bool
		script, live uint32            // the first value seen
		live4        map[uint32]uint32 // script value to live value, the latest
	}

	trace  []trace.Packet
	events []tcp.Event
}

// flowCounts are counted on the wire, for the names of TCP_INFO.
type flowCounts struct {
	segsOut, segsIn, dataSegsOut, dataSegsIn uint32
	bytesSent, bytesAgain                    uint64
	again                                    uint32 // segments sent again
}

// maxTrace bounds what a ladder can show of one connection.
const maxTrace = 20_000

// localOffset is what is added to a number of the stack's in the script to get
// the one on the wire.
func (f *flow) localOffset(syn bool) uint32 {
	if syn {
		return f.liveISN - f.scriptISN
	}
	return f.liveISN
}

// remoteOffset is the same for numbers of the script's own end.
func (f *flow) remoteOffset(syn bool) uint32 {
	if syn {
		return 0
	}
	return f.remoteISN
}

// observe takes note of what the stack has sent.
func (f *flow) observe(p *packet) {
	p.flow = f
	if p.flags&FlagSYN != 0 {
		if !f.sentSYN || f.liveISN != p.seq {
			f.high = p.seq
			f.namedISN = false
			f.written, f.pushEnds = nil, nil // a new connection of the pair
		}
		f.sentSYN, f.liveISN = true, p.seq
		if p.flags&FlagACK != 0 {
			f.remoteISN = p.ack - 1
		}
	}
	if p.flags&(FlagACK|FlagRST) == FlagACK {
		f.synced = true
	}
	end := p.end()
	c := &f.counts
	c.segsOut++
	n := uint64(len(p.payload))
	if end != p.seq && int32(end-f.high) <= 0 {
		p.again = true
		c.again++
		c.bytesAgain += n
	} else if end != p.seq {
		f.high = end
	}
	if n > 0 {
		c.dataSegsOut++
		c.bytesSent += n
	}
	f.record(trace.Right, p)
	f.out = append(f.out, p)
}

// record keeps a segment for the ladder. The right end is the stack.
func (f *flow) record(from trace.Side, p *packet) {
	if len(f.trace) < maxTrace {
		at := hostStart.Add(p.at)
		f.trace = append(f.trace, trace.Packet{From: from, Time: at, Arrive: [2]tcp.Time{at}, Copies: 1, Again: p.again, Seg: p.header()})
	}
}

// arrive takes note of what the script sends to the stack.
func (f *flow) arrive(p *packet) {
	c := &f.counts
	c.segsIn++
	if len(p.payload) > 0 {
		c.dataSegsIn++
	}
	if p.flags&FlagSYN != 0 && !f.synced {
		f.remoteISN = p.seq
	}
	f.record(trace.Left, p)
}

// inbound translates a segment of the script's to what goes on the wire.
func (f *flow) inbound(s *Segment) (*packet, []rawOption) {
	p := &packet{flow: f, src: f.remote, dst: f.local, flags: s.Flags.Bits}
	if s.Flags.HasACE {
		p.flags |= aceBits(s.Flags.ACE)
	}
	syn := s.Flags.Has(FlagSYN)
	if syn && !f.synced {
		f.remoteISN = s.Seq.Begin
	}
	p.seq = s.Seq.Begin + f.remoteOffset(syn)
	if s.Flags.Has(FlagACK) || s.Ack.Kind == FieldExact {
		p.ack = s.Ack.Value + f.localOffset(syn)
	}
	p.win, p.up = uint16(s.Win.Value), uint16(s.Urg.Value)
	p.payload = make([]byte, s.Seq.Len)
	first := p.seq - f.remoteISN - 1
	if syn {
		first++
	}
	for i := range p.payload {
		p.payload[i] = pattern(first + uint32(i))
	}
	p.options = f.rawOptions(s)
	return p, p.options
}

// aceBits are the bits AE, CWR and ECE as AccECN's counter of three bits
// (RFC 9768).
func aceBits(ace uint8) uint16 {
	bits := uint16(0)
	if ace&4 != 0 {
		bits |= FlagAE
	}
	if ace&2 != 0 {
		bits |= FlagCWR
	}
	if ace&1 != 0 {
		bits |= FlagECE
	}
	return bits
}

// pattern is byte i of what the script's end sends, and of what a program
// writes without saying what.
func pattern(i uint32) byte { return byte(i) ^ byte(i>>8)*7 ^ byte(i>>16) }

// rawOptions translates a segment's options.
func (f *flow) rawOptions(s *Segment) []rawOption {
	var list []rawOption
	syn := s.Flags.Has(FlagSYN)
	be := binary.BigEndian
	for i := range s.Options.List {
		o := &s.Options.List[i]
		switch o.Kind {
		case OptEOL:
			list = append(list, rawOption{kind: kindEOL})
		case OptNOP:
			list = append(list, rawOption{kind: kindNOP})
		case OptMSS:
			list = append(list, rawOption{kindMSS, be.AppendUint16(nil, uint16(o.Value.Value))})
		case OptWScale:
			list = append(list, rawOption{kindWScale, []byte{uint8(o.Value.Value)}})
		case OptSACKOK:
			list = append(list, rawOption{kind: kindSACKOK})
		case OptSACK:
			var b []byte
			for _, k := range o.Blocks {
				b = be.AppendUint32(b, k.Left+f.localOffset(syn))
				b = be.AppendUint32(b, k.Right+f.localOffset(syn))
			}
			list = append(list, rawOption{kindSACK, b})
		case OptTS:
			ecr := o.Echo.Value
			if s.Flags.Has(FlagACK) {
				ecr = f.liveTS(ecr)
			}
			list = append(list, rawOption{kindTS, be.AppendUint32(be.AppendUint32(nil, o.Value.Value), ecr)})
		case OptFO:
			list = append(list, rawOption{kindFO, o.Data})
		case OptFOExp:
			list = append(list, rawOption{kindExp, append(foMagic[:], o.Data...)})
		case OptRaw:
			list = append(list, rawOption{o.Number, o.Data})
		}
	}
	return list
}

// liveTS is the stack's timestamp that the script calls script.
func (f *flow) liveTS(script uint32) uint32 {
	if live, ok := f.ts.live4[script]; ok {
		return live
	}
	if f.ts.known {
		return script - f.ts.script + f.ts.live
	}
	return script
}

// learn takes from a stated segment what the script calls the stack's initial
// number and its timestamp.
func (f *flow) learn(want *Segment, p *packet) {
	if p.flags&FlagSYN != 0 && want.Flags.Has(FlagSYN) && !f.namedISN {
		f.namedISN = true
		f.scriptISN = want.Seq.Begin
	}
	ts, ok := p.option(kindTS)
	if !ok || len(ts.data) != 8 {
		return
	}
	live := binary.BigEndian.Uint32(ts.data)
	for _, o := range want.Options.List {
		if o.Kind != OptTS || o.Value.Kind != FieldExact {
			continue
		}
		if !f.ts.known {
			f.ts.known, f.ts.script, f.ts.live = true, o.Value.Value, live
			f.ts.live4 = map[uint32]uint32{}
		}
		f.ts.live4[o.Value.Value] = live
	}
}

// outbound translates what the stack has sent to the script's numbers.
func (f *flow) outbound(p *packet) *Segment {
	syn := p.flags&FlagSYN != 0
	s := &Segment{PacketHead: PacketHead{Dir: Outbound}, Flags: Flags{Bits: p.flags}}
	s.Seq.Begin = p.seq - f.localOffset(syn)
	s.Seq.Len = uint32(len(p.payload))
	s.Seq.End = s.Seq.Begin + s.Seq.Len
	if p.flags&FlagACK != 0 {
		s.Ack = Exactly(p.ack - f.remoteOffset(syn))
	}
	s.Win = Exactly(uint32(p.win))
	if p.up != 0 || p.flags&FlagURG != 0 {
		s.Urg = Exactly(uint32(p.up))
	}
	for _, o := range p.options {
		s.Options.Present = true
		s.Options.List = append(s.Options.List, f.scriptOption(o, syn))
	}
	return s
}

func (f *flow) scriptOption(o rawOption, syn bool) TCPOption {
	be := binary.BigEndian
	switch {
	case o.kind == kindEOL:
		return TCPOption{Kind: OptEOL}
	case o.kind == kindNOP:
		return TCPOption{Kind: OptNOP}
	case o.kind == kindMSS && len(o.data) == 2:
		return TCPOption{Kind: OptMSS, Value: Exactly(uint32(be.Uint16(o.data)))}
	case o.kind == kindWScale && len(o.data) == 1:
		return TCPOption{Kind: OptWScale, Value: Exactly(uint32(o.data[0]))}
	case o.kind == kindSACKOK && len(o.data) == 0:
		return TCPOption{Kind: OptSACKOK}
	case o.kind == kindTS && len(o.data) == 8:
		return TCPOption{Kind: OptTS, Value: Exactly(f.scriptTS(be.Uint32(o.data))), Echo: Exactly(be.Uint32(o.data[4:]))}
	case o.kind == kindSACK && len(o.data)%8 == 0:
		opt := TCPOption{Kind: OptSACK}
		for b := o.data; len(b) > 0; b = b[8:] {
			off := f.remoteOffset(syn)
			opt.Blocks = append(opt.Blocks, SACKBlock{be.Uint32(b) - off, be.Uint32(b[4:]) - off})
		}
		return opt
	}
	return TCPOption{Kind: OptRaw, Number: o.kind, Data: o.data}
}

func (f *flow) scriptTS(live uint32) uint32 {
	if f.ts.known {
		return live - f.ts.live + f.ts.script
	}
	return live
}

// isPushEnd reports whether a write ended at the stack's number n.
func (f *flow) isPushEnd(n uint32) bool {
	at := n - f.liveISN - 1
	for i := len(f.pushEnds) - 1; i >= 0; i-- {
		if f.pushEnds[i] == at {
			return true
		}
	}
	return false
}

// checkPayload reports whether a segment carries what the program wrote.
func (f *flow) checkPayload(p *packet) bool {
	first := p.seq - f.liveISN - 1
	for i, b := range p.payload {
		at := uint64(first) + uint64(i)
		if at >= uint64(len(f.written)) || f.written[at] != b {
			return false
		}
	}
	return true
}

// event takes an event of the engine's about the connection.
func (f *flow) event(e *tcp.Event) {
	switch e.Kind {
	case tcp.EventState:
		f.state = e.To
		if e.To == tcp.StateClosed && e.HasSeg && e.Seg.Flags.Has(wire.RST) {
			f.resetFrom = e.From
		}
	case tcp.EventRTT:
		if d := time.Duration(e.Value); f.minRTT == 0 || d < f.minRTT {
			f.minRTT = d
		}
		return
	}
	if len(f.events) < maxTrace {
		f.events = append(f.events, *e)
	}
}

// ladder draws the connection, with a line of text where it went wrong.
func (f *flow) ladder(system, note string, at time.Duration) *trace.Ladder {
	b := trace.NewBuilder(trace.End{Name: "script"}, trace.End{Name: system}, tcp.Tuple{})
	b.Keep(20, 20)
	for _, p := range f.trace {
		b.Packet(p)
	}
	for _, e := range f.events {
		b.Event(trace.Right, e)
	}
	l := b.Ladder()
	if note != "" {
		row := trace.Row{Kind: trace.RowNote, From: trace.Right, Notes: []string{note}}
		if len(f.trace) > 0 {
			row.Time = hostStart.Add(at).Sub(f.trace[0].Time)
		}
		l.Rows = append(l.Rows, row)
	}
	return l
}
