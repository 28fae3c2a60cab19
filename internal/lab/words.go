package lab

import "maps"

// Words says the phrases of a ladder in a language; nil is English.
func Words(l Lang) func(string) string {
	if l != Chinese {
		return nil
	}
	return func(s string) string {
		if w, ok := chinese[s]; ok {
			return w
		}
		return s
	}
}

// Phrase is an English phrase of ladders in both languages.
func Phrase(en string) Text {
	if zh, ok := chinese[en]; ok {
		return Text{en, zh}
	}
	return same(en)
}

// chinese are all phrases. It is never written to.
var chinese = chineseWords()

func chineseWords() map[string]string {
	words := ladderWords()
	for _, more := range []map[string]string{timerWords(), windowWords(), packetWords(), arrivalWords(), replyWords(), errorWords()} {
		maps.Copy(words, more)
	}
	return words
}

// ladderWords are those of ladders and of the scenarios' own notes.
func ladderWords() map[string]string {
	return map[string]string{
		"(again)":                 "(重传)",
		"(doubled)":               "(副本)",
		"lost":                    "丢失",
		"damaged: bad checksum":   "已损坏：检验和不对",
		cutText:                   "运行到此截断：报文段已超过 10 000 个",
		"the path is cut":         "路径中断",
		"the path is whole again": "路径恢复",
		"a forged SYN arrives":    "伪造的 SYN 到达",
		"a forged SYN,ACK arrives: ack=x+10000000":        "伪造的 SYN,ACK 到达：ack=x+10000000",
		"a forged third segment arrives: ack=y+10000000":  "伪造的第三个报文段到达：ack=y+10000000",
		"a RST arrives whose number fits":                 "一个序号吻合的 RST 到达",
		crashText:                                         "主机崩溃：内存内容全部丢失",
		"the host is up again, and remembers nothing":     "主机重新启动：什么都不记得了",
		"shim: B takes its own SYN,ACK for the last word": "垫片：B 发出 SYN,ACK 就算建立",
		"shim: the SYN arrives with 3 bytes of data":      "垫片：到达的 SYN 带有 3 字节数据",
	}
}

// timerWords are trace.TimerText.
func timerWords() map[string]string {
	return map[string]string{
		"no ACK in time: sending again":                         "没有按时收到确认：重传",
		"the peer's window is zero: probing":                    "对方窗口为零：发送探测",
		"no ACK in time, once too often: giving up":             "一直没有收到确认：放弃",
		"the peer's window stays zero: giving up":               "对方窗口一直为零：放弃",
		"silence, and no answer to any probe: the peer is dead": "没有动静，探测也没有回音：对方已经不在",
		"no answer to any SYN,ACK: giving up":                   "SYN,ACK 始终没有回音：放弃",
		"the delayed acknowledgement is due":                    "推迟的确认该发了",
		"silence: asking whether the peer is alive":             "长时间没有动静：探测对方是否还在",
		"the time given by the user is over":                    "规定的时间到了",
		"2 MSL are over: old segments are gone":                 "2MSL 已过：旧报文段都已消失",
		"no answer to the SYN,ACK: sending again":               "SYN,ACK 没有回音：重传",
	}
}

// windowWords are trace.WhyText.
func windowWords() map[string]string {
	return map[string]string{
		"nothing is in the way":                                                 "没有什么妨碍发送",
		"the peer's window is full: waiting for it to read":                     "对方的窗口已满：等它读取",
		"the congestion window is full: waiting for an acknowledgement":         "拥塞窗口已满：等待确认",
		"a small segment waits until what is in flight is acknowledged (Nagle)": "小报文段要等在途数据得到确认（Nagle）",
		"the peer's window is too small for a worthwhile segment":               "对方的窗口太小，不值得发一个报文段",
		"the sender holds it back (cork)":                                       "发送方有意攒着不发（cork）",
		"the link has no room":                                                  "链路没有空位",
		"there is nothing to send":                                              "没有数据要发",
		"duplicate acknowledgements tell of a loss: fast recovery began":        "重复确认表明有丢失：进入快恢复",
		"everything lost has been repaired: fast recovery is over":              "丢失的都已补上：快恢复结束",
		"no acknowledgement came in time: back to one segment":                  "没有按时收到确认：拥塞窗口退回一个报文段",
		"nothing was sent for a while: slow start begins again":                 "好一阵没有发送：重新慢开始",
		"the network marked a packet instead of dropping it (ECN): slower":      "网络没有丢弃分组，而是打了标记（ECN）：放慢",
		"the peer dropped what it had acknowledged selectively":                 "对方丢弃了已选择确认的数据",
		"the path takes smaller packets than thought: the segments shrink":      "路径能通过的分组比原以为的小：缩小报文段",
	}
}

// packetWords are trace.ReasonText of packets that reach no connection.
func packetWords() map[string]string {
	return map[string]string{
		"it was accepted": "已接受",
		"the packet is shorter than its headers say":            "分组比首部所说的短",
		"neither IPv4 nor IPv6":                                 "既不是 IPv4 也不是 IPv6",
		"the IP header's length can't be":                       "IP 首部长度不可能",
		"the IP header's checksum is wrong":                     "IP 首部检验和不对",
		"a fragment of a packet":                                "分组的一个分片",
		"nobody here speaks this protocol":                      "这里没有这种协议",
		"IPv6 extension headers that can't be followed":         "无法识别的 IPv6 扩展首部",
		"no host may have this source address":                  "任何主机都不会有这样的源地址",
		"the packet is for somebody else":                       "分组是给别人的",
		"source and destination are the same socket (LAND)":     "源和目的是同一个套接字（LAND 攻击）",
		"an ICMP message too short or of unknown type":          "ICMP 报文太短或类型未知",
		"the ICMP checksum is wrong":                            "ICMP 检验和不对",
		"the ICMP error quotes nothing that is in flight":       "ICMP 差错报文引用的不是在途的报文段",
		"the TCP header's length can't be":                      "TCP 首部长度不可能",
		"the TCP checksum is wrong":                             "TCP 检验和不对",
		"a TCP option whose length can't be":                    "TCP 选项长度不可能",
		"port 0 belongs to nobody":                              "0 号端口不属于任何人",
		"a reset for no connection":                             "没有连接可供复位",
		"nobody listens there: answered with a reset":           "无人监听：以 RST 作答",
		"a reset for a listener":                                "监听者收到的 RST",
		"an ACK without a connection: answered with a reset":    "没有这个连接：以 RST 作答",
		"flags that no listener has a use for":                  "监听者用不上的标志组合",
		"too many handshakes are under way":                     "半连接太多",
		"too many handshakes of this source are under way":      "该来源的半连接太多",
		"too many connections wait to be accepted":              "等待 accept 的连接太多",
		"it doesn't acknowledge our SYN: answered with a reset": "确认的不是我方的 SYN：以 RST 作答",
		"a reset that doesn't acknowledge our SYN":              "这个 RST 没有确认我方的 SYN",
		"neither SYN nor reset while connecting":                "正在连接，来的却既不是 SYN 也不是 RST",
	}
}

// arrivalWords are trace.ReasonText of segments of connections.
func arrivalWords() map[string]string {
	return map[string]string{
		"outside the receive window":                        "落在接收窗口之外",
		"an old timestamp: a segment from the past (PAWS)":  "时间戳太旧：来自过去的报文段（PAWS）",
		"a reset that isn't exact: challenged (RFC 5961)":   "RST 的序号不精确：要求核实（RFC 5961）",
		"a SYN on a live connection: challenged (RFC 5961)": "连接已存在又来 SYN：要求核实（RFC 5961）",
		"no ACK bit":                                                "没有 ACK 标志",
		"an acknowledgement from long ago":                          "很久以前的确认",
		"it acknowledges what was never sent":                       "确认了从未发送过的序号",
		"it doesn't acknowledge our SYN,ACK: answered with a reset": "确认的不是我方的 SYN,ACK：以 RST 作答",
		"data for a program that is gone: answered with a reset":    "程序已经不在：以 RST 作答",
		"data beyond the peer's FIN":                                "对方 FIN 之后的数据",
		"nothing in it that is new":                                 "没有新内容",
		"an old segment, absorbed by TIME-WAIT":                     "旧报文段，被 TIME-WAIT 吸收",
		"a reset in TIME-WAIT is ignored (RFC 1337)":                "TIME-WAIT 中不理会 RST（RFC 1337）",
		"no memory left for it":                                     "没有内存可以容纳它",
		"a bare ACK while the listener waits for data":              "监听者在等数据，来的却是纯 ACK",
	}
}

// replyWords are trace.ReasonText of replies that were not sent.
func replyWords() map[string]string {
	return map[string]string{
		"enough challenge ACKs for this second": "这一秒内的核实 ACK 已够多",
		"enough echo replies for this second":   "这一秒内的回送回答已够多",
		"larger than the link takes":            "超过链路所能通过的大小",
		"no room for the reply":                 "没有地方放回答",
		"no way back for the reply":             "回答无路可回",
	}
}

// errorWords are what programs are told.
func errorWords() map[string]string {
	return map[string]string{
		"no error":                  "没有出错",
		"connection reset by peer":  "连接被对方复位",
		"connection refused":        "连接被拒绝",
		"connection timed out":      "连接超时",
		"connection aborted":        "连接被放弃",
		"connection closing":        "连接正在关闭",
		"connection does not exist": "连接不存在",
		"not connected":             "尚未连接",
		"address in use":            "地址正在使用",
		"connect: address in use":   "connect：地址正在使用",
		"listen: address in use":    "listen：地址正在使用",
		"no local port is free":     "没有空闲的本地端口",
		"host unreachable":          "主机不可达",
		"network unreachable":       "网络不可达",
		"port unreachable":          "端口不可达",
		"memory limit reached":      "达到内存上限",
		"invalid argument":          "参数无效",
		"end of stream":             "数据流结束",
	}
}
