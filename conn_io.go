package estab

import (
	"io"
	"net"
	"os"
	"runtime"
	"syscall"

	"estab/tcp"
)

// Read reads what has arrived, and waits if nothing has. At the end of the
// stream it returns io.EOF; every other error is a *net.OpError.
func (c *Conn) Read(b []byte) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	sh := c.sh
	sh.mu.Lock()
	for {
		n, done, err := c.readNow(b)
		if done {
			if sh.stack.Pending() { // the window has opened
				sh.now = sh.host.now()
				sh.leave()
			} else {
				sh.mu.Unlock()
			}
			if err != nil && err != io.EOF {
				err = c.opError("read", err)
			}
			return n, err
		}
		w := sh.idle.get()
		c.rd.push(w)
		if c.more != nil {
			c.more.rd.arm(sh.now, c.expireRead)
		}
		sh.mu.Unlock()
		<-w.ch
		sh.mu.Lock()
		sh.idle.put(w)
	}
}

// readNow reads what can be read without waiting, and reports whether that is
// an answer. Without a deadline the time doesn't matter much to it, and the
// clock is not read.
func (c *Conn) readNow(b []byte) (n int, done bool, err error) {
	sh := c.sh
	if c.more != nil && c.more.rd.at != 0 {
		sh.now = sh.host.now()
	}
	switch {
	case c.flags&connClosed != 0:
		return 0, true, net.ErrClosed
	case len(b) == 0:
		return 0, true, nil
	case c.more != nil && c.more.rd.passed(sh.now):
		return 0, true, os.ErrDeadlineExceeded
	}
	n, e := sh.tcp.Receive(sh.now, c.id, b, 0)
	if n == 0 && e == 0 {
		return 0, false, nil
	}
	return n, true, sysError("read", e)
}

// Write sends b: it returns when all of it is in the send buffer, or with an
// error and the number of bytes that are.
func (c *Conn) Write(b []byte) (n int, err error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	sh := c.sh
	sh.mu.Lock()
	c.lockWrites()
	for {
		sh.now = sh.host.now()
		m, err := c.writeNow(b[n:])
		n += m
		if err != nil || n == len(b) {
			c.unlockWrites()
			yield := sh.shouldYield(len(b))
			sh.leave()
			if yield {
				runtime.Gosched()
			}
			if err != nil {
				err = c.opError("write", err)
			}
			return n, err
		}
		if m > 0 { // once it is sent there may be room again
			sh.leave()
			sh.mu.Lock()
			continue
		}
		w := sh.idle.get()
		c.wr.push(w)
		if c.more != nil {
			c.more.wr.arm(sh.now, c.expireWrite)
		}
		sh.leave()
		<-w.ch
		sh.mu.Lock()
		sh.idle.put(w)
	}
}

// A program that writes without end does its work, and much of its peer's, in
// Write, and never waits. Go takes the processor from such a goroutine every
// 10 ms, mostly while it holds a shard, and whoever needs that shard then waits
// until its turn comes again. So long Writes give up the processor of their own
// accord, once in yieldAfter, while they hold nothing. Who reads can then do so
// while the bytes are still in the cache.
const (
	yieldAfter = 64 << 10 // bytes
	longWrite  = 8 << 10  // bytes; whoever writes less waits for an answer now and then
)

func (sh *shard) shouldYield(n int) bool {
	if n < longWrite {
		return false
	}
	sh.written += n
	if sh.written < yieldAfter {
		return false
	}
	sh.written = 0
	return true
}

// writeNow puts into the send buffer what fits.
func (c *Conn) writeNow(b []byte) (int, error) {
	sh := c.sh
	switch {
	case c.flags&connClosed != 0:
		return 0, net.ErrClosed
	case c.more != nil && c.more.wr.passed(sh.now):
		return 0, os.ErrDeadlineExceeded
	}
	n, e := sh.tcp.Send(sh.now, c.id, b, 0)
	if e == tcp.ErrReset && c.halfClosed(sh.now) {
		e = tcp.ErrClosing
	}
	return n, sysError("write", e)
}

// halfClosed reports whether the peer has closed its direction and the user
// has not closed his. A reset then says no more than that the peer wants
// nothing, and Linux makes it EPIPE.
func (c *Conn) halfClosed(now tcp.Time) bool {
	s, _ := c.sh.tcp.Status(now, c.id)
	return s.FinReceived && !s.FinSent
}

// lockWrites waits until no other Write is under way. That can take as long as
// a peer likes, so it is no mutex.
func (c *Conn) lockWrites() {
	if c.flags&connWriting == 0 || c.flags&connClosed != 0 {
		c.flags |= connWriting
		return
	}
	sh := c.sh
	w := sh.idle.get()
	c.needMore().writers.push(w)
	sh.mu.Unlock()
	<-w.ch
	sh.mu.Lock()
	sh.idle.put(w)
}

// unlockWrites hands the turn to the Write that has waited longest.
func (c *Conn) unlockWrites() {
	if c.more != nil {
		if w := c.more.writers.pop(); w != nil {
			c.sh.woken.push(w)
			return
		}
	}
	c.flags &^= connWriting
}

// copyBuffer is what ReadFrom and WriteTo copy through.
type copyBuffer [64 << 10]byte

// ReadFrom writes what r gives until its end. It is io.ReaderFrom.
func (c *Conn) ReadFrom(r io.Reader) (n int64, err error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	pool := &c.sh.host.bufs
	buf := pool.Get().(*copyBuffer)
	defer pool.Put(buf)
	for {
		m, rerr := r.Read(buf[:])
		if m > 0 {
			w, werr := c.Write(buf[:m])
			n += int64(w)
			if werr != nil {
				return n, werr
			}
		}
		switch rerr {
		case nil:
		case io.EOF:
			return n, nil
		default:
			return n, rerr
		}
	}
}

// WriteTo writes what the peer sends to w until the end of the stream. It is
// io.WriterTo.
func (c *Conn) WriteTo(w io.Writer) (n int64, err error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	pool := &c.sh.host.bufs
	buf := pool.Get().(*copyBuffer)
	defer pool.Put(buf)
	for {
		m, rerr := c.Read(buf[:])
		if m > 0 {
			k, werr := w.Write(buf[:m])
			n += int64(max(k, 0))
			switch {
			case werr != nil:
				return n, werr
			case k != m:
				return n, io.ErrShortWrite
			}
		}
		switch rerr {
		case nil:
		case io.EOF:
			return n, nil
		default:
			return n, rerr
		}
	}
}
