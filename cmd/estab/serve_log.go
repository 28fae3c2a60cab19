package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"estab"
	"estab/internal/trace"
)

// serveLog tells what the server does: a line for each request on stdout, and
// on a terminal, while transfers are under way, a line that is drawn anew.
type serveLog struct {
	out      io.Writer
	progress io.Writer // a terminal, or nil
	json     bool

	mu       sync.Mutex
	active   int
	requests uint64
	bytes    uint64 // of bodies, those under way included
	drawn    bool   // the progress line is on the terminal

	conns       connSet
	handlers    sync.WaitGroup
	stop, ended chan struct{}
}

// The objects of --json, one a line. Times are RFC 3339's, durations in
// seconds, sizes in bytes.
type (
	jsonServing struct {
		Event  string         `json:"event"` // serving
		Time   time.Time      `json:"time"`
		Dir    string         `json:"dir"`
		URLs   []string       `json:"urls"`
		Device string         `json:"device"`
		MTU    int            `json:"mtu"`
		Estab  []netip.Prefix `json:"estab"`
		Kernel []netip.Prefix `json:"kernel"`
	}
	jsonRequest struct {
		Event   string    `json:"event"` // request
		Time    time.Time `json:"time"`
		Remote  string    `json:"remote"`
		Method  string    `json:"method"`
		Path    string    `json:"path"`
		Status  int       `json:"status"`
		Bytes   uint64    `json:"bytes"`
		Seconds float64   `json:"seconds"`
		RTT     float64   `json:"rttSeconds,omitempty"`
		MSS     int       `json:"mss,omitempty"`
	}
	jsonStopped struct {
		Event    string    `json:"event"` // stopped
		Time     time.Time `json:"time"`
		Requests uint64    `json:"requests"`
		Bytes    uint64    `json:"bytes"`
		Sent     uint64    `json:"packetsSent"`
		Received uint64    `json:"packetsReceived"`
		Refused  uint64    `json:"packetsRefusedByKernel"` // that the kernel did not take
		Lost     uint64    `json:"packetsLostInQueue"`     // that it had for us, when the device's queue was full
	}
)

func newServeLog(out, progress io.Writer, json bool) *serveLog {
	l := &serveLog{out: out, progress: progress, json: json, stop: make(chan struct{}), ended: make(chan struct{})}
	if progress == nil {
		close(l.ended)
	} else {
		go l.redraw()
	}
	return l
}

// begin says where the folder is to be found.
func (l *serveLog) begin(dir string, urls []string, h *tunHost) {
	name, mtu := h.dev.Name(), h.dev.Caps().MTU
	if l.json {
		l.object(jsonServing{"serving", time.Now(), dir, urls, name, mtu, h.addrs, h.kernel})
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "estab at %s serves %s to the kernel at %s,\nover %s (MTU %d). On the other side, type\n\n",
		listOf(h.addrs), dir, listOf(h.kernel), name, mtu)
	for _, u := range urls {
		fmt.Fprintf(&b, "  curl -g '%s'\n", u)
	}
	if os.Geteuid() == 0 {
		b.WriteString("\nFor a next time without root, let root make the device for a user:\n\n")
		for _, s := range setUp(name, h.askedMTU, h.kernel) {
			fmt.Fprintf(&b, "  %s\n", s)
		}
	}
	b.WriteString("\nCtrl-C ends it.\n\n")
	l.print(b.String())
}

// finishing says why the end takes a moment, if it does.
func (l *serveLog) finishing() {
	l.mu.Lock()
	n := l.active
	l.mu.Unlock()
	if n > 0 && l.progress != nil && !l.json {
		l.print(fmt.Sprintf("%s under way: waiting for that; Ctrl-C again cuts it off.\n", many(n, "transfer")))
	}
}

// end waits until the requests that were cut off have their lines, and says
// what was served.
func (l *serveLog) end(h *tunHost) {
	told := make(chan struct{})
	go func() {
		l.handlers.Wait()
		close(told)
	}()
	select {
	case <-told:
	case <-time.After(time.Second): // one that reads from a disk that doesn't answer
	}
	close(l.stop)
	<-l.ended
	s := h.dev.Stats()
	l.mu.Lock()
	requests, n := l.requests, l.bytes
	l.mu.Unlock()
	if l.json {
		l.object(jsonStopped{"stopped", time.Now(), requests, n, s.Out.Packets, s.In.Packets - s.In.Dropped, s.Out.Dropped, s.In.Dropped})
		return
	}
	text := fmt.Sprintf("\n%s, %s; %s packets sent, %s received", many(requests, "request"), trace.Size(n),
		trace.Count(s.Out.Packets), trace.Count(s.In.Packets-s.In.Dropped))
	if s.Out.Dropped > 0 {
		text += fmt.Sprintf(", %s that the kernel did not take", trace.Count(s.Out.Dropped))
	}
	if s.In.Dropped > 0 {
		text += fmt.Sprintf(", %s lost in the device's queue", trace.Count(s.In.Dropped))
	}
	l.print(text + "\n")
}

func many[T int | uint64](n T, what string) string {
	if n != 1 {
		what += "s"
	}
	return trace.Count(n) + " " + what
}

// watch is the handler around the handler.
func (l *serveLog) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		l.handlers.Add(1)
		defer l.handlers.Done()
		l.mu.Lock()
		l.active++
		l.mu.Unlock()
		a := &answer{ResponseWriter: w, log: l, status: http.StatusOK}
		defer func() {
			l.mu.Lock()
			l.active--
			l.requests++
			l.mu.Unlock()
			l.request(r, a, began)
		}()
		next.ServeHTTP(a, r)
	})
}

// request tells of a request that was answered.
func (l *serveLog) request(r *http.Request, a *answer, began time.Time) {
	took := time.Since(began)
	j := jsonRequest{Event: "request", Time: began, Remote: r.RemoteAddr, Method: r.Method, Path: r.URL.EscapedPath(),
		Status: a.status, Bytes: a.bytes, Seconds: took.Seconds()}
	var rtt time.Duration
	if c, ok := r.Context().Value(connKey{}).(*estab.Conn); ok {
		if i, err := c.Info(); err == nil {
			rtt, j.RTT, j.MSS = i.RTT, i.RTT.Seconds(), i.MSS
		}
	}
	if l.json {
		l.object(j)
		return
	}
	text := fmt.Sprintf("%s  %s  %s %s  %d  %s in %s", began.Format("15:04:05"), j.Remote, j.Method, j.Path, j.Status,
		trace.Size(a.bytes), trace.Duration(took))
	if a.bytes >= 1<<16 {
		text += ": " + trace.Rate(a.bytes, took)
	}
	if rtt > 0 {
		text += ", rtt " + trace.Duration(rtt)
	}
	l.print(text + "\n")
}

// errors is where the server says what went wrong beside requests.
func (l *serveLog) errors() *log.Logger { return log.New(errorLines{l}, "", 0) }

type errorLines struct{ log *serveLog }

func (e errorLines) Write(b []byte) (int, error) {
	if e.log.json {
		e.log.object(struct {
			Event string    `json:"event"`
			Time  time.Time `json:"time"`
			Text  string    `json:"text"`
		}{"error", time.Now(), string(bytes.TrimSpace(b))})
	} else {
		e.log.print(time.Now().Format("15:04:05") + "  " + string(b))
	}
	return len(b), nil
}

func (l *serveLog) object(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = fmt.Appendf(nil, `{"event":"error","text":%q}`, err)
	}
	l.print(string(b) + "\n")
}

// print writes text, and takes the progress line away first.
func (l *serveLog) print(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wipe()
	io.WriteString(l.out, text)
}

func (l *serveLog) wipe() {
	if l.drawn {
		io.WriteString(l.progress, "\r\x1b[K")
		l.drawn = false
	}
}

// redraw draws the progress line until the end.
func (l *serveLog) redraw() {
	defer close(l.ended)
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	var rate meter
	for {
		select {
		case now := <-tick.C:
			l.mu.Lock()
			speed := rate.at(now, l.bytes)
			if l.active > 0 {
				fmt.Fprintf(l.progress, "\r%s: %s, %s\x1b[K", many(l.active, "transfer"), trace.Size(l.bytes), speed)
				l.drawn = true
			} else {
				l.wipe()
			}
			l.mu.Unlock()
		case <-l.stop:
			l.mu.Lock()
			l.wipe()
			l.mu.Unlock()
			return
		}
	}
}

// meter says how fast a count has grown in the last second or so.
type meter struct {
	marks []mark // oldest first
}

type mark struct {
	at    time.Time
	count uint64
}

func (m *meter) at(now time.Time, count uint64) string {
	m.marks = append(m.marks, mark{now, count})
	for len(m.marks) > 2 && now.Sub(m.marks[1].at) >= time.Second {
		m.marks = m.marks[1:]
	}
	first := m.marks[0]
	return trace.Rate(count-first.count, now.Sub(first.at))
}

// answer is a ResponseWriter that notes status and size.
type answer struct {
	http.ResponseWriter
	log    *serveLog
	status int
	bytes  uint64
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	n, err := a.ResponseWriter.Write(b)
	a.bytes += uint64(n)
	a.log.mu.Lock()
	a.log.bytes += uint64(n)
	a.log.mu.Unlock()
	return n, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
