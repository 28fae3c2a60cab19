package trace

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"estab/internal/seq"
	"estab/internal/wire"
	"estab/tcp"
)

// ParseEvent reads a line that AppendEvent wrote. The words behind the
// sockets may come in any order.
func ParseEvent(line string) (tcp.Event, error) {
	var e tcp.Event
	f := strings.Fields(line)
	if len(f) < 3 {
		return e, fmt.Errorf("trace: %q: want a time, a kind and two sockets", line)
	}
	err := parseHead(&e, f[0], f[1], f[2])
	seen := map[string]bool{}
	for _, w := range f[3:] {
		if err != nil {
			break
		}
		name, value, hasValue := strings.Cut(w, "=")
		if seen[name] {
			err = fmt.Errorf("%q is there twice", name)
			break
		}
		seen[name] = true
		err = parseWord(&e, name, value, hasValue)
	}
	if err == nil && !e.HasSeg && e.Seg != (tcp.SegHeader{}) {
		err = fmt.Errorf("fields of a segment without seg=")
	}
	if err != nil {
		return tcp.Event{}, fmt.Errorf("trace: %q: %w", line, err)
	}
	return e, nil
}

// ParseEvents reads a whole golden file. Empty lines and lines that begin
// with # are left out.
func ParseEvents(text string) ([]tcp.Event, error) {
	var events []tcp.Event
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := ParseEvent(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		events = append(events, e)
	}
	return events, nil
}

func parseHead(e *tcp.Event, at, kind, sockets string) error {
	t, err := parseSeconds(at)
	if err != nil {
		return err
	}
	e.Time = tcp.Time(t)
	k, ok := byName(kind, 16, func(i int) string { return kindName(1 << i) })
	if ok {
		e.Kind = 1 << k
	} else if k, err = parseUnknown(kind, 1<<16); err != nil {
		return err
	} else {
		e.Kind = tcp.EventKind(k)
	}
	local, remote, _ := strings.Cut(sockets, "-")
	a, err := netip.ParseAddrPort(local)
	if err != nil {
		return err
	}
	b, err := netip.ParseAddrPort(remote)
	if err != nil {
		return err
	}
	if a.Addr().Zone() != "" || b.Addr().Zone() != "" {
		return fmt.Errorf("a zone is written as zone=number")
	}
	e.Tuple = wire.TupleFrom(a, b, 0)
	return nil
}

// parseSeconds reads seconds with nine digits behind the point.
func parseSeconds(s string) (int64, error) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) != 9 {
		return 0, fmt.Errorf("time %q: want seconds with nine digits behind the point", s)
	}
	return strconv.ParseInt(whole+frac, 10, 64)
}

// byName finds the number, below n, that has the name.
func byName(name string, n int, of func(int) string) (int, bool) {
	for i := range n {
		if of(i) == name {
			return i, name[0] != '#'
		}
	}
	return 0, false
}

// parseUnknown reads "#number".
func parseUnknown(s string, n int) (int, error) {
	digits, ok := strings.CutPrefix(s, "#")
	v, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || v >= uint64(n) {
		return 0, fmt.Errorf("unknown name %q", s)
	}
	return int(v), nil
}

// enum reads a name of a type of one byte.
func enum[T ~uint8](dst *T, name string, of func(T) string) error {
	if name == "" {
		return fmt.Errorf("an empty name")
	}
	v, ok := byName(name, 256, func(i int) string { return of(T(i)) })
	if !ok {
		var err error
		if v, err = parseUnknown(name, 256); err != nil {
			return err
		}
	}
	*dst = T(v)
	return nil
}

// number reads an unsigned number.
func number[T ~uint8 | ~uint16 | ~uint32 | ~uint64](dst *T, s string, bits int) error {
	v, err := strconv.ParseUint(s, 10, bits)
	*dst = T(v)
	return err
}

func parseWord(e *tcp.Event, name, value string, hasValue bool) error {
	switch name {
	case "passive", "again", "sackok":
		if hasValue {
			return fmt.Errorf("%q takes no value", name)
		}
		return parseFlag(e, name)
	case "zone":
		return number(&e.Zone, value, 32)
	case "conn":
		return number((*uint64)(&e.Conn), value, 64)
	case "from":
		return enum(&e.From, value, stateName)
	case "to":
		return enum(&e.To, value, stateName)
	case "reason":
		return enum(&e.Reason, value, reasonName)
	case "timer":
		return enum(&e.Timer, value, timerName)
	case "why":
		return enum(&e.Why, value, whyName)
	case "err":
		return enum(&e.Err, value, errName)
	case "count":
		return number(&e.Count, value, 32)
	case "cwnd":
		return number(&e.Cwnd, value, 32)
	case "ssthresh":
		return number(&e.Ssthresh, value, 32)
	case "value":
		v, err := strconv.ParseInt(value, 10, 64)
		e.Value = v
		return err
	}
	return parseSegWord(e, name, value)
}

func parseFlag(e *tcp.Event, name string) error {
	switch name {
	case "passive":
		e.Passive = true
	case "again":
		e.Retransmit = true
	case "sackok":
		e.Seg.Options.Set |= wire.OptSACKPermitted
	}
	return nil
}

func parseSegWord(e *tcp.Event, name, value string) error {
	s, o := &e.Seg, &e.Seg.Options
	switch name {
	case "seg":
		e.HasSeg = true
		return parseFlags(&s.Flags, value)
	case "seq":
		return number((*uint32)(&s.Seq), value, 32)
	case "ack":
		return number((*uint32)(&s.Ack), value, 32)
	case "len":
		return number(&s.Len, value, 32)
	case "win":
		return number(&s.Wnd, value, 16)
	case "urg":
		return number(&s.Up, value, 16)
	case "mss":
		o.Set |= wire.OptMSS
		return number(&o.MSS, value, 16)
	case "wscale":
		o.Set |= wire.OptWindowScale
		return number(&o.WindowScale, value, 8)
	case "ts":
		o.Set |= wire.OptTimestamps
		return parsePair(&o.TSVal, &o.TSEcr, value)
	case "sack":
		o.Set |= wire.OptSACK
		return parseBlocks(o, value)
	}
	return fmt.Errorf("unknown word %q", name)
}

// parseFlags reads tcpdump's letters.
func parseFlags(f *wire.Flags, s string) error {
	if s == "-" {
		return nil
	}
	if strings.HasPrefix(s, "#") {
		v, err := parseUnknown(s, 1<<16)
		*f = wire.Flags(v)
		return err
	}
	if s == "" {
		return fmt.Errorf("seg= without flags")
	}
	for _, c := range s {
		found := false
		for bit := wire.FIN; bit <= wire.AE; bit <<= 1 {
			if bit.String() == string(c) {
				*f |= bit
				found = true
			}
		}
		if !found {
			return fmt.Errorf("unknown flag %q", c)
		}
	}
	return nil
}

func parsePair(a, b *uint32, s string) error {
	left, right, _ := strings.Cut(s, ":")
	if err := number(a, left, 32); err != nil {
		return err
	}
	return number(b, right, 32)
}

func parseBlocks(o *wire.Options, s string) error {
	if s == "" {
		return nil
	}
	for _, block := range strings.Split(s, ",") {
		if o.NSACK == wire.MaxSACKBlocks {
			return fmt.Errorf("more than %d blocks", wire.MaxSACKBlocks)
		}
		var l, r uint32
		if err := parsePair(&l, &r, block); err != nil {
			return err
		}
		o.SACK[o.NSACK] = wire.SACKBlock{Left: seq.Num(l), Right: seq.Num(r)}
		o.NSACK++
	}
	return nil
}
