package tcp

import (
	"math"
	"time"

	"estab/internal/wire"
)

// How the receive buffer grows: by how much arrives in a round trip, and twice
// that, so that a sender in slow start finds room. Only the rate counts: a
// buffer that is larger than rate x RTT buys nothing and costs the cache.
//
// A receiver that sends nothing measures no round trip after the handshake, and
// paths grow longer: queues fill, routes change. Where there are timestamps, the
// text says how old the ACK is that set it free (RFC 7323 §4.2, TSecr).

// growReceiveBuffer is called when the user reads: a buffer whose user doesn't
// need not grow.
func (e *Engine) growReceiveBuffer(c *conn) {
	rtt, took := c.growthRTT(), e.growthTime(c)
	if c.has(fFixedRcvBuf) || took < rtt {
		return
	}
	if want := 2 * uint64(c.autoArrived) * uint64(rtt) / uint64(took); want > uint64(c.rcvBuf) {
		c.rcvBuf = uint32(min(want, uint64(e.cfg.ReceiveBufferMax)))
	}
	e.growthRound(c)
}

const (
	// minAutotuneRTT is the round trip below which the sizing of the receive
	// buffer sees no difference: a link in memory.
	minAutotuneRTT = 50 * time.Microsecond

	noRTT = math.MaxUint32
)

// growthRTT is the round trip by which the buffer is sized.
func (c *conn) growthRTT() time.Duration {
	rtt := max(c.srtt, minAutotuneRTT)
	if c.autoRTT != noRTT {
		rtt = max(rtt, time.Duration(c.autoRTT)*time.Microsecond)
	}
	return rtt
}

// growthRound begins a round of measurement.
func (e *Engine) growthRound(c *conn) {
	c.autoSince, c.autoRTT, c.autoArrived = e.micros(), noRTT, 0
}

// growthTime is how long the round has taken: after 71 idle minutes too little,
// which does no harm.
func (e *Engine) growthTime(c *conn) time.Duration {
	return time.Duration(e.micros()-c.autoSince) * time.Microsecond
}

func (e *Engine) micros() uint32 { return uint32(uint64(e.now) / 1e3) }

// noteArrival notes that n bytes have arrived in order. A tick of the timestamp
// clock may just have passed, and says nothing.
func (e *Engine) noteArrival(c *conn, seg *Segment, n uint32) {
	c.autoArrived += n
	if c.autoRTT > 0 && c.has(fTimestamps) && seg.Options.Has(wire.OptTimestamps) {
		ticks := e.tsClock() + c.tsOffset - seg.Options.TSEcr
		c.autoRTT = min(c.autoRTT, (min(max(ticks, 1), noRTT/1000)-1)*1000)
	}
}
