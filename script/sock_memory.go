package script

// sendMemory counts the send buffer of a Linux socket as far as a program sees
// it: how much a write takes before it blocks or fails, and when it goes on.
// Linux charges a socket with the buffers that text lies in, not with the
// text; it fills a buffer that it has begun, and writes beyond the limit until
// that is full; a blocked writer is woken when a third of the limit is free.
// Only what a script has set by hand is counted: SO_SNDBUF, TCP_NOTSENT_LOWAT.
type sendMemory struct {
	unsent []int    // lengths of the buffers whose text has not been sent
	sent   []uint32 // ends, in the stream, of those whose text is in flight
	seen   uint32   // how much of the stream has been sent
	pushed uint32   // the end of the stream when it was last pushed
	maxWin uint32   // the largest window of the peer
}

// bufferOverhead is what a buffer costs beside its text, in bytes.
const bufferOverhead = 1280

// counted reports whether the program has limited the socket by hand.
func (s *sock) counted() bool {
	if s.p.set.face != faceLinux {
		return false
	}
	_, set := s.ints["SO_SNDBUF"]
	return set || s.lowat() >= 0
}

// lowat is TCP_NOTSENT_LOWAT, -1 for none.
func (s *sock) lowat() int64 {
	if n, ok := s.ints["TCP_NOTSENT_LOWAT"]; ok {
		return lowat(n)
	}
	return s.p.set.notSentLowat
}

func (s *sock) sendLimit() int64 {
	if n, ok := s.ints["SO_SNDBUF"]; ok {
		return n
	}
	return 4 << 20
}

// account follows what the engine has sent and what the peer has acknowledged.
func (s *sock) account() (used, notSent int64, goal int) {
	st, m := s.status(), &s.mem
	una := uint32(st.SndUNA - st.ISS - 1)
	if una > uint32(len(s.flow.written)) {
		una = uint32(len(s.flow.written)) // the FIN, or nothing yet
	}
	sent := uint32(len(s.flow.written)) - uint32(st.Unsent)
	for k := int(sent - m.seen); k > 0 && len(m.unsent) > 0; {
		n := min(k, m.unsent[0])
		k -= n
		m.seen += uint32(n)
		m.sent = append(m.sent, m.seen)
		if m.unsent[0] -= n; m.unsent[0] == 0 {
			m.unsent = m.unsent[1:]
		}
	}
	for len(m.sent) > 0 && m.sent[0] <= una {
		m.sent = m.sent[1:]
	}
	m.maxWin = max(m.maxWin, st.SndWND)
	mss := max(st.SMSS, 1)
	goal = max(int(min(m.maxWin/2, 65535-320))/mss*mss, mss)
	return int64(st.SendQueue) + bufferOverhead*int64(len(m.sent)+len(m.unsent)), int64(st.Unsent), goal
}

// writable reports whether a blocked writer is woken, and poll says so.
func (s *sock) writable() bool {
	used, notSent, _ := s.account()
	low := s.lowat()
	return s.sendLimit()-used >= used/2 && (low < 0 || notSent < low)
}

// pushCounted gives the engine what a Linux socket would take.
func (s *sock) pushCounted(m message, sent int) (n int, errno string) {
	if sent > 0 && !s.writable() {
		return 0, ""
	}
	for sent+n < m.n {
		used, notSent, goal := s.account()
		rest, k := m.n-sent-n, 0
		u := s.mem.unsent
		switch low := s.lowat(); {
		case len(u) > 0 && u[len(u)-1] < goal:
			k = min(rest, goal-u[len(u)-1])
			u[len(u)-1] += k
		case used < s.sendLimit() && (low < 0 || notSent < low):
			k = min(rest, goal)
			s.mem.unsent = append(u, k)
		default:
			s.release(m)
			return n, ""
		}
		took, errno := s.give(m, sent+n, k, k == rest && !m.has("MSG_MORE"))
		n += took
		if errno != "" {
			return n, errno
		}
		if last := s.mem.unsent; k < rest && (len(last) == 1 || uint32(len(s.flow.written))-s.mem.pushed > s.mem.maxWin/2) {
			s.mem.pushed = uint32(len(s.flow.written))
			s.e.host.flush()
		}
	}
	return n, ""
}

// release sends what fills no segment before a write blocks: nothing that
// follows soon could fill it.
func (s *sock) release(m message) {
	if s.ints["TCP_CORK"] == 0 {
		s.tcp().SetCork(s.now(), s.conn, false)
		s.e.host.flush()
	}
}
