package tcp

import (
	"crypto/subtle"
	"time"

	"estab/internal/wire"
)

// SYN cookies (RFC 4987 §3.6): when there is no room for a record, the SYN-ACK
// carries in its sequence number what the record would have told, sealed with
// a key, and the third segment brings it back.
//
//	bits 31..4  a keyed hash of the flow, the peer's sequence number, the
//	            epoch and the bits below: whoever can't read our SYN-ACK has
//	            one chance in 2^28 with each guess (one in 2^27 for a while
//	            after a rotation of keys)
//	bit  3      the epoch's last bit; an epoch is 64 s, a cookie is good in its
//	            own and the next
//	bits 2..0   the peer's MSS, rounded down to one of eight
//
// The low four bits are masked with a hash of the flow, so that nothing can be
// read from them. If the peer sent timestamps, the low five bits of ours hold
// its window scale and whether it allows SACK, and come back as the echo;
// without timestamps these two options are lost.

const (
	cookieEpoch   = 64 * time.Second
	cookieMacMask = ^Num(15)
)

// cookieMSS are the sizes that a cookie can tell, smallest first.
var cookieMSS = [8]uint16{minMSS, 536, 1024, 1220, 1360, 1440, 1460, 8960}

// cookieKeys are the current key and the one before, which still opens what
// it has sealed.
type cookieKeys struct {
	current, previous wire.Key
	hasPrevious       bool
}

// RotateCookies seals cookies with a new key from now on; cookies of the
// current one stay good until the next rotation. Engines that share the
// secret, as the servers of a fleet behind one address may, take each
// other's cookies, if Config.CookiesAlways is set.
func (e *Engine) RotateCookies(secret [32]byte) {
	e.cookies.previous, e.cookies.hasPrevious = e.cookies.current, true
	e.cookies.current = deriveKey(&secret, keyCookie)
}

func (e *Engine) epoch() uint64 { return uint64(e.now) / uint64(cookieEpoch) }

// sealCookie makes the sequence number of a SYN-ACK.
func (e *Engine) sealCookie(t *Tuple, irs Num, mss uint16) Num {
	i := 0
	for i+1 < len(cookieMSS) && cookieMSS[i+1] <= mss {
		i++
	}
	epoch := e.epoch()
	low := Num(epoch&1)<<3 | Num(i)
	return e.cookieMAC(e.cookies.current, t, irs, epoch, low) | (low ^ e.cookieMask(t))
}

// openCookie checks the sequence number that an ACK brings back, and says
// which MSS it tells.
func (e *Engine) openCookie(t *Tuple, irs, cookie Num) (mss uint16, ok bool) {
	low := (cookie ^ e.cookieMask(t)) & 15
	epoch := e.epoch()
	if Num(epoch&1) != low>>3 {
		epoch--
	}
	good := sameMAC(e.cookieMAC(e.cookies.current, t, irs, epoch, low), cookie)
	if e.cookies.hasPrevious {
		good |= sameMAC(e.cookieMAC(e.cookies.previous, t, irs, epoch, low), cookie)
	}
	return cookieMSS[low&7], good == 1
}

// sameMAC compares in constant time; 1 is equal.
func sameMAC(mac, cookie Num) int {
	return subtle.ConstantTimeEq(int32(mac), int32(cookie&cookieMacMask))
}

func (e *Engine) cookieMAC(k wire.Key, t *Tuple, irs Num, epoch uint64, low Num) Num {
	return Num(wire.SipHash(k, t.Hash(k), uint64(irs)<<32|uint64(low), epoch)) & cookieMacMask
}

// cookieMask belongs to the engine's first key, not to the one that is
// rotated: it has to be taken off before the cookie tells its epoch.
func (e *Engine) cookieMask(t *Tuple) Num { return Num(t.Hash(e.keys.cookieMask)) & 15 }

// sendCookie answers a SYN without keeping anything but the time at which the
// listener last had to.
func (e *Engine) sendCookie(l *listener, seg *Segment) {
	path, err := e.path(&seg.Tuple)
	if err != 0 {
		e.counters.Drops[wire.DropNoRoute]++
		return
	}
	mss, opts := e.synOptions(seg)
	l.cookieAt, l.cookies = e.now, true
	e.counters.CookiesSent++
	r := Segment{Tuple: seg.Tuple, Egress: path.Egress, Seq: e.sealCookie(&seg.Tuple, seg.Seq, mss), Ack: seg.Seq + 1,
		Flags: wire.SYN | wire.ACK, Wnd: synWindow(e.receiveBufferOf(&l.opts.Conn)), TOS: l.opts.Conn.TOS &^ 3}
	o := &r.Options
	o.Set, o.MSS = wire.OptMSS, uint16(capMSS(&l.opts.Conn, mssOf(&seg.Tuple, path.MTU)))
	if opts&halfTimestamps != 0 {
		o.Set |= wire.OptTimestamps
		o.TSVal = e.cookieClock(opts) + e.timestampOffset(&seg.Tuple)
		o.TSEcr = seg.Options.TSVal
		if _, ok := opts.scale(); ok {
			o.Set |= wire.OptWindowScale
			o.WindowScale = e.scaleFor(&l.opts.Conn)
		}
		if opts&halfSACK != 0 {
			o.Set |= wire.OptSACKPermitted
		}
	}
	e.reply(&r)
}

// cookieClock is the timestamp clock, turned back by less than 64 ms so that
// its low bits hold the options.
func (e *Engine) cookieClock(opts halfOpts) uint32 {
	low := uint32(opts & 15)
	if opts&halfSACK != 0 {
		low |= 16
	}
	v := e.tsClock()&^31 | low
	if v > e.tsClock() {
		v -= 32
	}
	return v
}

// takesCookies reports whether the listener takes cookies now: always if
// Config says so, otherwise only as long as one that it sent is good.
func (e *Engine) takesCookies(l *listener) bool {
	return !e.cfg.Defence.NoCookies &&
		(e.cfg.CookiesAlways || l.cookies && e.now.Sub(l.cookieAt) <= 2*cookieEpoch)
}

// cookieAck tries whether an ACK in LISTEN brings back a cookie. If so it is
// the third segment of a handshake; the record that would have held it is made
// up, and the connection with it.
func (e *Engine) cookieAck(l *listener, seg *Segment) bool {
	if !e.takesCookies(l) || seg.Flags.Any(wire.SYN|wire.RST) {
		return false
	}
	iss, irs := seg.Ack-1, seg.Seq-1
	mss, ok := e.openCookie(&seg.Tuple, irs, iss)
	if !ok {
		e.counters.CookiesRejected++
		return false
	}
	if e.nConns >= e.cfg.MaxConns || !l.acquire() {
		// Nothing remembers this peer, so nothing will repeat the SYN-ACK: a
		// RST tells it now, or it would wait for ever.
		e.drop(nil, seg, wire.DropAcceptQueue)
		e.reset(seg)
		return true
	}
	e.counters.CookiesAccepted++
	h := halfOpen{iss: iss, irs: irs, opts: noScale, mss: mss, wnd: seg.Wnd}
	if seg.Options.Has(wire.OptTimestamps) && !e.cfg.NoTimestamps {
		low := (seg.Options.TSEcr - e.timestampOffset(&seg.Tuple)) & 31
		h.opts |= halfTimestamps
		h.tsRecent = seg.Options.TSVal
		if shift := halfOpts(low & 15); shift != noScale && !e.cfg.NoWindowScaling {
			h.opts = h.opts&^15 | min(shift, maxWindowScale)
		}
		if low&16 != 0 && !e.cfg.NoSACK {
			h.opts |= halfSACK
		}
	}
	e.counters.PassiveOpens++
	e.stateEvent(&seg.Tuple, StateListen, StateSynReceived, true, seg)
	c := e.passiveConn(l, seg, &h)
	e.table.insert(seg.Hash, kindConn, c.slot)
	e.enqueue(l, c)
	e.arrivesSync(c, seg)
	return true
}
