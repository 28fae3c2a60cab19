package sim

import (
	"math/rand/v2"
	"time"
)

// Plan is what a [Talker] does.
type Plan struct {
	Send      int           // bytes
	Chunk     int           // bytes in a Send at most
	Pause     time.Duration // between Sends
	Read      int           // bytes in a Receive at most
	ReadPause time.Duration // between Receives
	HalfClose bool          // close the sending side after the last byte; otherwise wait for the peer's FIN first

	StallAt int           // once so many bytes were read …
	Stall   time.Duration // … read nothing for so long; 0: never

	Abort   int           // if not 0, abort once that many bytes were sent
	AbortAt time.Duration // if not 0, abort that long after the connection was had
	CloseAt time.Duration // if not 0, give the connection up then, whatever was sent or read
	Linger  time.Duration // how long what is queued may still be sent then; 0: as long as it takes
}

// Orderly reports whether a talker with this plan sends all and reads to the
// end, unless something goes wrong.
func (p *Plan) Orderly() bool { return p.Abort == 0 && p.AbortAt == 0 && p.CloseAt == 0 }

// RandomPlan draws an orderly plan.
func RandomPlan(r *rand.Rand) Plan {
	sizes := []int{0, 1, 10, 1000, 20000, 200000}
	p := Plan{
		Send:  r.IntN(sizes[r.IntN(len(sizes))] + 1),
		Chunk: 1 + r.IntN([]int{1, 10, 1460, 5000, 70000}[r.IntN(5)]),
		Read:  1 + r.IntN([]int{100, 5000, 100000}[r.IntN(3)]),
	}
	if p.Chunk < 10 && p.Send > 5000 {
		p.Chunk = 100
	}
	if r.IntN(3) == 0 {
		p.Pause = time.Duration(r.IntN(300)) * time.Millisecond
		p.Send = min(p.Send, 100*p.Chunk)
	}
	if r.IntN(4) == 0 {
		p.ReadPause = time.Duration(1+r.IntN(400)) * time.Millisecond
	}
	p.HalfClose = r.IntN(2) == 0
	return p
}
