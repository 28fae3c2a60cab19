package tcp

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"estab/internal/wire"
)

// pattern is byte number i of the text that one end sends.
func pattern(i Num, ours bool) byte {
	b := byte(i*37) ^ byte(i>>8) ^ byte(i>>16)
	if ours {
		return ^b
	}
	return b
}

func text(rel Num, n int, ours bool) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = pattern(rel+Num(i), ours)
	}
	return p
}

var flagLetters = map[rune]Flags{
	'S': wire.SYN, 'F': wire.FIN, 'R': wire.RST, 'P': wire.PSH, '.': wire.ACK,
	'U': wire.URG, 'E': wire.ECE, 'W': wire.CWR, 'A': wire.AE, '-': 0,
}

// seg makes the segment of a line, as the peer would send it.
func (r *rig) seg(line string) *Segment {
	r.t.Helper()
	s := &Segment{Tuple: r.tup, Wnd: uint16(r.win)}
	head, opts, _ := strings.Cut(line, "<")
	f := strings.Fields(head)
	num := func(x string) Num {
		n, err := strconv.ParseInt(x, 10, 64)
		if err != nil {
			r.t.Fatalf("%q: %v", line, err)
		}
		return Num(n)
	}
	for _, l := range f[0] {
		b, ok := flagLetters[l]
		if !ok {
			r.t.Fatalf("%q: flag %c", line, l)
		}
		s.Flags |= b
	}
	var n int
	if k, _ := fmt.Sscanf(f[1][strings.Index(f[1], "("):], "(%d)", &n); k != 1 {
		r.t.Fatalf("%q: no length", line)
	}
	from := num(f[1][:strings.Index(f[1], ":")])
	s.Seq = r.irs + from
	if s.Flags.Has(wire.SYN) {
		from++
	}
	s.Payload = text(from, n, false)
	for i := 2; i+1 < len(f); i += 2 {
		switch f[i] {
		case "ack":
			s.Ack = r.iss + num(f[i+1])
		case "win":
			s.Wnd = uint16(num(f[i+1]))
		case "urg":
			s.Up = uint16(num(f[i+1]))
		default:
			r.t.Fatalf("%q: what is %q?", line, f[i])
		}
	}
	r.options(&s.Options, strings.TrimSuffix(strings.TrimSpace(opts), ">"))
	return s
}

func (r *rig) options(o *Options, line string) {
	r.t.Helper()
	for opt := range strings.SplitSeq(line, ",") {
		f := strings.Fields(opt)
		if len(f) == 0 {
			continue
		}
		at := func(i int) uint32 {
			n, err := strconv.ParseInt(f[i], 10, 64)
			if err != nil {
				r.t.Fatalf("option %q: %v", opt, err)
			}
			return uint32(n)
		}
		switch f[0] {
		case "mss":
			o.Set |= wire.OptMSS
			o.MSS = uint16(at(1))
		case "wscale":
			o.Set |= wire.OptWindowScale
			o.WindowScale = uint8(at(1))
		case "sackOK":
			o.Set |= wire.OptSACKPermitted
		case "TS": // TS val 1 ecr 2
			o.Set |= wire.OptTimestamps
			o.TSVal, o.TSEcr = at(2), at(4)
		case "sack":
			o.Set |= wire.OptSACK
			for i, b := range f[1:] {
				l, rt, _ := strings.Cut(b, ":")
				x, _ := strconv.Atoi(l)
				y, _ := strconv.Atoi(rt)
				o.SACK[i] = SACKBlock{Left: r.iss + Num(x), Right: r.iss + Num(y)}
				o.NSACK++
			}
		default:
			r.t.Fatalf("option %q", opt)
		}
	}
}

// line writes a segment of ours as want writes it: window, options and urgent
// pointer only if the pattern has them.
func (r *rig) line(s *Segment, like string) string {
	from, n := uint32(s.Seq-r.iss), s.DataLen()
	b := fmt.Sprintf("%v %d:%d(%d)", s.Flags, int32(from), int32(from)+int32(n), n)
	if s.Flags.Has(wire.ACK) {
		b += fmt.Sprintf(" ack %d", int32(s.Ack-r.irs))
	}
	if strings.Contains(like, " win ") {
		b += fmt.Sprintf(" win %d", s.Wnd)
	}
	if strings.Contains(like, " urg ") {
		b += fmt.Sprintf(" urg %d", s.Up)
	}
	if strings.Contains(like, "<") {
		b += " <" + r.optionLine(&s.Options) + ">"
	}
	return b
}

func (r *rig) optionLine(o *Options) string {
	var l []string
	if o.Has(wire.OptMSS) {
		l = append(l, fmt.Sprint("mss ", o.MSS))
	}
	if o.Has(wire.OptSACKPermitted) {
		l = append(l, "sackOK")
	}
	if o.Has(wire.OptTimestamps) {
		l = append(l, fmt.Sprintf("TS val %d ecr %d", o.TSVal-r.e.timestampOffset(&r.tup), o.TSEcr))
	}
	if o.Has(wire.OptWindowScale) {
		l = append(l, fmt.Sprint("wscale ", o.WindowScale))
	}
	if o.Has(wire.OptSACK) {
		b := "sack"
		for _, s := range o.SACK[:o.NSACK] {
			b += fmt.Sprintf(" %d:%d", int32(s.Left-r.irs), int32(s.Right-r.irs))
		}
		l = append(l, b)
	}
	return strings.Join(l, ",")
}

func (r *rig) show(segs []sentSeg, like string) string {
	var b strings.Builder
	for i := range segs {
		fmt.Fprintf(&b, "%v: %s\n", time.Duration(segs[i].at), r.line(&segs[i].Segment, like))
	}
	return b.String()
}

// segRange writes "from:to(n)".
func segRange(from, n int) string { return fmt.Sprintf("%d:%d(%d)", from, from+n, n) }

func itoa[N int | uint32](n N) string { return strconv.FormatInt(int64(n), 10) }
