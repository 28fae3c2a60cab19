package gvisor

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"estab/sim"
	"estab/tcp"
)

// socket is one end of a connection, whosever it is. Nothing blocks.
type socket interface {
	write(b []byte) (n int, err error) // 0: there is no room
	read(b []byte) (n int, err error)  // 0: there is nothing; io.EOF: nor will there be
	shutdown() error
	close()
}

// talker is the program at one end: it sends a stream in which every byte
// tells its place, reads at its own pace, checks every byte that comes, and
// closes as its plan says.
type talker struct {
	w    *sim.World
	kick func() // makes the host send what calls have caused; runs work again, too
	plan sim.Plan

	sock             socket
	sent, received   int
	eof, shut        bool
	closed           bool
	err              error // what the socket said
	wrong            error // a byte that was not sent, or out of place
	writing, reading bool  // a pause is under way
	out, in          stream
	buf              []byte
}

// stream is the bytes of one direction.
type stream struct{ r *rand.ChaCha8 }

func newStream(seed uint64) stream {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return stream{rand.NewChaCha8(key)}
}

func (s stream) fill(b []byte) { s.r.Read(b) }

func newTalker(w *sim.World, p sim.Plan, out, in uint64) *talker {
	return &talker{w: w, plan: p, out: newStream(out), in: newStream(in), kick: func() {}}
}

// work does what can be done now. It may be called at any time.
func (t *talker) work() {
	if t.sock == nil || t.closed {
		return
	}
	t.write()
	t.read()
	if t.err != nil || t.wrong != nil || t.eof && t.sent == t.plan.Send {
		t.sock.close()
		t.closed = true
	}
}

// pause sets a flag and clears it after a while.
func (t *talker) pause(flag *bool, d time.Duration) {
	*flag = true
	t.w.After(d, func() {
		*flag = false
		t.kick()
	})
}

func (t *talker) write() {
	for t.sent < t.plan.Send && !t.writing && t.err == nil {
		if len(t.buf) == 0 { // what there was no room for is kept: the stream has no way back
			t.buf = make([]byte, min(t.plan.Chunk, t.plan.Send-t.sent))
			t.out.fill(t.buf)
		}
		n, err := t.sock.write(t.buf)
		t.sent += n
		t.buf = t.buf[n:]
		if err != nil {
			t.err = fmt.Errorf("write after %d bytes: %w", t.sent, err)
			return
		}
		if n == 0 {
			return
		}
		if t.plan.Pause > 0 {
			t.pause(&t.writing, t.plan.Pause)
		}
	}
	if t.sent == t.plan.Send && !t.shut && t.plan.HalfClose && t.err == nil {
		if err := t.sock.shutdown(); err != nil {
			t.err = fmt.Errorf("shutdown: %w", err)
		}
		t.shut = true
	}
}

func (t *talker) read() {
	b := make([]byte, t.plan.Read)
	for !t.eof && !t.reading && t.err == nil && t.wrong == nil {
		n, err := t.sock.read(b)
		if err == io.EOF {
			t.eof = true
			return
		}
		if err != nil {
			t.err = fmt.Errorf("read after %d bytes: %w", t.received, err)
			return
		}
		if n == 0 {
			return
		}
		want := make([]byte, n)
		t.in.fill(want)
		if !bytes.Equal(b[:n], want) {
			t.wrong = fmt.Errorf("bytes %d to %d are not those that were sent", t.received, t.received+n)
			return
		}
		t.received += n
		if t.plan.ReadPause > 0 {
			t.pause(&t.reading, t.plan.ReadPause)
		}
	}
}

// estabSocket is a connection of estab's engine.
type estabSocket struct {
	h  *sim.Host
	id tcp.ConnID
}

func (s estabSocket) write(b []byte) (int, error) {
	n, e := s.h.TCP().Send(s.h.World().Now(), s.id, b, 0)
	return n, estabError(e)
}

func (s estabSocket) read(b []byte) (int, error) {
	n, e := s.h.TCP().Receive(s.h.World().Now(), s.id, b, 0)
	if e == tcp.ErrNotConnected {
		return 0, nil // the handshake is under way
	}
	return n, estabError(e)
}

func (s estabSocket) shutdown() error {
	return estabError(s.h.TCP().Shutdown(s.h.World().Now(), s.id))
}

func (s estabSocket) close() { s.h.TCP().Close(s.h.World().Now(), s.id, -1) }

func estabError(e tcp.Error) error {
	switch e {
	case 0:
		return nil
	case tcp.ErrEOF:
		return io.EOF
	}
	return fmt.Errorf("estab: %v", e)
}

// gvisorSocket is an endpoint of gVisor's.
type gvisorSocket struct{ ep tcpip.Endpoint }

func (s gvisorSocket) write(b []byte) (int, error) {
	n, err := s.ep.Write(bytes.NewReader(b), tcpip.WriteOptions{})
	return int(n), gvisorError(err)
}

func (s gvisorSocket) read(b []byte) (int, error) {
	w := tcpip.SliceWriter(b)
	r, err := s.ep.Read(&w, tcpip.ReadOptions{})
	return r.Count, gvisorError(err)
}

func (s gvisorSocket) shutdown() error { return gvisorError(s.ep.Shutdown(tcpip.ShutdownWrite)) }

func (s gvisorSocket) close() { s.ep.Close() }

func gvisorError(err tcpip.Error) error {
	switch err.(type) {
	case nil, *tcpip.ErrWouldBlock, *tcpip.ErrConnectStarted:
		return nil
	case *tcpip.ErrClosedForReceive:
		return io.EOF
	}
	return fmt.Errorf("gvisor: %v", err)
}
