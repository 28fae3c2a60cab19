package sim

import (
	"time"

	"estab/tcp"
)

// Talker is a program at one end of a connection: it sends a stream whose
// bytes say where they stand, reads at its own pace, checks every byte that
// comes, and closes when its plan says so.
type Talker struct {
	Conn tcp.ConnID

	Plan     Plan
	Attached bool // it has its connection
	Sent     int  // bytes given to Send
	Received int  // bytes taken from Receive, all of them right
	EOF      bool // the peer's FIN was reached
	Shut     bool // no more will be sent: our FIN follows the last byte
	Err      tcp.Error
	Wrong    error // a byte that was not sent, or out of place
	Aborted  bool  // our plan was to abort, and it happened
	Early    bool  // our plan was to close before the peer's FIN, and it happened
	Closed   bool  // the handle is given up

	host     *Host
	boot     int // of the host, in which it lives
	tag      uint32
	seed     uint64 // of the stream we send
	peerSeed uint64
	paused   bool // between Sends
	resting  bool // between Receives
	stalled  bool // the stall has been
}

// NewTalker makes the program of one end. seed is that of the stream it sends,
// peerSeed that of the stream it expects.
func NewTalker(h *Host, p Plan, seed, peerSeed uint64) *Talker {
	t := &Talker{Plan: p, host: h, boot: h.boots, seed: seed, peerSeed: peerSeed}
	t.tag = h.Start(t)
	return t
}

// Tag is what connections of the program carry.
func (t *Talker) Tag() uint32 { return t.tag }

// Attach gives the program its connection.
func (t *Talker) Attach(id tcp.ConnID) {
	t.Conn, t.Attached = id, true
	t.host.TCP().SetTag(id, t.tag)
	if d := t.Plan.AbortAt; d > 0 {
		t.after(d, t.abort)
	}
	if d := t.Plan.CloseAt; d > 0 {
		t.after(d, func() {
			t.Early = !t.EOF
			t.close()
		})
	}
	t.work()
}

// Ready is part of App.
func (t *Talker) Ready(*Host, tcp.Ready) { t.work() }

// Done reports whether the program has nothing more to do.
func (t *Talker) Done() bool { return t.Closed }

// Lost reports whether the program went down with its host.
func (t *Talker) Lost() bool { return t.host.boots != t.boot || !t.host.up }

// live reports whether it can still do anything.
func (t *Talker) live() bool { return !t.Closed && t.Attached && !t.Lost() }

// after does something later, if the program still lives.
func (t *Talker) after(d time.Duration, f func()) {
	t.host.w.After(d, func() {
		if t.live() {
			f()
			t.host.Flush()
		}
	})
}

func (t *Talker) work() {
	if !t.live() {
		return
	}
	t.write()
	if t.Plan.ReadPause == 0 {
		t.read()
	} else {
		t.readLater(t.Plan.ReadPause)
	}
	t.maybeClose()
}

func (t *Talker) write() {
	e, w := t.host.TCP(), t.host.w
	for t.Sent < t.Plan.Send && !t.Shut && !t.paused && !t.Closed && t.Err == 0 {
		buf := w.buffer(min(max(t.Plan.Chunk, 1), t.Plan.Send-t.Sent))
		fillStream(buf, t.seed, t.Sent)
		n, err := e.Send(w.now, t.Conn, buf, 0)
		if err != 0 {
			t.Err = err
			return
		}
		if n == 0 {
			return
		}
		t.Sent += n
		if t.Plan.Abort != 0 && t.Sent >= t.Plan.Abort {
			t.abort()
			return
		}
		if t.Plan.Pause > 0 {
			t.paused = true
			t.after(t.Plan.Pause, func() {
				t.paused = false
				t.work()
			})
		}
	}
	if t.Sent == t.Plan.Send && !t.Shut && !t.Closed && t.Plan.HalfClose && t.Err == 0 {
		t.Shut = e.Shutdown(w.now, t.Conn) == 0
	}
}

// readLater reads after a rest, unless it rests already.
func (t *Talker) readLater(d time.Duration) {
	if t.resting || t.EOF {
		return
	}
	t.resting = true
	t.after(d, func() {
		t.resting = false
		t.read()
		t.maybeClose()
	})
}

func (t *Talker) read() {
	e, w := t.host.TCP(), t.host.w
	for !t.EOF && !t.Closed && !t.resting && t.Wrong == nil {
		if t.Plan.Stall > 0 && !t.stalled && t.Received >= t.Plan.StallAt {
			t.stalled = true
			t.readLater(t.Plan.Stall)
			return
		}
		buf := w.buffer(max(t.Plan.Read, 1))
		n, err := e.Receive(w.now, t.Conn, buf, 0)
		switch {
		case err == tcp.ErrEOF:
			if t.EOF = t.Err == 0; !t.EOF {
				return // what ended it was told before
			}
		case err == tcp.ErrNotConnected:
			return
		case err != 0:
			if t.Err == 0 {
				t.Err = err
			}
			return
		case n == 0:
			return
		}
		if t.Wrong = checkStream(buf[:n], t.peerSeed, t.Received); t.Wrong == nil {
			t.Received += n
		}
	}
}

// maybeClose closes once both directions are done, or an error ended them.
func (t *Talker) maybeClose() {
	if !t.Closed && (t.Err != 0 || t.Wrong != nil || t.EOF && (t.Sent == t.Plan.Send || t.Shut)) {
		t.close()
	}
}

// close gives the connection up in order.
func (t *Talker) close() {
	linger := time.Duration(-1)
	if t.Plan.Linger > 0 {
		linger = t.Plan.Linger
	}
	t.host.TCP().Close(t.host.w.now, t.Conn, linger)
	t.Closed, t.Shut = true, true
}

func (t *Talker) abort() {
	t.host.TCP().Abort(t.host.w.now, t.Conn)
	t.Err, t.Closed, t.Aborted = tcp.ErrAborted, true, true
}
