package lab

import (
	"bytes"
	"strings"
	"time"

	"estab/tcp"
)

// The words that claims are made of.

// claim is a claim about the scripted run, always one about any run.
func claim(text Text, check func(r *Run) error) Claim { return Claim{text, check, false} }
func always(text Text, check func(r *Run) error) Claim {
	return Claim{text, check, true}
}

// want is nil if ok; otherwise what was found instead, in both languages.
func want(ok bool, en, zh string, args ...any) error {
	if ok {
		return nil
	}
	return problem(en, zh, args...)
}

// goes checks that the states of a host are those, in this order.
func goes(world, host int, states string) func(r *Run) error {
	return func(r *Run) error {
		got := r.Plays[world].path(host)
		return want(got == states, "%c went through %v", "%c 经过的状态是 %v", 'A'+host, orNothing(got))
	}
}

func orNothing(states string) Text {
	if states == "" {
		return t("no state", "没有任何状态")
	}
	return Text{strings.ReplaceAll(states, " ", ", "), strings.ReplaceAll(states, " ", "、")}
}

// lasted checks how long a host stayed in a state.
func lasted(world, host int, s tcp.State, d func(p *Params) time.Duration) func(r *Run) error {
	return func(r *Run) error {
		h := r.Plays[world].history(host)
		for i, c := range h {
			if c.to == s {
				if i+1 == len(h) {
					return problem("it never ended", "一直没有结束")
				}
				got := h[i+1].at.Sub(c.at)
				return want(got == d(&r.Params), "it lasted %v", "持续了 %v", got)
			}
		}
		return problem("%c was never in %v", "%c 从未进入 %v", 'A'+host, s)
	}
}

func twoMSL(p *Params) time.Duration { return 2 * p.MSL }

// intact checks that what each side read is what the other sent, from the
// first byte and without a gap; complete that it is all of it.
func intact(r *Run) error { return r.eachPair(false) }

func complete(r *Run) error { return r.eachPair(true) }

func (r *Run) eachPair(all bool) error {
	for _, p := range r.Plays {
		for n, a := range p.Ends[A] {
			b := p.partner(n)
			if b == nil {
				if all && len(a.Sent) > 0 {
					return problem("A sent %d bytes and B has no connection", "A 发送了 %d 字节，而 B 没有连接", len(a.Sent))
				}
				continue
			}
			if err := arrived("B", a.Sent, b.Got, all); err != nil {
				return err
			}
			if err := arrived("A", b.Sent, a.Got, all); err != nil {
				return err
			}
		}
	}
	return nil
}

// partner is B's end of A's n-th connection, if there is one.
func (p *Play) partner(n int) *End {
	connected := 0
	for i, a := range p.Ends[A] {
		if a.Connected < 0 {
			if i == n {
				return nil
			}
			continue
		}
		if i == n {
			if connected < len(p.Ends[B]) {
				return p.Ends[B][connected]
			}
			return nil
		}
		connected++
	}
	return nil
}

func arrived(at string, sent, got []byte, all bool) error {
	switch {
	case !bytes.HasPrefix(sent, got):
		return problem("%s read %d bytes that are not what was sent", "%s 读到 %d 字节，与发送的不符", at, len(got))
	case all && len(got) < len(sent):
		return problem("%s read %d of %d bytes", "%s 只读到 %d 字节，共发送 %d 字节", at, len(got), len(sent))
	}
	return nil
}

// nothingLeft checks that no host holds a connection, record or timer.
func nothingLeft(r *Run) error {
	for _, p := range r.Plays {
		for i, c := range p.Left[:2] {
			if c.Conns+c.HalfOpen+c.TimeWait+c.Timers != 0 {
				return problem("%c holds %d connections, %d half-open and %d TIME-WAIT records", "%c 还有 %d 个连接、%d 条半连接记录和 %d 条 TIME-WAIT 记录",
					'A'+i, c.Conns, c.HalfOpen, c.TimeWait)
			}
		}
	}
	return nil
}

// both makes one check of several.
func both(checks ...func(r *Run) error) func(r *Run) error {
	return func(r *Run) error {
		for _, c := range checks {
			if err := c(r); err != nil {
				return err
			}
		}
		return nil
	}
}

// sends checks how many segments of a kind a host sent.
func sends(world, host int, kind string, n int) func(r *Run) error {
	return func(r *Run) error {
		got := r.Plays[world].count(host, kind)
		return want(got == n, "%c sent %d", "%c 发送了 %d 个", 'A'+host, got)
	}
}

// told checks what the program at a host's n-th connection was told.
func told(world, host, n int, err tcp.Error) func(r *Run) error {
	return func(r *Run) error {
		ends := r.Plays[world].Ends[host]
		if n >= len(ends) {
			return problem("%c has no such connection", "%c 没有这个连接", 'A'+host)
		}
		return want(ends[n].Err == err, "it was told: %v", "得知的是：%v", ends[n].Err)
	}
}
