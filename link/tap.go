package link

import (
	"strconv"
	"strings"
	"time"

	"estab/internal/netem"
)

// Direction says which way a packet goes, seen from the host at this end.
type Direction uint8

// The directions.
const (
	Out Direction = iota // from the host
	In                   // to the host
)

func (d Direction) String() string {
	if d == In {
		return "in"
	}
	return "out"
}

// TapEvent is one packet as its sender gave it to the link, before anything
// happened to it, and what the link is about to do to it.
type TapEvent struct {
	Time   time.Time // when it was given to the link
	Dir    Direction
	Packet []byte // valid during the call only
	Fate   Fate
}

// Fate is what a link does to a packet.
type Fate struct {
	Passage
	Duplicated bool
	Copy       Passage // what it does to the duplicate, if there is one
}

// Passage is what a link does to one copy of a packet.
type Passage struct {
	Dropped   string        // why, or "": lost, overflow (the queue was full), too big
	Delay     time.Duration // how long it is held
	Corrupted bool          // its bit Bit is flipped
	Bit       int           // bit Bit%8 (0 is the lowest) of byte Bit/8
	Reordered bool          // it overtakes packets that were sent before it
}

// String tells the fate in a few words, fit for the comment of a packet in a
// capture: "lost", "delayed 20ms, bit 17 flipped, duplicated (the copy: lost)".
// It is empty if nothing happens to the packet.
func (f Fate) String() string {
	s := f.Passage.String()
	if !f.Duplicated {
		return s
	}
	if s != "" {
		s += ", "
	}
	s += "duplicated"
	if c := f.Copy.String(); c != "" {
		s += " (the copy: " + c + ")"
	}
	return s
}

// String tells the passage as Fate.String does.
func (p Passage) String() string {
	if p.Dropped != "" {
		return p.Dropped
	}
	var parts []string
	if p.Delay != 0 {
		parts = append(parts, "delayed "+p.Delay.String())
	}
	if p.Corrupted {
		parts = append(parts, "bit "+strconv.Itoa(p.Bit)+" flipped")
	}
	if p.Reordered {
		parts = append(parts, "reordered")
	}
	return strings.Join(parts, ", ")
}

func passageOf(now int64, p *netem.Passage) Passage {
	if p.Drop != netem.NotDropped {
		return Passage{Dropped: p.Drop.String()}
	}
	return Passage{
		Delay: time.Duration(p.At - now), Corrupted: p.Corrupt, Bit: p.Bit, Reordered: p.Reordered,
	}
}

func fateOf(now int64, f *netem.Fate) Fate {
	out := Fate{Passage: passageOf(now, &f.Passage), Duplicated: f.Duplicated}
	if f.Duplicated {
		out.Copy = passageOf(now, &f.Copy)
	}
	return out
}
