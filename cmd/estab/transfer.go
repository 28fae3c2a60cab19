package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"estab"
	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// demoRun is what became of a demo.
type demoRun struct {
	world *world
	src   *source
	flow  tcp.Tuple // as the client sees it

	connect   time.Duration // what the handshake took
	elapsed   time.Duration // from the request to the last byte
	bytes     int64
	sent, got [sha256.Size]byte
	info      [2]estab.Info // both ends when the last byte had come
}

// run transfers the file, closes the connection and waits for its end, or for
// the end of TIME-WAIT if that is wanted.
func (w *world) run(ctx context.Context, src *source, term *terminal) (*demoRun, error) {
	r := &demoRun{world: w, src: src}
	l, err := w.hosts[trace.Right].Listen("tcp", fmt.Sprintf(":%d", serverPort))
	if err != nil {
		return nil, err
	}
	s := &servant{world: w, src: src, sum: sha256.New(), served: make(chan error, 1), conn: make(chan *estab.Conn, 1)}
	srv := &http.Server{Handler: s, ConnContext: s.accepted}
	go srv.Serve(l)
	defer srv.Close()

	var conn *estab.Conn
	transport := &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			began := time.Now()
			c, err := w.hosts[trace.Left].DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			r.connect = time.Since(began)
			conn = c.(*estab.Conn)
			w.fetchEvents()
			return c, nil
		},
	}
	if err := r.fetch(ctx, &http.Client{Transport: transport}, term); err != nil {
		return nil, fmt.Errorf("the transfer: %w", err)
	}
	if err := <-s.served; err != nil {
		return nil, fmt.Errorf("the server: %w", err)
	}
	copy(r.sent[:], s.sum.Sum(nil))

	r.info[trace.Left], err = conn.Info()
	if err != nil {
		return nil, err
	}
	r.flow = flowOf(&r.info[trace.Left])
	if r.info[trace.Right], err = (<-s.conn).Info(); err != nil {
		return nil, err
	}
	if err := hangUp(ctx, transport, conn); err != nil {
		return nil, err
	}
	return r, w.until(ctx, patience, func() bool { return w.closed(r.flow) })
}

func flowOf(i *estab.Info) tcp.Tuple {
	return wire.TupleFrom(i.Local, i.Remote, 0)
}

// fetch gets the file and hashes what arrives.
func (r *demoRun) fetch(ctx context.Context, client *http.Client, term *terminal) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.src.URL(serverAddr), nil)
	if err != nil {
		return err
	}
	bar := term.bar(r.src.size)
	defer bar.done()
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return unwrapURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	sum := sha256.New()
	r.bytes, err = io.CopyBuffer(io.MultiWriter(sum, bar), resp.Body, make([]byte, 256<<10))
	r.elapsed = time.Since(began)
	copy(r.got[:], sum.Sum(nil))
	if err == nil && r.bytes != r.src.size {
		err = fmt.Errorf("%d bytes of %d came", r.bytes, r.src.size)
	}
	return err
}

// unwrapURL takes off what net/http says around an error: the user didn't
// choose the URL.
func unwrapURL(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// servant is the server's handler.
type servant struct {
	world  *world
	src    *source
	sum    hash.Hash
	served chan error
	conn   chan *estab.Conn
}

// accepted notes the connection on which the request will come.
func (s *servant) accepted(ctx context.Context, c net.Conn) context.Context {
	s.world.fetchEvents()
	if c, ok := c.(*estab.Conn); ok {
		select {
		case s.conn <- c:
		default:
		}
	}
	return ctx
}

// ServeHTTP sends the file and hashes what it reads of it.
func (s *servant) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	err := func() error {
		f, err := s.src.open()
		if err != nil {
			return err
		}
		defer f.Close()
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(s.src.size, 10))
		_, err = io.CopyBuffer(struct{ io.Writer }{w}, io.TeeReader(f, s.sum), make([]byte, 256<<10))
		return err
	}()
	select {
	case s.served <- err:
	default:
	}
}

// hangUp makes the client close its connection. The transport does so only
// when the connection is idle, which it may learn a moment after we have read
// the last byte.
func hangUp(ctx context.Context, t *http.Transport, c *estab.Conn) error {
	for ctx.Err() == nil {
		t.CloseIdleConnections()
		if _, err := c.Info(); err != nil {
			return nil
		}
		time.Sleep(100 * time.Microsecond)
	}
	return ctx.Err()
}

// patience is how long the ends may take to close. A FIN that the path loses
// again and again takes time.
const patience = 3 * time.Minute

// closed reports whether both ends have closed; one of them may be left in
// TIME-WAIT.
func (w *world) closed(flow tcp.Tuple) bool {
	return over(last(w.history(trace.Left, flow))) && over(last(w.history(trace.Right, flow)))
}

func over(s tcp.State) bool { return s == tcp.StateClosed || s == tcp.StateTimeWait }

// waitForClosed waits until nobody is left in TIME-WAIT.
func (r *demoRun) waitForClosed(ctx context.Context, term *terminal) error {
	var until time.Duration
	for _, t := range r.timeWaits() {
		until = max(until, t.until)
	}
	w := r.world
	defer term.countdown("TIME-WAIT", w.start.Add(until))()
	return w.until(ctx, 2*w.msl+patience, func() bool {
		return last(w.history(trace.Left, r.flow)) == tcp.StateClosed && last(w.history(trace.Right, r.flow)) == tcp.StateClosed
	})
}

// until fetches events until something has happened.
func (w *world) until(ctx context.Context, limit time.Duration, happened func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the connection did not close within %v", limit))
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		w.fetchEvents()
		if happened() {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx) // limit's, or the user's
		}
	}
}
