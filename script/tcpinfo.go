package script

import (
	"math"
	"time"

	"estab/tcp"
)

// The names that %{ }% blocks can use: those of Linux's struct tcp_info, as far
// as the engine knows what they mean, and the constants beside them.

// infoFacts is what the names of TCP_INFO are computed from.
type infoFacts struct {
	st  tcp.Status
	f   *flow
	set *setting
	now tcp.Time
}

// infoNames are the names of TCP_INFO. What Linux counts in segments is
// computed from bytes: a part of a segment counts as one. What was lost stays
// lost there when it is sent again.
var infoNames = map[string]func(i *infoFacts) int64{
	"tcpi_state":          func(i *infoFacts) int64 { return linuxStates[i.st.State] },
	"tcpi_ca_state":       (*infoFacts).caState,
	"tcpi_retransmits":    func(i *infoFacts) int64 { return int64(i.st.Retries) },
	"tcpi_probes":         func(i *infoFacts) int64 { return int64(i.st.Backoff) },
	"tcpi_backoff":        func(i *infoFacts) int64 { return int64(max(i.st.Backoff, i.st.Retries)) },
	"tcpi_options":        (*infoFacts).options,
	"tcpi_snd_wscale":     func(i *infoFacts) int64 { return int64(i.st.SndScale) },
	"tcpi_rcv_wscale":     func(i *infoFacts) int64 { return int64(i.st.RcvScale) },
	"tcpi_rto":            func(i *infoFacts) int64 { return int64(i.st.RTO / time.Microsecond) },
	"tcpi_snd_mss":        func(i *infoFacts) int64 { return int64(i.st.SMSS) },
	"tcpi_rcv_mss":        func(i *infoFacts) int64 { return int64(max(i.st.RMSS, min(536, i.st.PathMSS))) },
	"tcpi_unacked":        func(i *infoFacts) int64 { return i.segments(i.st.FlightSize) },
	"tcpi_sacked":         (*infoFacts).sacked,
	"tcpi_lost":           func(i *infoFacts) int64 { return i.segments(i.st.Lost + i.st.Retrans) },
	"tcpi_retrans":        func(i *infoFacts) int64 { return i.segments(i.st.Retrans) },
	"tcpi_last_data_sent": func(i *infoFacts) int64 { return int64(i.now.Sub(i.st.SentAt) / time.Millisecond) },
	"tcpi_last_ack_recv":  func(i *infoFacts) int64 { return int64(i.now.Sub(i.st.HeardAt) / time.Millisecond) },
	"tcpi_pmtu":           func(i *infoFacts) int64 { return int64(i.set.linkMTU()) },
	"tcpi_rtt":            func(i *infoFacts) int64 { return int64(i.st.SRTT / time.Microsecond) },
	"tcpi_rttvar":         func(i *infoFacts) int64 { return int64(i.st.RTTVar / time.Microsecond) },
	"tcpi_snd_ssthresh":   (*infoFacts).ssthresh,
	"tcpi_snd_cwnd":       func(i *infoFacts) int64 { return i.st64(i.st.Cwnd) },
	"tcpi_advmss":         (*infoFacts).advMSS,
	"tcpi_total_retrans":  func(i *infoFacts) int64 { return int64(i.f.counts.again) },
	"tcpi_bytes_acked":    func(i *infoFacts) int64 { return int64(uint32(i.st.SndUNA - i.st.ISS - 1)) },
	"tcpi_bytes_received": func(i *infoFacts) int64 { return int64(uint32(i.st.RcvNXT - i.st.IRS - 1)) },
	"tcpi_segs_out":       func(i *infoFacts) int64 { return int64(i.f.counts.segsOut) },
	"tcpi_segs_in":        func(i *infoFacts) int64 { return int64(i.f.counts.segsIn) },
	"tcpi_data_segs_out":  func(i *infoFacts) int64 { return int64(i.f.counts.dataSegsOut) },
	"tcpi_data_segs_in":   func(i *infoFacts) int64 { return int64(i.f.counts.dataSegsIn) },
	"tcpi_bytes_sent":     func(i *infoFacts) int64 { return int64(i.f.counts.bytesSent) },
	"tcpi_bytes_retrans":  func(i *infoFacts) int64 { return int64(i.f.counts.bytesAgain) },
	"tcpi_notsent_bytes":  func(i *infoFacts) int64 { return int64(i.st.Unsent) },
	"tcpi_min_rtt":        (*infoFacts).minRTT,

	// FreeBSD's.
	"tcpi_snd_wnd":   func(i *infoFacts) int64 { return int64(i.st.SndWND) },
	"tcpi_rcv_space": func(i *infoFacts) int64 { return int64(i.st.RcvWND) },
	"tcpi_snd_nxt":   func(i *infoFacts) int64 { return int64(uint32(i.st.SndNXT)) },
	"tcpi_rcv_nxt":   func(i *infoFacts) int64 { return int64(uint32(i.st.RcvNXT)) },
}

// infoConstants are the constants that stand beside them.
var infoConstants = map[string]int64{
	"TCP_ESTABLISHED": 1, "TCP_SYN_SENT": 2, "TCP_SYN_RECV": 3, "TCP_FIN_WAIT1": 4, "TCP_FIN_WAIT2": 5,
	"TCP_TIME_WAIT": 6, "TCP_CLOSE": 7, "TCP_CLOSE_WAIT": 8, "TCP_LAST_ACK": 9, "TCP_LISTEN": 10, "TCP_CLOSING": 11,
	"TCP_CA_Open": 0, "TCP_CA_Disorder": 1, "TCP_CA_CWR": 2, "TCP_CA_Recovery": 3, "TCP_CA_Loss": 4,
	"TCPI_OPT_TIMESTAMPS": 1, "TCPI_OPT_SACK": 2, "TCPI_OPT_WSCALE": 4, "TCPI_OPT_ECN": 8, "TCPI_OPT_ECN_SEEN": 16,
	"TCPI_OPT_SYN_DATA": 32, "TCP_INFINITE_SSTHRESH": math.MaxInt32,
}

var linuxStates = [...]int64{
	tcp.StateClosed: 7, tcp.StateListen: 10, tcp.StateSynSent: 2, tcp.StateSynReceived: 3, tcp.StateEstablished: 1,
	tcp.StateFinWait1: 4, tcp.StateFinWait2: 5, tcp.StateCloseWait: 8, tcp.StateClosing: 11, tcp.StateLastAck: 9,
	tcp.StateTimeWait: 6,
}

// segments is a number of bytes in segments.
func (i *infoFacts) segments(bytes uint32) int64 {
	mss := uint32(max(i.st.SMSS, 1))
	return int64((bytes + mss - 1) / mss)
}

// st64 is a window in whole segments.
func (i *infoFacts) st64(bytes uint32) int64 { return int64(bytes) / int64(max(i.st.SMSS, 1)) }

// sacked are the segments that the peer has SACKed or, where it can't, those
// that duplicate acknowledgements speak of.
func (i *infoFacts) sacked() int64 {
	if !i.st.SACK {
		return min(int64(i.st.DupAcks), max(i.segments(i.st.FlightSize)-1, 0))
	}
	return i.segments(i.st.Sacked)
}

func (i *infoFacts) caState() int64 {
	switch i.st.Recovery {
	case "recovery":
		return infoConstants["TCP_CA_Recovery"]
	case "loss":
		return infoConstants["TCP_CA_Loss"]
	case "cwr":
		return infoConstants["TCP_CA_CWR"]
	}
	if i.st.Sacked > 0 || i.st.DupAcks > 0 {
		return infoConstants["TCP_CA_Disorder"]
	}
	return infoConstants["TCP_CA_Open"]
}

func (i *infoFacts) options() int64 {
	n := int64(0)
	if i.st.Timestamps {
		n |= infoConstants["TCPI_OPT_TIMESTAMPS"]
	}
	if i.st.SACK {
		n |= infoConstants["TCPI_OPT_SACK"]
	}
	if i.st.Scaling {
		n |= infoConstants["TCPI_OPT_WSCALE"]
	}
	if i.st.ECN {
		n |= infoConstants["TCPI_OPT_ECN"]
	}
	return n
}

func (i *infoFacts) ssthresh() int64 {
	if i.st.Ssthresh >= math.MaxInt32 {
		return math.MaxInt32
	}
	return i.st64(i.st.Ssthresh)
}

// advMSS is the size of segments that the stack has announced.
func (i *infoFacts) advMSS() int64 {
	mss := int64(i.set.linkMTU() - i.set.family.headers())
	if i.f.sock != nil {
		if n := i.f.sock.ints["TCP_MAXSEG"]; n > 0 {
			mss = min(mss, n)
		}
	}
	return mss
}

func (i *infoFacts) minRTT() int64 {
	if i.f.minRTT == 0 {
		return math.MaxUint32
	}
	return int64(i.f.minRTT / time.Microsecond)
}

// unknownInfo are the names of TCP_INFO that exist and have no match here.
var unknownInfo = map[string]string{
	"tcpi_ato": "", "tcpi_fackets": "", "tcpi_rcv_ssthresh": "", "tcpi_rcv_rtt": "",
	"tcpi_last_ack_sent": "", "tcpi_last_data_recv": "",
	"tcpi_reordering":                "estab measures no degree of reordering (RACK's)",
	"tcpi_reord_seen":                "estab measures no degree of reordering (RACK's)",
	"tcpi_pacing_rate":               "estab does not pace",
	"tcpi_max_pacing_rate":           "estab does not pace",
	"tcpi_delivery_rate":             "estab measures no rate of delivery",
	"tcpi_delivery_rate_app_limited": "estab measures no rate of delivery",
	"tcpi_delivered":                 "estab measures no rate of delivery",
	"tcpi_delivered_ce":              whyAccECN,
	"tcpi_busy_time":                 "estab keeps no account of what limits a sender",
	"tcpi_rwnd_limited":              "estab keeps no account of what limits a sender",
	"tcpi_sndbuf_limited":            "estab keeps no account of what limits a sender",
	"tcpi_dsack_dups":                "estab does not count the duplicates that a peer reports",
}

// code runs a %{ }% block.
func (p *player) code(c *Code) *failed {
	prog := p.plan.code[c]
	info := p.sys.info()
	env := Env{
		Lookup: func(name string) (Value, bool) {
			if n, ok := infoConstants[name]; ok {
				return IntValue(n), true
			}
			n, ok := info(name)
			return IntValue(n), ok
		},
		Print: func(line string) {
			if len(p.printed) < 1000 {
				p.printed = append(p.printed, line)
			}
		},
	}
	err := prog.Run(env)
	if err == nil {
		return nil
	}
	e, _ := err.(*Error)
	f := p.failAt(c.Pos, "%v", err)
	if e != nil {
		f.err = e
		if e.Kind == UnknownName {
			f.err = p.script.Errorf(Mismatch, e.Pos, "no program holds the connection any more (or yet), so that only tcpi_state is known")
		}
	}
	return f
}
