package script

import (
	"strconv"
	"strings"
	"time"
)

// Kernel settings that scripts make, and what they mean to the engine. A
// setting that asks for what estab does not do makes a script not applicable;
// so does one that is not in these tables.

// sysctl is one setting: it takes the value, and says why it can't be obeyed.
type sysctl func(x *setting, v sysctlValue) (reason string)

// sysctlValue is what a setting is set to: one number or several.
type sysctlValue struct {
	text string
	n    []int64
}

func parseSysctlValue(text string) sysctlValue {
	v := sysctlValue{text: strings.TrimSpace(text)}
	for _, w := range strings.FieldsFunc(v.text, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		n, err := strconv.ParseInt(w, 0, 64)
		if err != nil {
			break
		}
		v.n = append(v.n, n)
	}
	return v
}

// first is the first number, or -1.
func (v sysctlValue) first() int64 {
	if len(v.n) == 0 {
		return -1
	}
	return v.n[0]
}

// ignored is a setting that concerns nothing that estab has.
func ignored(*setting, sysctlValue) string { return "" }

// only accepts these values, all of which are what estab does anyway.
func only(why string, values ...int64) sysctl {
	return func(_ *setting, v sysctlValue) string {
		for _, n := range values {
			if v.first() == n {
				return ""
			}
		}
		return why
	}
}

// ecn is Linux's tcp_ecn and FreeBSD's ecn.enable: off, offered, taken.
func ecn(x *setting, v sysctlValue) string {
	switch v.first() {
	case 0:
		x.tcp.ECN = -1
	case 1:
		x.tcp.ECN = 1
	case 2:
		x.tcp.ECN = 0
	default:
		return whyAccECN
	}
	return ""
}

// number is a setting whose value goes into a field. What is larger than any
// use of it would only overflow somewhere.
func number(set func(x *setting, n int)) sysctl {
	return func(x *setting, v sysctlValue) string {
		n := v.first()
		if n < 0 || n > 1<<30 {
			return "a number up to 2^30 is wanted"
		}
		set(x, int(n))
		return ""
	}
}

// durationIn is a setting in the given unit, of up to a day. Zero means the
// shortest.
func durationIn(unit time.Duration, set func(x *setting, d time.Duration)) sysctl {
	return number(func(x *setting, n int) { set(x, min(max(time.Duration(n)*unit, 1), 24*time.Hour)) })
}

// retries makes a number of repeats one for the engine, where 0 is the default.
func retries(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

func congestion(x *setting, v sysctlValue) string {
	switch v.text {
	case "cubic":
		x.tcp.Congestion = "cubic"
	case "reno", "newreno":
		x.tcp.Congestion = "reno"
	default:
		return "estab has cubic and reno"
	}
	return ""
}

// applySysctl finds a setting by its name, dots or slashes between its parts.
func (x *setting) applySysctl(name, value string) (reason string) {
	name = strings.ReplaceAll(strings.TrimPrefix(name, "/proc/sys/"), "/", ".")
	v := parseSysctlValue(value)
	for _, table := range [...]map[string]sysctl{linuxSysctls, freeBSDSysctls} {
		if f, ok := table[name]; ok {
			return f(x, v)
		}
	}
	for _, prefix := range ignoredSysctls {
		if strings.HasPrefix(name, prefix) {
			return ""
		}
	}
	return "it is not known here"
}

// ignoredSysctls are beginnings of names of settings that concern nothing that
// estab has or that a script could see.
var ignoredSysctls = [...]string{
	"net.inet.tcp.hostcache.", "net.inet.tcp.log", "net.inet.tcp.bb.", "net.inet.tcp.fastopen.", "net.inet.tcp.syncache.",
	"net.inet.icmp.", "net.inet6.icmp6.", "net.inet.tcp.reass.", "net.ipv4.tcp_pacing_", "net.ipv4.tcp_fastopen",
	"net.ipv4.tcp_comp_sack_", "net.inet.tcp.rack.", "net.inet.tcp.lro", "net.ipv6.conf.", "net.ipv4.conf.",
	"net.mptcp.", "net.core.bpf", "net.ipv4.icmp",
}

const (
	whyInsecure = "estab keeps RFC 5961's defences"
	whyAccECN   = "estab has RFC 3168's ECN and not AccECN (RFC 9768)"
)

var linuxSysctls = map[string]sysctl{
	"net.ipv4.tcp_rmem": func(x *setting, v sysctlValue) string {
		if len(v.n) != 3 || v.n[1] < 1 || v.n[2] > 1<<30 {
			return "three numbers are wanted"
		}
		x.recvMemory(int(v.n[1]), int(v.n[2]))
		return ""
	},
	"net.ipv4.tcp_wmem": func(x *setting, v sysctlValue) string {
		if len(v.n) != 3 || v.n[1] < 1 || v.n[2] > 1<<30 {
			return "three numbers are wanted"
		}
		x.sendMemory(int(v.n[1]), int(v.n[2]))
		return ""
	},
	"net.ipv4.tcp_timestamps":       number(func(x *setting, n int) { x.tcp.NoTimestamps = n == 0 }),
	"net.ipv4.tcp_sack":             number(func(x *setting, n int) { x.tcp.NoSACK = n == 0 }),
	"net.ipv4.tcp_window_scaling":   number(func(x *setting, n int) { x.tcp.NoWindowScaling = n == 0 }),
	"net.ipv4.tcp_syn_retries":      number(func(x *setting, n int) { x.tcp.SynRetries = retries(n) }),
	"net.ipv4.tcp_synack_retries":   number(func(x *setting, n int) { x.tcp.SynAckRetries = retries(n) }),
	"net.ipv4.tcp_retries1":         number(func(x *setting, n int) { x.tcp.Retries1 = retries(n) }),
	"net.ipv4.tcp_retries2":         number(func(x *setting, n int) { x.tcp.Retries2 = retries(n) }),
	"net.ipv4.tcp_orphan_retries":   number(func(x *setting, n int) { x.tcp.OrphanRetries = n }), // 0: 8
	"net.ipv4.tcp_fin_timeout":      durationIn(time.Second, func(x *setting, d time.Duration) { x.tcp.FinWait2Timeout = d }),
	"net.ipv4.tcp_keepalive_time":   durationIn(time.Second, func(x *setting, d time.Duration) { x.keep.Idle = d }),
	"net.ipv4.tcp_keepalive_intvl":  durationIn(time.Second, func(x *setting, d time.Duration) { x.keep.Interval = d }),
	"net.ipv4.tcp_keepalive_probes": number(func(x *setting, n int) { x.keep.Count = n }),
	"net.ipv4.tcp_rto_min_us":       durationIn(time.Microsecond, func(x *setting, d time.Duration) { x.tcp.RTOMin = d }),
	"net.ipv4.tcp_rto_max_ms":       durationIn(time.Millisecond, func(x *setting, d time.Duration) { x.tcp.RTOMax = d }),
	"net.ipv4.tcp_invalid_ratelimit": number(func(x *setting, n int) {
		x.tcp.ChallengeAckWait = time.Duration(n) * time.Millisecond
		if n == 0 {
			x.tcp.ChallengeAckWait = -1
		}
	}),
	"net.ipv4.tcp_challenge_ack_limit":          number(func(x *setting, n int) { x.tcp.ChallengeAcks = retries(n) }),
	"net.ipv4.tcp_congestion_control":           congestion,
	"net.ipv4.tcp_slow_start_after_idle":        number(func(x *setting, n int) { x.slowStartAfterIdle(n != 0) }),
	"net.ipv4.tcp_notsent_lowat":                func(x *setting, v sysctlValue) string { x.notSentLowat = lowat(v.first()); return "" },
	"net.ipv4.tcp_dsack":                        only("estab always reports duplicates (RFC 2883)", 1),
	"net.ipv4.tcp_reordering":                   only("estab's threshold is 3 (RFC 6675)", 3),
	"net.ipv4.tcp_ecn":                          ecn,
	"net.ipv4.tcp_syncookies":                   only("estab sends cookies only when it must", 0, 1),
	"net.ipv4.tcp_abort_on_overflow":            only("estab leaves a full queue to the peer's repeats", 0),
	"net.ipv4.tcp_mtu_probing":                  only("estab does not probe for the path's MTU (RFC 4821)", 0),
	"net.ipv4.tcp_shrink_window":                only("estab never takes back what a window has offered", 0),
	"net.ipv4.tcp_moderate_rcvbuf":              number(func(x *setting, n int) { x.tcp.FixedBuffers = n == 0 }),
	"net.ipv4.tcp_thin_linear_timeouts":         only("estab backs off always (RFC 6298)", 0),
	"net.ipv4.tcp_thin_dupack":                  only("estab's threshold is 3 (RFC 6675)", 0),
	"net.ipv4.tcp_stdurg":                       only("estab's urgent pointer is RFC 6093's", 0),
	"net.ipv4.tcp_autocorking":                  ignored,
	"net.ipv4.tcp_early_retrans":                ignored,
	"net.ipv4.tcp_recovery":                     ignored,
	"net.ipv4.tcp_frto":                         ignored,
	"net.ipv4.tcp_fack":                         ignored,
	"net.ipv4.tcp_max_reordering":               ignored,
	"net.ipv4.tcp_min_tso_segs":                 ignored,
	"net.ipv4.tcp_tso_win_divisor":              ignored,
	"net.ipv4.tcp_tso_rtt_log":                  ignored,
	"net.ipv4.tcp_limit_output_bytes":           ignored,
	"net.ipv4.tcp_no_metrics_save":              ignored,
	"net.ipv4.tcp_no_ssthresh_metrics_save":     ignored,
	"net.ipv4.tcp_min_rtt_wlen":                 ignored,
	"net.ipv4.tcp_ecn_fallback":                 ignored,
	"net.ipv4.tcp_adv_win_scale":                ignored,
	"net.ipv4.tcp_app_win":                      ignored,
	"net.ipv4.tcp_max_syn_backlog":              ignored,
	"net.ipv4.tcp_tw_reuse":                     ignored,
	"net.ipv4.tcp_rfc1337":                      ignored,
	"net.ipv4.tcp_retrans_collapse":             ignored,
	"net.ipv4.tcp_low_latency":                  ignored,
	"net.ipv4.tcp_base_mss":                     ignored,
	"net.ipv4.tcp_min_snd_mss":                  ignored,
	"net.ipv4.tcp_workaround_signed_windows":    ignored,
	"net.ipv4.tcp_available_congestion_control": ignored,
	"net.ipv4.tcp_allowed_congestion_control":   ignored,
	"net.ipv4.ip_local_port_range":              ignored,
	"net.ipv4.ip_no_pmtu_disc":                  only("estab discovers the path's MTU (RFC 1191)", 0),
	"net.ipv4.ip_nonlocal_bind":                 ignored,
	"net.core.rmem_max":                         ignored,
	"net.core.wmem_max":                         ignored,
	"net.core.rmem_default":                     ignored,
	"net.core.wmem_default":                     ignored,
	"net.core.somaxconn":                        ignored,
	"net.core.default_qdisc":                    only("pacing", -1),
}

// lowat is a mark below which a socket is writable; -1 is none.
func lowat(n int64) int64 {
	if n <= 0 || n >= 1<<31-1 {
		return -1
	}
	return n
}

// linuxDefaults is what google's common/defaults.sh sets.
func (x *setting) linuxDefaults() {
	x.recvMemory(540000, 15<<20)
	x.sendMemory(256<<10, 4194304)
	x.tcp.SynRetries, x.tcp.SynAckRetries = 5, 5
	x.tcp.NoTimestamps, x.tcp.NoSACK, x.tcp.NoWindowScaling = false, false, false
	x.tcp.Congestion = "cubic"
	x.tcp.InitialWindow = 10
	x.slowStartAfterIdle(false)
}

var freeBSDSysctls = map[string]sysctl{
	"net.inet.tcp.rfc1323": number(func(x *setting, n int) {
		x.tcp.NoTimestamps, x.tcp.NoWindowScaling = n == 0 || n == 2, n == 0 || n == 3
	}),
	"net.inet.tcp.sack.enable":               number(func(x *setting, n int) { x.tcp.NoSACK = n == 0 }),
	"net.inet.tcp.recvspace":                 number(func(x *setting, n int) { x.recvBuf, x.tcp.ReceiveBuffer = n, n }),
	"net.inet.tcp.sendspace":                 number(func(x *setting, n int) { x.sendBuf, x.tcp.SendBuffer = n, n }),
	"kern.ipc.maxsockbuf":                    number(func(x *setting, n int) { x.tcp.ReceiveBufferMax, x.tcp.SendBufferMax = n, n }),
	"net.inet.tcp.delayed_ack":               number(func(x *setting, n int) { x.delayedAck(n != 0) }),
	"net.inet.tcp.delacktime":                durationIn(time.Millisecond, func(x *setting, d time.Duration) { x.tcp.DelayedAck = d }),
	"net.inet.tcp.msl":                       durationIn(time.Millisecond, func(x *setting, d time.Duration) { x.tcp.MSL = d }),
	"net.inet.tcp.rexmit_initial":            durationIn(time.Millisecond, func(x *setting, d time.Duration) { x.tcp.RTOInitial = d }),
	"net.inet.tcp.rexmit_min":                durationIn(time.Millisecond, func(x *setting, d time.Duration) { x.tcp.RTOMin = d }),
	"net.inet.tcp.finwait2_timeout":          durationIn(time.Millisecond, func(x *setting, d time.Duration) { x.tcp.FinWait2Timeout = d }),
	"net.inet.tcp.keepidle":                  durationIn(time.Millisecond, func(x *setting, d time.Duration) { x.keep.Idle = d }),
	"net.inet.tcp.keepintvl":                 durationIn(time.Millisecond, func(x *setting, d time.Duration) { x.keep.Interval = d }),
	"net.inet.tcp.keepcnt":                   number(func(x *setting, n int) { x.keep.Count = n }),
	"net.inet.tcp.initcwnd_segments":         number(func(x *setting, n int) { x.tcp.InitialWindow = min(n, 1<<16) }),
	"net.inet.tcp.cc.algorithm":              congestion,
	"net.inet.tcp.syncache.rexmtlimit":       number(func(x *setting, n int) { x.tcp.SynAckRetries = retries(n) }),
	"net.inet.tcp.retries":                   number(func(x *setting, n int) { x.tcp.Retries2 = retries(n) }),
	"net.inet.tcp.insecure_rst":              only(whyInsecure, 0),
	"net.inet.tcp.insecure_syn":              only(whyInsecure, 0),
	"net.inet.tcp.insecure_ack":              only(whyInsecure, 0),
	"net.inet.tcp.blackhole":                 only("estab answers what nobody listens for with a reset", 0),
	"net.inet.tcp.ecn.enable":                ecn,
	"net.inet.tcp.syncookies":                ignored,
	"net.inet.tcp.syncookies_only":           only("estab sends cookies only when it must", 0),
	"net.inet.tcp.fast_finwait2_recycle":     only("estab's FIN-WAIT-2 has one time", 0),
	"net.inet.tcp.tolerate_missing_ts":       only("estab tolerates segments without timestamps", 1),
	"net.inet.tcp.always_keepalive":          ignored,
	"net.inet.tcp.nolocaltimewait":           ignored,
	"net.inet.tcp.drop_synfin":               ignored,
	"net.inet.tcp.rfc3042":                   ignored,
	"net.inet.tcp.rfc3390":                   ignored,
	"net.inet.tcp.rfc3465":                   ignored,
	"net.inet.tcp.rfc6675_pipe":              ignored,
	"net.inet.tcp.abc_l_var":                 ignored,
	"net.inet.tcp.do_prr":                    ignored,
	"net.inet.tcp.tso":                       ignored,
	"net.inet.tcp.minmss":                    ignored,
	"net.inet.tcp.icmp_may_rst":              ignored,
	"net.inet.tcp.path_mtu_discovery":        only("estab discovers the path's MTU (RFC 1191)", 1),
	"net.inet.tcp.pmtud_blackhole_detection": ignored,
	"net.inet.tcp.maxtcptw":                  ignored,
	"net.inet.tcp.rexmit_slop":               ignored,
	"net.inet.tcp.rexmit_drop_options":       ignored,
	"net.inet.tcp.recvbuf_auto":              ignored,
	"net.inet.tcp.sendbuf_auto":              ignored,
	"net.inet.tcp.recvbuf_max":               ignored,
	"net.inet.tcp.sendbuf_max":               ignored,
	"net.inet.tcp.functions_default": func(_ *setting, v sysctlValue) string {
		if v.text != "freebsd" {
			return "estab has one stack"
		}
		return ""
	},
	"net.inet.tcp.functions_inherit_listen_socket_stack": ignored,
	"net.inet.tcp.ack_war_timewindow":                    ignored,
	"net.inet.tcp.ack_war_cnt":                           ignored,
	"net.inet.tcp.v6mssdflt":                             ignored,
	"net.inet.tcp.mssdflt":                               ignored,
	"net.inet.tcp.sack.maxholes":                         ignored,
	"net.inet.tcp.sack.globalmaxholes":                   ignored,
	"net.inet.tcp.sack.revised":                          ignored,
	"net.inet.tcp.sack.lrd":                              ignored,
	"net.inet.tcp.newcwv":                                ignored,
	"net.inet.tcp.udp_tunneling_port":                    only("estab's segments travel in IP", 0),
	"kern.ipc.soacceptqueue":                             ignored,
	"kern.ipc.nmbclusters":                               ignored,
}

func (x *setting) delayedAck(on bool) {
	if on {
		x.tcp.DelayedAck = 0
	} else {
		x.tcp.DelayedAck = -1
	}
}
