package tcp

import (
	"time"

	"estab/internal/wire"
	"estab/tcp/cc"
)

// configure takes over what the user chose for a connection.
func (e *Engine) configure(c *conn, o *ConnConfig) {
	c.rcvBuf = uint32(e.receiveBufferOf(o))
	c.rcv.scale = e.scaleFor(o) // what our SYN offers, however the buffer changes meanwhile
	c.put(fFixedRcvBuf, o.ReceiveBuffer > 0 || e.cfg.FixedBuffers)
	c.sndBuf = uint32(e.cfg.SendBuffer)
	c.put(fFixedSndBuf, o.SendBuffer > 0 || e.cfg.FixedBuffers)
	if o.SendBuffer > 0 {
		c.sndBuf = uint32(min(o.SendBuffer, maxBuffer))
	}
	c.finWait2 = millis(e.cfg.FinWait2Timeout)
	if o.FinWait2 != 0 {
		c.finWait2 = millis(o.FinWait2)
	}
	c.alg = e.alg
	if o.Congestion != "" {
		if alg, ok := cc.ByName(o.Congestion); ok {
			c.alg = alg
		}
	}
	c.put(fNoDelay, o.NoDelay)
	c.put(fDelayFinAck, o.DelayFinAck)
	c.setUserTimeout(o.UserTimeout)
	c.maxRetries = uint8(max(e.cfg.SynRetries, 0))
	if o.SynRetries != 0 {
		c.maxRetries = uint8(min(max(o.SynRetries, 0), maxRetries))
	}
	// Obeys: RFC 9293 MUST-48, SHLD-22.
	c.tos = o.TOS &^ 3
	c.quickAcks = maxQuickAcks
	c.tsOffset = e.timestampOffset(&c.tuple)
	c.heardAt, c.sentAt, c.tsRecentAt = e.now, e.now, e.now
	e.growthRound(c)
	c.rto = e.cfg.RTOInitial
	path, _ := e.path(&c.tuple)
	c.takePath(path)
	c.pathMSS = uint16(capMSS(o, mssOf(&c.tuple, path.MTU)))
	c.setKeepAlive(o.KeepAlive)
}

// takePath notes by which way segments leave, and whether text is queued so that
// it can be lent to that link.
func (c *conn) takePath(p Path) {
	c.egress = p.Egress
	c.put(fLends, p.Lends)
	c.put(fSums, p.Sums)
}

// capMSS is the MSS that a path allows, or less if the user wants less.
func capMSS(o *ConnConfig, mss int) int {
	if o.MSS > 0 {
		return max(min(o.MSS, mss), minMSS)
	}
	return mss
}

// negotiate takes over what the peer's SYN said, and with it the first
// congestion window (RFC 6928).
// Obeys: RFC 9293 MUST-16; RFC 6582 3.2a; RFC 7323 2.2d, 3.2g.
func (e *Engine) negotiate(c *conn, mss uint16, opts halfOpts, tsRecent uint32) {
	c.pathMSS = max(min(c.pathMSS, mss), minMSS)
	if opts&halfTimestamps != 0 {
		c.set(fTimestamps)
		c.tsRecent, c.tsRecentAt = tsRecent, e.now
	}
	if shift, ok := opts.scale(); ok {
		c.set(fScale)
		c.snd.scale = shift
	} else {
		c.rcv.scale = 0
	}
	c.put(fSACK, opts&halfSACK != 0)
	c.setSMSS()
	c.alg.Algorithm().Init(&c.cong, uint32(c.smss), e.initialWindow(c))
}

// setISS gives the connection its initial sequence number, and with it all
// that is measured from there.
func (c *conn) setISS(iss Num) {
	c.snd.ISS, c.snd.UNA, c.snd.NXT, c.snd.UP = iss, iss, iss+1, iss
	c.sendq.base = iss + 1
	c.snd.small, c.snd.push, c.snd.WL2, c.usageSeq = iss, iss, iss, iss
	c.recover, c.rescue, c.highSacked, c.lostHint, c.lossSeen = iss, iss, iss, iss, iss
}

// synOptions reads the options of a peer's SYN or SYN-ACK. What we did not
// offer doesn't count.
// Obeys: RFC 9293 MUST-14; RFC 7323 2.2b, 2.3d.
func (e *Engine) synOptions(seg *Segment) (mss uint16, opts halfOpts) {
	o := &seg.Options
	mss, opts = defaultMSS(&seg.Tuple), noScale
	if o.Has(wire.OptMSS) {
		mss = o.MSS
	}
	if o.Has(wire.OptTimestamps) && !e.cfg.NoTimestamps {
		opts |= halfTimestamps
	}
	if o.Has(wire.OptWindowScale) && !e.cfg.NoWindowScaling {
		opts = opts&^15 | halfOpts(min(o.WindowScale, maxWindowScale))
	}
	if o.Has(wire.OptSACKPermitted) && !e.cfg.NoSACK {
		opts |= halfSACK
	}
	return mss, opts
}

// setSMSS derives the largest text from the path: RFC 6691, "options … should
// be deducted from the MSS": timestamps are on every segment.
// Obeys: RFC 9293 MUST-16.
func (c *conn) setSMSS() {
	c.smss = c.pathMSS
	if c.has(fTimestamps) {
		c.smss = max(c.smss, minMSS) - 12
	}
}

// initialWindow is RFC 6928's: "min (10*MSS, max (2*MSS, 14600))", with the
// configured number of segments in place of 10.
func (e *Engine) initialWindow(c *conn) uint32 {
	n, mss := uint32(max(e.cfg.InitialWindow, 1)), uint32(c.smss)
	return min(n*mss, max(2*mss, n*1460))
}

// millis are the milliseconds, rounded up, in which a TCB keeps what a user
// chose; 49 days at most, and 0 for what is negative.
func millis(d time.Duration) uint32 {
	return uint32(min((max(d, 0)+time.Millisecond-1)/time.Millisecond, 1<<32-1))
}

func (c *conn) setUserTimeout(d time.Duration) {
	c.userTimeout = millis(d)
	c.put(fPatient, d < 0)
}

// userLimit is the user timeout; 0 is none.
func (c *conn) userLimit() time.Duration { return time.Duration(c.userTimeout) * time.Millisecond }

// setKeepAlive stores the settings; the timer is the caller's business.
// Obeys: RFC 9293 MUST-27, MUST-28.
func (c *conn) setKeepAlive(k KeepAlive) {
	def(&k.Idle, 2*time.Hour)
	def(&k.Interval, 75*time.Second)
	def(&k.Count, 9)
	c.put(fKeepAlive, k.On)
	c.keepIdle, c.keepInterval = max(millis(k.Idle), 1), max(millis(k.Interval), 1)
	c.keepCount = uint8(min(max(k.Count, 1), 255))
}

// established is what happens once both ends agree (§3.10.7.3 and §3.10.7.4,
// "enter ESTABLISHED state").
func (e *Engine) established(c *conn, seg *Segment) {
	e.setState(c, StateEstablished, seg)
	e.counters.Established++
	c.set(fWasConnected)
	c.retries = 0
	if c.tw != 0 {
		e.forgetWait(waitKind(&c.tuple), c.tw-1)
		c.tw = 0
	}
	if c.has(fCloseCalled) { // CLOSE came in SYN-RECEIVED, with text before it
		e.setState(c, StateFinWait1, nil)
	}
	e.restartKeepAlive(c)
	if !c.has(fPassive) {
		e.notify(c, Connected|Writable)
	}
	e.mark(c)
}
