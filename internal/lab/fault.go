package lab

import (
	"strconv"
	"strings"
	"time"

	"estab/internal/netem"
	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// Fault is something that the path does to certain segments.
type Fault struct {
	Line     string
	Do       string // lose, delay, double
	Host     int    // who sends them
	From, To int    // which of those it sends, from 1
	Flag     wire.Flags
	For      time.Duration // of delay; of double: how much later the copy comes
}

// parseFault reads "lose A:2", "lose B:3-7", "lose B:3-", "lose B:FIN",
// "delay A:1 5s", "double A:4".
func parseFault(line string) (f Fault, err error) {
	words := strings.Fields(line)
	bad := problem("%q: want lose, delay or double, a host and which of its segments: lose A:2, lose B:FIN, delay A:1 5s",
		"%q：应为 lose、delay 或 double，再写主机和它的第几个报文段：lose A:2、lose B:FIN、delay A:1 5s", line)
	if len(words) < 2 {
		return f, bad
	}
	f.Do, f.Line = words[0], strings.Join(words, " ")
	host, which, ok := strings.Cut(words[1], ":")
	switch {
	case !ok, f.Do != "lose" && f.Do != "delay" && f.Do != "double", host != "A" && host != "B",
		len(words) > 3, len(words) == 3 && f.Do == "lose", len(words) != 3 && f.Do == "delay":
		return f, bad
	case len(words) == 3:
		if f.For, err = parseTime(words[2]); err != nil {
			return f, err
		}
	}
	f.Host = int(host[0] - 'A')
	if !f.which(which) {
		return f, bad
	}
	return f, nil
}

func (f *Fault) which(s string) bool {
	f.From, f.To = 1, 1<<30
	switch s {
	case "SYN":
		f.Flag = wire.SYN
	case "FIN":
		f.Flag = wire.FIN
	case "RST":
		f.Flag = wire.RST
	default:
		from, to, isRange := strings.Cut(s, "-")
		n, err := strconv.Atoi(from)
		if err != nil || n < 1 {
			return false
		}
		f.From, f.To = n, n
		if isRange {
			if f.To = 1 << 30; to != "" {
				if f.To, err = strconv.Atoi(to); err != nil || f.To < n {
					return false
				}
			}
		}
	}
	return true
}

// hits reports whether it is the host's n-th segment that is meant.
func (f *Fault) hits(host, n int, flags wire.Flags) bool {
	return f.Host == host && n >= f.From && n <= f.To && (f.Flag == 0 || flags.Any(f.Flag))
}

// strike does it to a packet.
func (f *Fault) strike(p *sim.Packet) {
	late := int64(p.Time.Add(f.For))
	switch f.Do {
	case "lose":
		p.Fate = netem.Fate{Passage: netem.Passage{Drop: netem.Lost}}
	case "delay":
		p.Fate.At = late
	case "double":
		p.Fate.Duplicated, p.Fate.Copy = true, p.Fate.Passage
		p.Fate.Copy.At = p.Fate.At + int64(max(f.For, time.Millisecond))
	}
}

// segment reads the TCP segment of a packet, as its receiver sees it.
func segment(b []byte) (seg tcp.Segment, ok bool) {
	var h wire.IPHeader
	if wire.ParseIP(b, &h) != wire.Accepted || h.Proto != wire.ProtoTCP ||
		wire.ParseTCP(b[h.HeaderLen:h.TotalLen], &seg) != wire.Accepted {
		return seg, false
	}
	seg.Local, seg.Remote = h.Dst, h.Src
	return seg, true
}

type packetOnPath = sim.Packet

// meddler may change what becomes of a packet.
type meddler = func(p *packetOnPath)

func lose(p *packetOnPath) { p.Fate = netem.Fate{Passage: netem.Passage{Drop: netem.Lost}} }
