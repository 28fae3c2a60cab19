package script

import (
	"estab/tcp"
)

// The calls that move data: read, recv, write, send and their relatives.

// message is what a call wants to send or to receive: lengths of buffers, and
// text if the script spells it out.
type message struct {
	n     int
	text  string
	known bool // text is set
	null  bool // the buffer is the null pointer
	flags int64
}

func (m *message) has(flag string) bool { return m.flags&constants[flag] != 0 }

// bufferMessage reads a buffer and its length.
func bufferMessage(buf, n *arg) message {
	m := message{n: int(n.n), null: buf.isNull()}
	if buf.kind == argString {
		m.text, m.known = buf.s, true
	}
	return m
}

// iovMessage reads an array of buffers: [{..., 100}, {..., 200}].
func iovMessage(iov *arg) message {
	var m message
	for i := range iov.list {
		v := &iov.list[i]
		if v.kind != argStruct || len(v.list) != 2 {
			continue
		}
		m.n += int(v.list[1].n)
		m.null = m.null || v.list[0].isNull()
		if v.list[0].kind == argString {
			m.text += v.list[0].s
			m.known = true
		}
	}
	if len(m.text) != m.n {
		m.known = false
	}
	return m
}

// msghdrMessage reads the buffers of a struct msghdr.
func msghdrMessage(hdr *arg) message {
	if v := hdr.field("msg_iov"); v != nil {
		return iovMessage(v)
	}
	return message{}
}

// field is a field of a struct by its name.
func (a *arg) field(name string) *arg {
	if a.kind != argStruct {
		return nil
	}
	for i := range a.expr.Fields {
		if a.expr.Fields[i].Name == name {
			return &a.list[i]
		}
	}
	return nil
}

// startWrite is write, writev, send, sendto and sendmsg.
func startWrite(x *callContext) attempt { return x.s.write(writeMessage(x)) }

// writeMessage is what such a call wants to send.
func writeMessage(x *callContext) (m message) {
	switch x.call.Name {
	case "writev":
		m = iovMessage(&x.args[1])
	case "sendmsg":
		m = msghdrMessage(&x.args[1])
		m.flags = x.args[2].n
	default:
		m = bufferMessage(&x.args[1], &x.args[2])
		if len(x.args) > 3 {
			m.flags = x.args[3].n
		}
	}
	return m
}

// bytes is the message as it stands in the stream from byte at on: what the
// script spells out, else the pattern.
func (m *message) bytes(at int) []byte {
	b := make([]byte, m.n)
	if m.known {
		copy(b, m.text)
		return b
	}
	for i := range b {
		b[i] = pattern(uint32(at + i))
	}
	return b
}

// write is the attempt to send a message.
func (s *sock) write(m message) attempt {
	sent := 0
	ended := func(errno string) (callResult, bool) {
		if sent > 0 {
			return okResult(int64(sent)), true
		}
		return errResult(errno), true
	}
	return func() (callResult, bool) {
		s.settle()
		wait := !s.nonblock && !m.has("MSG_DONTWAIT")
		switch {
		case s.kind == sockConnecting && wait:
			return callResult{}, false
		case s.kind == sockConnecting:
			return ended("EAGAIN")
		}
		if e := s.takeError(); e != "" {
			return ended(e)
		}
		switch {
		case s.wrShut:
			return ended("EPIPE")
		case s.kind != sockConnected && s.p.set.face == faceFreeBSD:
			return ended("ENOTCONN")
		case s.kind != sockConnected || s.state() == tcp.StateClosed || s.state() == tcp.StateTimeWait:
			return ended("EPIPE")
		case m.null && m.n > 0:
			return ended("EFAULT")
		}
		n, errno := s.push(m, sent)
		sent += n
		switch {
		case errno != "":
			return ended(errno)
		case sent >= m.n:
			return okResult(int64(sent)), true
		case !wait:
			return ended("EAGAIN")
		}
		return callResult{}, false
	}
}

// push gives the engine what it takes of a message, from byte sent on.
func (s *sock) push(m message, sent int) (n int, errno string) {
	rest := m.n - sent
	if rest == 0 {
		return 0, ""
	}
	s.flow.corked = m.has("MSG_MORE") || s.ints["TCP_CORK"] != 0
	if s.counted() {
		return s.pushCounted(m, sent)
	}
	if sent > 0 && 2*s.status().SendQueue > s.status().SendBuffer {
		return 0, "" // a write that waits goes on when there is some room
	}
	return s.give(m, sent, rest, !m.has("MSG_MORE"))
}

// give hands the engine up to most bytes of a message. push says that nothing
// holds back what ends it.
func (s *sock) give(m message, sent, most int, push bool) (n int, errno string) {
	p := s.p
	if p.buffered+most > maxBuffered {
		if p.failure == nil {
			p.failure = p.failAt(p.line, "the program writes more than %d bytes", maxBuffered)
		}
		return 0, "ENOMEM"
	}
	b := make([]byte, most)
	for i := range b {
		if m.known && sent+i < len(m.text) {
			b[i] = m.text[sent+i]
		} else if !m.known {
			b[i] = pattern(uint32(len(s.flow.written) + i))
		}
	}
	flags := tcp.SendFlags(0)
	if !push {
		flags |= tcp.SendMore
	}
	if m.has("MSG_OOB") {
		flags |= tcp.SendUrgent
	}
	n, err := s.tcp().Send(s.now(), s.conn, b, flags)
	p.buffered += n
	s.flow.written = append(s.flow.written, b[:n]...)
	if push && n > 0 {
		s.flow.pushEnds = append(s.flow.pushEnds, uint32(len(s.flow.written)))
	}
	if err != 0 {
		return n, s.errnoOf(err)
	}
	return n, ""
}

// startRead is read, readv, recv, recvfrom and recvmsg.
func startRead(x *callContext) attempt { return x.s.readInto(readMessage(x)) }

// readMessage is what such a call wants to receive; hdr is recvmsg's.
func readMessage(x *callContext) (m message, hdr *arg) {
	switch x.call.Name {
	case "readv":
		m = iovMessage(&x.args[1])
	case "recvmsg":
		hdr = &x.args[1]
		m = msghdrMessage(hdr)
		m.flags = x.args[2].n
	default:
		m = bufferMessage(&x.args[1], &x.args[2])
		if len(x.args) > 3 {
			m.flags = x.args[3].n
		}
	}
	return m, hdr
}

// readInto is the attempt to receive a message.
func (s *sock) readInto(m message, hdr *arg) attempt {
	got := 0
	return func() (callResult, bool) {
		s.settle()
		for {
			n, errno, wait := s.receive(m, got)
			got += n
			more := m.has("MSG_WAITALL") && !m.has("MSG_PEEK") && got < m.n
			switch {
			case n > 0 && more:
				continue
			case got > 0 && (!wait || !more || s.nonblock || m.has("MSG_DONTWAIT")):
				return s.ancillary(hdr, okResult(int64(got))), true
			case wait && !s.nonblock && !m.has("MSG_DONTWAIT"):
				return callResult{}, false
			case wait:
				errno = "EAGAIN"
			}
			if errno != "" {
				return errResult(errno), true
			}
			return s.ancillary(hdr, okResult(0)), true
		}
	}
}

// receive takes what has arrived, up to what the message still wants. wait
// says that nothing is there yet.
func (s *sock) receive(m message, got int) (n int, errno string, wait bool) {
	switch s.kind {
	case sockNew, sockListening:
		return 0, "ENOTCONN", false
	case sockConnecting:
		return 0, "", true
	}
	want, avail := m.n-got, s.tcp().Readable(s.conn)
	switch {
	case m.n == 0:
		return 0, "", false
	case m.null && avail > 0 && !m.has("MSG_TRUNC"):
		return 0, "EFAULT", false
	}
	flags := tcp.ReceiveFlags(0)
	if m.has("MSG_PEEK") {
		flags = tcp.ReceivePeek
	}
	b := make([]byte, max(min(want, avail), 1))
	n, err := s.tcp().Receive(s.now(), s.conn, b, flags)
	switch {
	case n > 0:
		s.flow.checkRead(s.p, b[:n])
		if flags&tcp.ReceivePeek == 0 {
			s.flow.read += uint32(n)
		}
		return n, "", false
	case err == tcp.ErrEOF:
		if e := s.takeError(); e != "" {
			return 0, e, false
		}
		return 0, "", false
	case err != 0:
		return 0, s.errnoOf(err), false
	}
	return 0, "", !s.rdShut
}

// checkRead compares what the program reads with what the script's end sent.
func (f *flow) checkRead(p *player, b []byte) {
	for i, c := range b {
		if c != pattern(f.read+uint32(i)) && p.failure == nil {
			p.failure = p.failAt(p.line, "byte %d that the program reads is not the one that was sent", f.read+uint32(i))
			return
		}
	}
}

// ancillary compares what recvmsg says beside the text with what the script
// states.
func (s *sock) ancillary(hdr *arg, r callResult) callResult {
	if hdr == nil {
		return r
	}
	if v := hdr.field("msg_flags"); v != nil && v.n != 0 {
		r.wrong = "recvmsg says msg_flags=0, not " + v.String()
	}
	want, have := hdr.field("msg_control"), s.ints["TCP_INQ"] != 0
	switch {
	case want == nil || want.kind == argAny:
	case have && len(want.list) == 1:
		inq := int64(s.tcp().Readable(s.conn))
		if inq == 0 && s.status().FinReceived {
			inq = 1 // Linux: go on reading, there is the end
		}
		if v := want.list[0].field("cmsg_data"); v == nil || v.n != inq {
			r.wrong = "recvmsg says TCP_CM_INQ " + itoa(inq)
		}
	case len(want.list) > 0:
		r.wrong = "recvmsg has no control message"
	case have:
		r.wrong = "recvmsg has a control message of TCP_CM_INQ"
	}
	return r
}
