package tcp

import (
	"time"

	"estab/internal/wire"
)

// Timestamps: RFC 7323 §3 to §5.

// tsValid is how long TS.Recent stays meaningful (RFC 7323 §5.5): a
// timestamp clock of 1 ms wraps after 24.8 days, so that after a longer
// silence nothing can be told from it, and the peer must not be locked out.
const tsValid = 24 * 24 * time.Hour

// paws is test R1 of RFC 7323 §5.3: whether the segment is an old duplicate by
// its timestamp. A RST is exempt (§5.2). A peer that negotiated timestamps and
// leaves them out is tolerated and counted (§3.2 says SHOULD drop; peers
// exist that would never get through).
// Obeys: RFC 7323 3.2f, 5.2b, 5.5.
func (e *Engine) paws(c *conn, seg *Segment) bool {
	if !c.has(fTimestamps) {
		return false
	}
	if !seg.Options.Has(wire.OptTimestamps) {
		if !seg.Flags.Has(wire.RST) {
			e.counters.MissingTimestamps++
		}
		return false
	}
	return int32(seg.Options.TSVal-c.tsRecent) < 0 && !seg.Flags.Has(wire.RST) &&
		e.now.Sub(c.tsRecentAt) < tsValid
}

// recordTimestamp is RFC 7323 §4.3 (2): TS.Recent follows the segment that the
// next ACK answers, "If SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent".
// Obeys: RFC 7323 4.3a, 4.3b, 4.3c, 5.2a.
func (e *Engine) recordTimestamp(c *conn, seg *Segment) {
	if !c.has(fTimestamps) || !seg.Options.Has(wire.OptTimestamps) || c.rcv.lastAck.Less(seg.Seq) {
		return
	}
	if int32(seg.Options.TSVal-c.tsRecent) >= 0 || e.now.Sub(c.tsRecentAt) >= tsValid {
		c.tsRecent, c.tsRecentAt = seg.Options.TSVal, e.now
	}
}
