package lab

import "time"

// Specs are all parameters, in the order in which they are shown.
func Specs() []Spec {
	const ms, s = int64(time.Millisecond), int64(time.Second)
	span := func(name string, g Group, lo, hi int64, title, help Text, f func(p *Params) *time.Duration) Spec {
		return Spec{Name: name, Kind: KindTime, Group: g, Min: lo, Max: hi, Title: title, Help: help, field: func(p *Params) any { return f(p) }}
	}
	number := func(name string, k SpecKind, g Group, lo, hi int64, title, help Text, f func(p *Params) *int) Spec {
		return Spec{Name: name, Kind: k, Group: g, Min: lo, Max: hi, Title: title, Help: help, field: func(p *Params) any { return f(p) }}
	}
	toggle := func(name string, g Group, title, help Text, f func(p *Params) *Switch) Spec {
		return Spec{Name: name, Kind: KindSwitch, Group: g, Title: title, Help: help, field: func(p *Params) any { return f(p) }}
	}
	return []Spec{
		{Name: "seed", Kind: KindCount, Group: GroupTime, Max: 1<<63 - 1, Title: t("Seed", "种子"),
			Help: t("seed of the world: secrets, and the path's luck", "世界的种子：密钥，以及路径的运气"), field: func(p *Params) any { return &p.Seed }},
		span("msl", GroupTime, ms, 600*s, t("MSL", "MSL"),
			t("maximum segment lifetime; TIME-WAIT lasts two", "报文段最长寿命；TIME-WAIT 持续两个 MSL"), func(p *Params) *time.Duration { return &p.MSL }),
		span("delay", GroupPath, 0, 60*s, t("Delay", "时延"),
			t("of the path, one way", "路径的单程时延"), func(p *Params) *time.Duration { return &p.Delay }),
		{Name: "path", Kind: KindPath, Group: GroupPath, Title: t("The path besides", "路径的其他性质"),
			Help:  t(`what the path does besides, in tc-netem's words: "loss 5% reorder 2% rate 4mbit limit 20"`, "路径的其他性质，用 tc-netem 的写法：“loss 5% reorder 2% rate 4mbit limit 20”"),
			field: func(p *Params) any { return &p.Path }},
		span("rto", GroupTime, ms, 60*s, t("First RTO", "初始 RTO"),
			t("retransmission time-out before a round trip was measured (default 1s)", "测得往返时间之前的超时重传时间（默认 1s）"), func(p *Params) *time.Duration { return &p.RTO }),
		span("rto-min", GroupTime, ms, 60*s, t("Shortest RTO", "最短 RTO"),
			t("shortest retransmission time-out (default 1s)", "最短的超时重传时间（默认 1s）"), func(p *Params) *time.Duration { return &p.RTOMin }),
		span("delayed-ack", GroupTime, ms, s/2, t("Delayed ACK", "推迟确认"),
			t("how long an acknowledgement may wait for company (default 40ms)", "确认最多推迟多久（默认 40ms）"), func(p *Params) *time.Duration { return &p.DelayedAck }),
		number("syn-retries", KindCount, GroupHandshake, 0, 15, t("SYN repeats", "SYN 重传次数"),
			t("repeats of a SYN", "SYN 的重传次数"), func(p *Params) *int { return &p.SynRetries }),
		number("synack-retries", KindCount, GroupHandshake, 0, 14, t("SYN,ACK repeats", "SYN,ACK 重传次数"),
			t("repeats of a SYN,ACK", "SYN,ACK 的重传次数"), func(p *Params) *int { return &p.SynAckRetries }),
		number("retries", KindCount, GroupTime, 0, 15, t("Other repeats", "其他重传次数"),
			t("repeats of any other segment", "其他报文段的重传次数"), func(p *Params) *int { return &p.Retries }),
		toggle("two-way", GroupHandshake, t("Two-way handshake", "两次握手"),
			t("B believes in a connection as soon as it has sent its SYN,ACK", "B 发出 SYN,ACK 就算建立连接"), func(p *Params) *Switch { return &p.TwoWay }),
		toggle("time-wait", GroupClosing, t("TIME-WAIT", "TIME-WAIT（时间等待）"),
			t("wait for 2 MSL after the last ACK", "最后的 ACK 之后等待 2MSL"), func(p *Params) *Switch { return &p.TimeWait }),
		number("window", KindBytes, GroupFlow, 536, 4<<20, t("Receive buffer", "接收缓存"),
			t("bytes of receive buffer, which bounds the window", "接收缓存的字节数，窗口不会超过它"), func(p *Params) *int { return &p.Window }),
		{Name: "congestion", Kind: KindChoice, Group: GroupFlow, Choices: []string{"cubic", "reno"}, Title: t("Congestion control", "拥塞控制"),
			Help: t("congestion control: cubic or reno", "拥塞控制：cubic 或 reno"), field: func(p *Params) any { return &p.Congestion }},
		toggle("sack", GroupFlow, t("SACK", "选择确认 SACK"),
			t("selective acknowledgements", "选择确认"), func(p *Params) *Switch { return &p.SACK }),
		toggle("timestamps", GroupFlow, t("Timestamps", "时间戳"),
			t("timestamps in every segment", "每个报文段都带时间戳"), func(p *Params) *Switch { return &p.Timestamps }),
		number("backlog", KindCount, GroupDefence, 1, 1<<20, t("Half-open records", "半连接表大小"),
			t("how many half-open connections there may be", "最多容纳多少个半连接"), func(p *Params) *int { return &p.Backlog }),
		toggle("cookies", GroupDefence, t("SYN cookies", "SYN cookie"),
			t("answer without a record when the table is full", "表满时不记录就作答"), func(p *Params) *Switch { return &p.Cookies }),
		toggle("eviction", GroupDefence, t("Evict the oldest", "挤掉最旧的记录"),
			t("without cookies, the oldest record makes room", "没有 cookie 时，为新来者挤掉最旧的记录"), func(p *Params) *Switch { return &p.Eviction }),
		toggle("shorter-wait", GroupDefence, t("Shorter wait under pressure", "压力之下缩短等待"),
			t("records wait for a shorter time when the table fills up", "表快满时缩短每条记录的等待时间"), func(p *Params) *Switch { return &p.ShorterWait }),
		toggle("source-limit", GroupDefence, t("Limit for a source", "来源限额"),
			t("limit what one source may have half-open", "限制同一来源的半连接数"), func(p *Params) *Switch { return &p.SourceLimit }),
		toggle("drop-sources", GroupDefence, t("Drop over the limit", "超额即丢弃"),
			t("drop what is over a source's limit, where otherwise a cookie answers it", "来源超过限额时直接丢弃，而不是发 cookie"), func(p *Params) *Switch { return &p.DropSources }),
	}
}
