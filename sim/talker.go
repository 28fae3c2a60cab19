package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"estab/tcp"
)

// Talker is a program at one end of a connection: it sends a stream whose
// bytes say where they stand, reads at its own pace, checks every byte that
// comes, and closes when its plan says so.
type Talker struct {
	Conn tcp.ConnID

	Plan     Plan
	Sent     int  // bytes given to Send
	Received int  // bytes taken from Receive, all of them right
	EOF      bool // the peer's FIN was reached
	Err      tcp.Error
	Wrong    error // a byte that was not sent, or out of place
	Closed   bool  // the handle is given up

	host     *Host
	tag      uint32
	seed     uint64 // of the stream we send
	peerSeed uint64
	shut     bool
	paused   bool
	done     bool
}

// Plan is what a Talker does.
type Plan struct {
	Send      int           // bytes
	Chunk     int           // bytes in a Send at most
	Pause     time.Duration // between Sends
	Read      int           // bytes in a Receive at most
	ReadPause time.Duration // between Receives
	HalfClose bool          // close the sending side after the last byte; otherwise wait for the peer's FIN first
	Abort     int           // if not 0, abort after that many bytes were sent
}

// pattern is byte i of a stream.
func pattern(seed uint64, i int) byte {
	x := seed + uint64(i)*0x9e3779b97f4a7c15
	return byte((x ^ x>>29) * 0xbf58476d1ce4e5b9 >> 56)
}

// NewTalker makes the program of one end. seed is that of the stream it sends,
// peerSeed that of the stream it expects.
func NewTalker(h *Host, p Plan, seed, peerSeed uint64) *Talker {
	t := &Talker{Plan: p, host: h, seed: seed, peerSeed: peerSeed}
	t.tag = h.Start(t)
	return t
}

// Tag is what connections of the program carry.
func (t *Talker) Tag() uint32 { return t.tag }

// Attach gives the program its connection.
func (t *Talker) Attach(id tcp.ConnID) {
	t.Conn = id
	t.host.TCP().SetTag(id, t.tag)
	t.work()
}

// Ready is part of App.
func (t *Talker) Ready(h *Host, r tcp.Ready) { t.work() }

// Done reports whether the program has nothing more to do.
func (t *Talker) Done() bool { return t.done }

func (t *Talker) work() {
	if t.Closed || !t.host.up {
		return
	}
	t.write()
	t.read(false)
	t.maybeClose()
}

func (t *Talker) write() {
	e, w := t.host.TCP(), t.host.w
	buf := make([]byte, max(t.Plan.Chunk, 1))
	for t.Sent < t.Plan.Send && !t.shut && !t.paused && t.Err == 0 {
		n := min(len(buf), t.Plan.Send-t.Sent)
		for i := range n {
			buf[i] = pattern(t.seed, t.Sent+i)
		}
		n, err := e.Send(w.now, t.Conn, buf[:n], 0)
		if err != 0 {
			t.Err = err
			return
		}
		if n == 0 {
			return
		}
		t.Sent += n
		if t.Plan.Abort != 0 && t.Sent >= t.Plan.Abort {
			e.Abort(w.now, t.Conn)
			t.Err, t.Closed, t.done = tcp.ErrAborted, true, true
			t.host.Flush()
			return
		}
		if t.Plan.Pause > 0 {
			t.paused = true
			w.After(t.Plan.Pause, func() { t.paused = false; t.work(); t.host.Flush() })
		}
	}
	if t.Sent == t.Plan.Send && !t.shut && t.Plan.HalfClose && t.Err == 0 {
		if e.Shutdown(w.now, t.Conn) == 0 {
			t.shut = true
		}
	}
}

func (t *Talker) read(again bool) {
	e, w := t.host.TCP(), t.host.w
	if t.Plan.ReadPause > 0 && !again {
		if !t.done {
			w.After(t.Plan.ReadPause, func() {
				if !t.Closed && t.host.up {
					t.read(true)
					t.maybeClose()
					t.host.Flush()
				}
			})
		}
		return
	}
	buf := make([]byte, max(t.Plan.Read, 1))
	for !t.EOF && t.Wrong == nil {
		n, err := e.Receive(w.now, t.Conn, buf, 0)
		if err == tcp.ErrEOF {
			t.EOF = true
			break
		}
		if err == tcp.ErrNotConnected {
			return
		}
		if err != 0 {
			t.Err = err
			break
		}
		if n == 0 {
			break
		}
		t.check(buf[:n])
	}
}

func (t *Talker) check(p []byte) {
	for i, b := range p {
		if want := pattern(t.peerSeed, t.Received+i); b != want {
			t.Wrong = fmt.Errorf("byte %d is %#x, sent was %#x", t.Received+i, b, want)
			return
		}
	}
	t.Received += len(p)
}

func (t *Talker) maybeClose() {
	if t.Closed {
		return
	}
	sentAll := t.Sent == t.Plan.Send || t.shut
	if t.Err != 0 || t.EOF && sentAll {
		t.host.TCP().Close(t.host.w.now, t.Conn, -1)
		t.Closed, t.done = true, true
	}
}

// RandomPlan draws a plan.
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
