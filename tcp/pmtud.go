package tcp

import "estab/internal/wire"

// What the path takes: RFC 1191 and 8201 as far as TCP has a part in it,
// RFC 5927's checks, and survival on a path that swallows large packets
// without a word.

// inFlight reports whether a sequence number quoted in an ICMP error is one
// that we sent and that is not acknowledged (RFC 5927 §4.1). A SYN that the link
// has not taken yet has a number and was not sent.
func (c *conn) inFlight(s Num) bool {
	return c.rtx.len() > 0 && c.snd.UNA.LessEq(s) && s.Less(c.snd.NXT)
}

// PacketTooBig takes an ICMP message that says that a packet of the flow, with
// the given sequence number, exceeds the MTU of its path. It returns Accepted,
// or why it was ignored. The layer below keeps the path's MTU itself; it asks
// here first whether to believe it.
// Obeys: RFC 7323 5.7.
func (e *Engine) PacketTooBig(now Time, t *Tuple, quoted Num, mtu int) Reason {
	e.clock(now)
	k, i := e.find(t, e.Hash(t))
	if k != kindConn || !e.conns[i].inFlight(quoted) {
		e.counters.Drops[wire.DropICMPQuote]++
		return wire.DropICMPQuote
	}
	c := e.conns[i]
	if mss := mssOf(t, mtu); mss < int(c.pathMSS) {
		e.lowerMSS(c, mss)
		// What was too big is lost, and the network is not congested.
		if s := c.rtx.at(c.rtx.search(quoted)); s.textLen() > uint32(c.smss) {
			for j := range c.rtx.len() {
				if s := c.rtx.at(j); s.textLen() > uint32(c.smss) && s.marks&(markSacked|markLost) == 0 {
					e.uncount(c, s.marks&(markRetrans|markTwice), s.len())
					s.marks = s.marks&^(markRetrans|markTwice) | markLost
					c.lost += s.len()
				}
			}
			c.lostHint = c.snd.UNA
			c.set(fForceRetransmit)
		}
		e.mark(c)
	}
	return wire.Accepted
}

// lowerMSS makes segments smaller from now on.
// Obeys: RFC 9293 MUST-16; RFC 5681 3.1e.
func (e *Engine) lowerMSS(c *conn, mss int) {
	c.pathMSS = uint16(max(mss, minMSS))
	c.setSMSS()
	c.alg.Algorithm().SetMSS(&c.cong, uint32(c.smss))
	e.counters.MTUReductions++
	e.cwndEvent(c, WhyMTU)
}

// refreshPath asks the layer below again for the way and its MTU.
func (e *Engine) refreshPath(c *conn) {
	path, err := e.path(&c.tuple)
	if err != 0 {
		return
	}
	c.takePath(path)
	if mss := mssOf(&c.tuple, path.MTU); mss < int(c.pathMSS) {
		e.lowerMSS(c, mss)
	}
}

// blackHoleTries is how many time-outs make us think that size is the cause.
const blackHoleTries = 3

// blackHoleMSS are the sizes to which a connection falls back when full-sized
// segments disappear: what passes a tunnel or two, and what everything passes
// (RFC 4821 §7.7's idea without its probes, which come with RFC 8899).
var blackHoleMSS = [...]uint16{1220, 1024, 536}

// suspectBlackHole lowers the MSS after blackHoleTries time-outs in a row of a
// segment that a smaller size would cut, full or not, unless the peer has SACKed
// another as long, or refuses this one by its window: then the path takes them.
func (e *Engine) suspectBlackHole(c *conn) {
	stuck := c.rtx.at(0).textLen()
	smaller := 0
	for _, mss := range blackHoleMSS {
		if mss < c.pathMSS && uint32(mss) < stuck {
			smaller = int(mss)
			break
		}
	}
	if smaller == 0 || c.snd.WND < stuck || c.sackedAsLong(stuck) {
		c.stuckFull = 0
		return
	}
	if c.stuckFull++; c.stuckFull >= blackHoleTries {
		c.stuckFull = 0
		e.lowerMSS(c, smaller)
	}
}

// sackedAsLong reports whether the peer has SACKed a segment of n bytes or more.
func (c *conn) sackedAsLong(n uint32) bool {
	for i := range c.rtx.len() {
		if s := c.rtx.at(i); s.marks&markSacked != 0 && s.textLen() >= n {
			return true
		}
	}
	return false
}

// ICMPError takes an ICMP error about a packet of the flow with the given
// sequence number. In SYN-SENT a hard error ends the attempt; in a
// synchronised state all are soft (RFC 5927 §5.2; RFC 9293 §3.9.2.2 in the
// reading of RFC 5461): an event, remembered until text is acknowledged, and told
// if the connection times out.
// Obeys: RFC 9293 MUST-47, MUST-54, MUST-56.
func (e *Engine) ICMPError(now Time, t *Tuple, quoted Num, what Error) Reason {
	e.clock(now)
	k, i := e.find(t, e.Hash(t))
	if k != kindConn || !e.conns[i].inFlight(quoted) {
		e.counters.Drops[wire.DropICMPQuote]++
		return wire.DropICMPQuote
	}
	c := e.conns[i]
	if e.cfg.Events.Wants(EventICMP) {
		ev := e.event(EventICMP, c)
		ev.Err = what
		e.cfg.Events.Put(ev)
	}
	if c.state == StateSynSent || c.state == StateSynReceived {
		e.fail(c, what, nil)
		return wire.Accepted
	}
	c.softErr = what
	return wire.Accepted
}
