package script

import (
	"fmt"
	"time"

	"estab/tcp"
)

// result is what a system call returned.
type callResult struct {
	n     int64
	errno string        // "" if it succeeded
	wrong string        // what is wrong with what it stored behind a pointer; "" if nothing
	at    time.Duration // when it ended, if not just now
}

func okResult(n int64) callResult       { return callResult{n: n} }
func errResult(errno string) callResult { return callResult{n: -1, errno: errno} }

func (r callResult) String() string {
	if r.errno != "" {
		return fmt.Sprintf("%d %s", r.n, r.errno)
	}
	return fmt.Sprintf("%d", r.n)
}

// attempt tries a system call, or tries it again; done is false while it
// blocks.
type attempt func() (r callResult, done bool)

// done is the attempt of a call that never blocks.
func done(r callResult) attempt {
	return func() (callResult, bool) { return r, true }
}

// pendingCall is a call that blocks. There is at most one, as in packetdrill.
type pendingCall struct {
	event    *Event
	call     *Call
	try      attempt
	deadline tcp.Time // when it looks again although nothing happened
	end      time.Duration
}

// syscall is a system call as the table knows it.
type syscall struct {
	min, max int  // arguments
	socket   bool // the first is a socket
	check    func(c *checker, args []arg) *Error
	start    func(x *callContext) attempt
}

// callContext is a call on its way.
type callContext struct {
	p    *player
	call *Call
	args []arg
	wait *pendingCall

	e *engine // where the call is made in the engine
	s *sock   // and its socket
}

// until makes the call look again at a time by itself.
func (x *callContext) until(t tcp.Time) { x.wait.deadline = t }

// call makes a system call, and waits for its end unless the script says that
// it blocks.
func (p *player) call(e *Event, c *Call, at time.Duration) *failed {
	x := &callContext{p: p, call: c, args: p.plan.args[c], wait: &pendingCall{event: e, call: c, deadline: tcp.Never}}
	if e.Time.HasEnd {
		x.wait.end = e.Time.End
		if e.Time.Relative() {
			x.wait.end = at - e.Time.At + e.Time.End
		}
	}
	p.because(causeCall)
	if c.Name == "close" {
		p.because(causeClose)
	}
	try, f := p.sys.start(x)
	if f != nil {
		return f
	}
	x.wait.try = try
	p.sys.flush()
	p.pending = x.wait
	p.wake()
	if p.failure != nil {
		return p.failure
	}
	if p.pending != nil && !e.Time.HasEnd {
		return p.idle()
	}
	return nil
}

// wake lets the call that blocks look whether it can end.
func (p *player) wake() {
	for p.pending != nil && p.failure == nil {
		c := p.pending
		r, done := c.try()
		if !done {
			if c.deadline.Sub(hostStart) <= p.now() {
				c.deadline = tcp.Never
			}
			p.sys.flush() // what a part of the call has caused
			return
		}
		p.pending = nil
		p.sys.flush()
		if f := p.ended(c, r); f != nil && p.failure == nil {
			p.failure = f
		}
	}
}

// ended compares the outcome of a call with the stated one.
func (p *player) ended(c *pendingCall, r callResult) *failed {
	want := &c.call.Result
	at := p.now()
	if r.at != 0 {
		at = r.at
	}
	why := p.wrongResult(want, c.call, r)
	if p.watch != nil {
		p.sawCall(c, r, at, why)
		return nil
	}
	if why != "" {
		f := p.failAt(c.call.Pos, "%s", why)
		f.Expected = c.call.Name + "() = " + resultText(want)
		f.Got = c.call.Name + "() = " + r.String()
		return f
	}
	if r.wrong != "" {
		f := p.failAt(c.call.Pos, "%s", r.wrong)
		f.Got = r.wrong
		return f
	}
	if !c.event.Time.HasEnd {
		return nil
	}
	if off := at - c.end; max(off, -off) > p.tolerance(c.end) {
		how := "late"
		if off < 0 {
			how = "early"
		}
		f := p.failAt(c.call.Pos, "%s should end at %s and ended at %s: %s s too %s", c.call.Name, seconds(c.end), seconds(at), seconds(max(off, -off)), how)
		f.Late = &off
		return f
	}
	return nil
}

func resultText(r *Result) string {
	s := ExprString(r.Value)
	if r.High != nil {
		s += "~" + ExprString(r.High)
	}
	if r.Errno != "" {
		s += " " + r.Errno
	}
	return s
}

// newDescriptor are the calls whose result is a file descriptor: the script
// says how it calls it.
func newDescriptor(name string) bool {
	return name == "socket" || name == "accept" || name == "accept4" || name == "epoll_create" || name == "epoll_create1"
}

// wrongResult says how a result differs from the stated one.
func (p *player) wrongResult(want *Result, call *Call, r callResult) string {
	if want.Errno != "" {
		switch {
		case r.errno == "":
			return fmt.Sprintf("%s succeeded with %d, but should fail with %s", call.Name, r.n, want.Errno)
		case !sameErrno(want.Errno, r.errno):
			return fmt.Sprintf("%s failed with %s, but should fail with %s", call.Name, r.errno, want.Errno)
		}
		return ""
	}
	v := p.plan.results[call]
	if v.low.kind == argAny {
		return ""
	}
	low, high := v.low.n, v.low.n
	if v.high != nil {
		high = v.high.n
	}
	if r.errno != "" && low >= 0 {
		return fmt.Sprintf("%s failed with %s, but should return %s", call.Name, r.errno, resultText(want))
	}
	if newDescriptor(call.Name) && r.errno == "" && low >= 0 {
		return ""
	}
	if call.Name == "fcntl" && p.set.face == faceFreeBSD {
		low, high = toFreeBSDFlags(v.low, low), toFreeBSDFlags(v.low, high)
	}
	if r.n < low || r.n > high {
		return fmt.Sprintf("%s returned %s, but should return %s", call.Name, r, resultText(want))
	}
	return ""
}

// toFreeBSDFlags turns names of flags, whose numbers are Linux's here, into
// FreeBSD's; numbers are FreeBSD's already.
func toFreeBSDFlags(a arg, n int64) int64 {
	if a.kind == argName && n&nonblockLinux != 0 {
		return n&^nonblockLinux | nonblockFreeBSD
	}
	return n
}

// idle waits for the end of a call that blocks.
func (p *player) idle() *failed {
	for p.pending != nil && p.failure == nil {
		c := p.pending
		if !p.sys.next(max(c.end, p.now()) + p.set.lookAhead) {
			f := p.failAt(c.call.Pos, "%s blocks and does not end", c.call.Name)
			f.Expected = c.call.Name + "() = " + resultText(&c.call.Result)
			if c.event.Time.HasEnd {
				f.Expected += " at " + seconds(c.end)
			}
			return f
		}
	}
	return p.failure
}
