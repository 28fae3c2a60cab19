package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"estab/script"
)

// caller is a thread that makes the calls that may block, one at a time. It is
// woken, and wakes, by the kernel and not by Go's scheduler, whose threads have to
// wait for their turn on a busy computer.
type caller struct {
	wake   int // eventfd(2): a call is there
	ended  int // eventfd(2): a call has ended
	tid    int
	clock  func() time.Duration
	next   atomic.Pointer[script.SystemCall] // to be made; nil: the thread is to end
	last   atomic.Pointer[script.SystemCall] // that has ended
	inCall atomic.Bool                       // the thread is about to enter the kernel, or there
	gone   chan struct{}
	now    *script.SystemCall // on its way; the machine's own
}

// newCaller starts the thread. now is the machine's clock.
func newCaller(now func() time.Duration) (*caller, error) {
	k := &caller{clock: now, gone: make(chan struct{})}
	var err error
	if k.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	if k.ended, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		unix.Close(k.wake)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	ready := make(chan int)
	go k.run(ready)
	k.tid = <-ready
	return k, nil
}

// run is the thread. It stays locked, and ends with its goroutine.
func (k *caller) run(ready chan<- int) {
	defer close(k.gone)
	runtime.LockOSThread()
	realTime()
	ready <- unix.Gettid()
	for {
		if !receive8(k.wake) {
			continue
		}
		c := k.next.Load()
		if c == nil {
			return
		}
		k.inCall.Store(true)
		call(c)
		k.inCall.Store(false)
		c.Ended = k.clock()
		k.last.Store(c)
		signal8(k.ended)
	}
}

// signal8 and receive8 write to and read from an eventfd.
func signal8(fd int) { unix.Write(fd, binary.NativeEndian.AppendUint64(nil, 1)) }

func receive8(fd int) bool {
	var b [8]byte
	n, _ := unix.Read(fd, b[:])
	return n == len(b)
}

// begin starts a call, and returns when it has ended, which it reports, or
// blocks.
func (k *caller) begin(c *script.SystemCall) (done bool) {
	k.now = c
	k.next.Store(c)
	signal8(k.wake)
	fds := [...]unix.PollFd{{Fd: int32(k.ended), Events: unix.POLLIN}}
	short := unix.NsecToTimespec(int64(50 * time.Microsecond))
	for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); {
		unix.Ppoll(fds[:], &short, nil)
		if k.finished() != nil {
			return true
		}
		if k.inCall.Load() && sleeps(k.tid) {
			return false
		}
	}
	return false
}

// letEnd waits for a call that a packet has ended to say so, before the script goes
// on: the kernel has woken its thread by now, but on a busy computer that may have
// to wait for its turn.
func (k *caller) letEnd() {
	fds := [...]unix.PollFd{{Fd: int32(k.ended), Events: unix.POLLIN}}
	short := unix.NsecToTimespec(int64(50 * time.Microsecond))
	for end := time.Now().Add(20 * time.Millisecond); k.now != nil && k.last.Load() != k.now && !sleeps(k.tid) && time.Now().Before(end); {
		unix.Ppoll(fds[:], &short, nil)
	}
}

// finished returns the call that has ended, once.
func (k *caller) finished() *script.SystemCall {
	c := k.now
	if c == nil || k.last.Load() != c {
		return nil
	}
	receive8(k.ended)
	k.now = nil
	c.Done = true
	return c
}

// sleeps reports whether a thread of ours waits for something (proc(5), the third
// field of stat).
func sleeps(tid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", tid))
	if err != nil {
		return true
	}
	i := bytes.LastIndexByte(b, ')')
	return i >= 0 && i+2 < len(b) && b[i+2] == 'S'
}

// stop ends the thread. What it is in, the sockets being shut down, ends when it
// is interrupted, if not before.
func (k *caller) stop() {
	k.next.Store(nil)
	signal8(k.wake)
	for {
		select {
		case <-k.gone:
			unix.Close(k.wake)
			unix.Close(k.ended)
			return
		case <-time.After(time.Millisecond):
			unix.Tgkill(unix.Getpid(), k.tid, unix.SIGURG)
		}
	}
}
