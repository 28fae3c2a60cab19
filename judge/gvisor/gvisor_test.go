package gvisor

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

var seedFlag = flag.Int64("seed", -1, "run this seed of TestGVisor only, and say what passes the wire")

// TestGVisor: estab and gVisor's netstack at the two ends of a wire with up to
// 20 % loss, reordering, duplication and corruption. Either may dial, both
// send and close as they like, with windows from tiny to large. Every byte
// arrives once and in order, both ends close without an error, and nothing is
// left of the connection on either.
//
// In every other world gVisor is spared what it can't bear: see asleep. There
// nothing is forgiven. In the others a world is forgiven if gVisor has fallen
// asleep, and only a few may be.
func TestGVisor(t *testing.T) {
	n := int64(500)
	if os.Getenv("ESTAB_LONG") != "" && !testing.Short() {
		n = 10_000
	}
	if *seedFlag >= 0 {
		play(t, uint64(*seedFlag))
		return
	}
	total = totals{}
	for seed := range n {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { play(t, uint64(seed)) }) {
			t.Logf("replay: go test ./judge/gvisor -run 'TestGVisor$' -seed %d -v", seed)
		}
	}
	t.Logf("%+v", total)
	if c := total; c.bytes == 0 || c.dials == 0 || c.accepts == 0 || c.retransmits == 0 || c.recoveries == 0 || c.probes == 0 ||
		c.sacks == 0 || c.echoes == 0 {
		t.Errorf("the worlds were too kind: %+v", c)
	}
	if limit := int(n / 50); total.asleep > limit {
		t.Errorf("gVisor fell asleep in %d worlds, more than %d", total.asleep, limit)
	}
}

// A seed has one history: the packets of two runs are the same, and so are
// their times.
func TestReplay(t *testing.T) {
	for seed := range uint64(20) {
		if a, b := play(t, seed), play(t, seed); a != b {
			t.Errorf("seed %d has two histories", seed)
		}
	}
}

// totals sum up what the worlds went through, so that a change that makes them
// harmless is seen.
type totals struct {
	bytes, dials, accepts, asleep   int
	sacks, echoes                   int // judged on the wire
	retransmits, recoveries, probes uint64
}

var total totals

// play runs a seed and returns a digest of what passed the wire.
func play(t *testing.T, seed uint64) uint64 {
	m := newMatch(t, seed)
	if m.r.IntN(2) == 0 {
		total.dials++
		m.estabDials()
	} else {
		total.accepts++
		m.gvisorDials()
	}
	atRest := m.w.Run(24 * time.Hour)
	m.check(atRest)
	return m.history
}

// check is the verdict.
func (m *match) check(atRest bool) {
	t := m.t
	if err := m.w.Err(); err != nil {
		t.Error(err)
	}
	if err := m.judge.broken; err != nil {
		t.Errorf("on the wire: estab %v", err)
	}
	total.sacks += m.judge.sacks
	total.echoes += m.judge.echo
	k := m.a.TCP().Counters()
	total.bytes += m.ta.received + m.tg.received
	total.retransmits += k.Retransmits
	total.recoveries += k.FastRecoveries
	total.probes += k.ZeroWindowProbes
	if !m.orderly && atRest && m.asleep() && m.ta.wrong == nil && m.tg.wrong == nil {
		total.asleep++
		return
	}
	if !atRest {
		t.Error("not at rest after a day")
	}
	for _, x := range []struct {
		name     string
		me, peer *talker
	}{{"estab", m.ta, m.tg}, {"gvisor", m.tg, m.ta}} {
		if x.me.err != nil || x.me.wrong != nil {
			t.Errorf("%s: %v, %v", x.name, x.me.err, x.me.wrong)
		}
		if x.me.received != x.peer.plan.Send || !x.me.eof || !x.me.closed {
			t.Errorf("%s sent %d of %d, received %d of %d, end of stream %v, closed %v", x.name, x.me.sent, x.me.plan.Send,
				x.me.received, x.peer.plan.Send, x.me.eof, x.me.closed)
		}
	}
	if c := m.a.TCP().Counts(); c.Conns+c.HalfOpen+c.TimeWait+c.Timers+c.Orphans != 0 {
		t.Errorf("estab is left with %+v", c)
	}
	for _, s := range m.left() {
		t.Errorf("gvisor is left with a connection in %v", s)
	}
	if t.Failed() {
		t.Logf("orderly %v; plans: estab %+v, gvisor %+v", m.orderly, m.ta.plan, m.tg.plan)
	}
}

// left are the states of gVisor's endpoints.
func (m *match) left() (states []gtcp.EndpointState) {
	for _, ep := range m.g.stack.RegisteredEndpoints() {
		states = append(states, gtcp.EndpointState(ep.(tcpip.Endpoint).State()))
	}
	return states
}

// asleep reports whether gVisor will never do anything again although it
// should: what it has sent is not acknowledged, and it has set no timer to
// send it once more. There are three ways to that:
//
//   - An older window update arrives after a newer one, and what has been sent
//     is then beyond the window. When the retransmission timer goes off,
//     gVisor may not send, counts nothing as outstanding, and sets no timer
//     (RFC 9293 §3.8.6, SHLD-17: retransmit between SND.UNA and
//     SND.UNA+SND.WND; MUST-34: be robust against a window that shrinks).
//   - RACK's tail loss probe takes the retransmission timer's place, and
//     nobody sets that again.
//   - The ACK of its FIN overtakes our text and FIN: it is taken for the
//     send queue's purposes and not for the state, which stays CLOSING for
//     ever (§3.10.7.4, fifth check, is for every acceptable segment).
func (m *match) asleep() bool {
	left := m.left()
	if m.g.clock.next() != never || len(left) == 0 {
		return false
	}
	return m.una != m.nxt || len(left) == 1 && left[0] == gtcp.StateClosing
}
