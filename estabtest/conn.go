package estabtest

import (
	"errors"
	"io"
	"net"
	"sync"

	"estab"
)

// Conn is a connection of a host: an [estab.Conn] that [Host.Stall] can hold
// up.
type Conn struct {
	*estab.Conn
	host *Host

	mu   sync.Mutex
	gone chan struct{} // made when somebody waits for it; closed by Close
	over bool          // Close was called
}

// stall is why nobody reads.
type stall struct{ over chan struct{} }

// Read reads what has arrived. See [estab.Conn.Read] and [Host.Stall].
func (c *Conn) Read(b []byte) (int, error) {
	if c.host.stalled.Load() != nil {
		if err := c.waitStall(); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(b)
	if c.host.stalled.Load() != nil && n > 0 {
		c.waitStall()
	}
	return n, err
}

// WriteTo writes what the peer sends to w until the end of the stream. It is
// io.WriterTo.
func (c *Conn) WriteTo(w io.Writer) (total int64, err error) {
	b := make([]byte, 32<<10)
	for {
		n, rerr := c.Read(b)
		if n > 0 {
			m, werr := w.Write(b[:n])
			total += int64(m)
			switch {
			case werr != nil:
				return total, werr
			case m != n:
				return total, io.ErrShortWrite
			}
		}
		switch {
		case errors.Is(rerr, io.EOF):
			return total, nil
		case rerr != nil:
			return total, rerr
		}
	}
}

// Close ends the connection for its user. See [estab.Conn.Close].
func (c *Conn) Close() error {
	c.mu.Lock()
	c.over = true
	if c.gone != nil {
		close(c.gone)
		c.gone = nil
	}
	c.mu.Unlock()
	return c.Conn.Close()
}

// waitStall waits until the host isn't stalled any more. An error: the
// connection was closed first.
func (c *Conn) waitStall() error {
	for {
		s := c.host.stalled.Load()
		if s == nil {
			return nil
		}
		c.mu.Lock()
		over := c.over
		if c.gone == nil && !over {
			c.gone = make(chan struct{})
		}
		gone := c.gone
		c.mu.Unlock()
		if over {
			return c.closedError()
		}
		select {
		case <-s.over:
		case <-gone:
			return c.closedError()
		}
	}
}

func (c *Conn) closedError() error {
	return &net.OpError{Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: net.ErrClosed}
}

// listener makes Conns of what it accepts.
type listener struct {
	*estab.Listener
	host *Host
}

// Accept waits for a connection.
func (l *listener) Accept() (net.Conn, error) {
	if err := l.host.net.check(); err != nil {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: err}
	}
	c, err := l.Listener.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: c, host: l.host}, nil
}
