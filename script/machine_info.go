package script

import "encoding/binary"

// infoField is a field of Linux's struct tcp_info (linux/tcp.h): its place and
// size in bytes; for a field of bits also which ones.
type infoField struct {
	at, size    int
	shift, mask uint8
}

// realInfo are the names of TCP_INFO that a machine knows.
var realInfo = map[string]infoField{
	"tcpi_state": {at: 0, size: 1}, "tcpi_ca_state": {at: 1, size: 1}, "tcpi_retransmits": {at: 2, size: 1},
	"tcpi_probes": {at: 3, size: 1}, "tcpi_backoff": {at: 4, size: 1}, "tcpi_options": {at: 5, size: 1},
	"tcpi_snd_wscale": {at: 6, size: 1, mask: 15}, "tcpi_rcv_wscale": {at: 6, size: 1, shift: 4, mask: 15},
	"tcpi_delivery_rate_app_limited": {at: 7, size: 1, mask: 1},
	"tcpi_rto":                       {at: 8, size: 4}, "tcpi_ato": {at: 12, size: 4}, "tcpi_snd_mss": {at: 16, size: 4},
	"tcpi_rcv_mss": {at: 20, size: 4}, "tcpi_unacked": {at: 24, size: 4}, "tcpi_sacked": {at: 28, size: 4},
	"tcpi_lost": {at: 32, size: 4}, "tcpi_retrans": {at: 36, size: 4}, "tcpi_fackets": {at: 40, size: 4},
	"tcpi_last_data_sent": {at: 44, size: 4}, "tcpi_last_ack_sent": {at: 48, size: 4},
	"tcpi_last_data_recv": {at: 52, size: 4}, "tcpi_last_ack_recv": {at: 56, size: 4}, "tcpi_pmtu": {at: 60, size: 4},
	"tcpi_rcv_ssthresh": {at: 64, size: 4}, "tcpi_rtt": {at: 68, size: 4}, "tcpi_rttvar": {at: 72, size: 4},
	"tcpi_snd_ssthresh": {at: 76, size: 4}, "tcpi_snd_cwnd": {at: 80, size: 4}, "tcpi_advmss": {at: 84, size: 4},
	"tcpi_reordering": {at: 88, size: 4}, "tcpi_rcv_rtt": {at: 92, size: 4}, "tcpi_rcv_space": {at: 96, size: 4},
	"tcpi_total_retrans": {at: 100, size: 4}, "tcpi_pacing_rate": {at: 104, size: 8},
	"tcpi_max_pacing_rate": {at: 112, size: 8}, "tcpi_bytes_acked": {at: 120, size: 8},
	"tcpi_bytes_received": {at: 128, size: 8}, "tcpi_segs_out": {at: 136, size: 4}, "tcpi_segs_in": {at: 140, size: 4},
	"tcpi_notsent_bytes": {at: 144, size: 4}, "tcpi_min_rtt": {at: 148, size: 4}, "tcpi_data_segs_in": {at: 152, size: 4},
	"tcpi_data_segs_out": {at: 156, size: 4}, "tcpi_delivery_rate": {at: 160, size: 8}, "tcpi_busy_time": {at: 168, size: 8},
	"tcpi_rwnd_limited": {at: 176, size: 8}, "tcpi_sndbuf_limited": {at: 184, size: 8}, "tcpi_delivered": {at: 192, size: 4},
	"tcpi_delivered_ce": {at: 196, size: 4}, "tcpi_bytes_sent": {at: 200, size: 8}, "tcpi_bytes_retrans": {at: 208, size: 8},
	"tcpi_dsack_dups": {at: 216, size: 4}, "tcpi_reord_seen": {at: 220, size: 4}, "tcpi_snd_wnd": {at: 228, size: 4},
}

// sizeofInfo is as much of struct tcp_info as the table knows.
const sizeofInfo = 232

// value reads a field; ok is false if the kernel is older than it.
func (f infoField) value(b []byte) (n int64, ok bool) {
	if f.at+f.size > len(b) {
		return 0, false
	}
	switch b = b[f.at:]; f.size {
	case 1:
		n = int64(b[0] >> f.shift)
		if f.mask != 0 {
			n &= int64(f.mask)
		}
	case 4:
		n = int64(binary.NativeEndian.Uint32(b))
	case 8:
		n = int64(binary.NativeEndian.Uint64(b))
	}
	return n, true
}

// info asks the socket of the connection that packets without ports belong to.
// What no program holds any more has nothing but its state.
func (r *realSystem) info() func(name string) (int64, bool) {
	b := r.tcpInfo()
	return func(name string) (int64, bool) {
		if name == "tcpi_state" {
			return r.state(b), true
		}
		f, ok := realInfo[name]
		if !ok {
			return 0, false
		}
		return f.value(b)
	}
}

// tcpInfo is the struct tcp_info of the current socket, empty if there is none.
func (r *realSystem) tcpInfo() []byte {
	var s *realSock
	switch p := r.p; {
	case p.cur != nil:
		s = p.cur.real
	case p.curSock != nil:
		s = r.socks[p.curSock.fd]
	}
	if s == nil {
		return nil
	}
	const solTCP, tcpInfo = 6, 11
	c := &SystemCall{Name: "getsockopt", FD: s.real, Args: [3]int{solTCP, tcpInfo}, Buf: make([]byte, sizeofInfo)}
	if r.m.Begin(c); c.Errno != "" {
		return nil
	}
	return c.Buf
}

// state is that of the socket, or of the connection in the kernel's table: a
// socket whose connection waits in TIME-WAIT calls itself closed.
func (r *realSystem) state(info []byte) int64 {
	closed := infoConstants["TCP_CLOSE"]
	if len(info) > 0 && int64(info[0]) != closed {
		return int64(info[0])
	}
	f := r.p.cur
	if f == nil {
		return closed
	}
	st, err := r.m.State(f.local, f.remote)
	switch {
	case err != nil:
		r.fail(err)
	case st != 0:
		return int64(st)
	}
	return closed
}
