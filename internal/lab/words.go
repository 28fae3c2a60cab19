package lab

// Words says the phrases of a ladder in a language; nil is English.
func Words(l Lang) func(string) string {
	if l != Chinese {
		return nil
	}
	words := chineseWords()
	return func(s string) string {
		if w, ok := words[s]; ok {
			return w
		}
		return s
	}
}

func chineseWords() map[string]string {
	return map[string]string{
		"a forged SYN arrives":                           "伪造的 SYN 到达",
		"a forged SYN,ACK arrives: ack=x+10000000":       "伪造的 SYN,ACK 到达：ack=x+10000000",
		"a forged third segment arrives: ack=y+10000000": "伪造的第三个报文段到达：ack=y+10000000",
		"a RST arrives whose number fits":                "一个序号吻合的 RST 到达",
		"(again)":                                        "(重传)", "(doubled)": "(副本)",
		"lost":                                                      "丢失",
		"no ACK in time: sending again":                             "没有按时收到确认：重传",
		"the peer's window is zero: probing":                        "对方窗口为零：发送探测",
		"silence: asking whether the peer is alive":                 "长时间没有动静：探测对方是否还在",
		"the time given by the user is over":                        "规定的时间到了",
		"2 MSL are over: old segments are gone":                     "2MSL 已过：旧报文段都已消失",
		"no answer to the SYN,ACK: sending again":                   "SYN,ACK 没有回音：重传",
		"damaged: bad checksum":                                     "已损坏：检验和不对",
		"nobody listens there: answered with a reset":               "无人监听：以 RST 作答",
		"an ACK without a connection: answered with a reset":        "没有这个连接：以 RST 作答",
		"a reset for no connection":                                 "没有连接可供复位",
		"too many handshakes are under way":                         "半连接太多",
		"too many handshakes of this source are under way":          "该来源的半连接太多",
		"too many connections wait to be accepted":                  "等待 accept 的连接太多",
		"it doesn't acknowledge our SYN: answered with a reset":     "确认的不是我方的 SYN：以 RST 作答",
		"a reset that doesn't acknowledge our SYN":                  "这个 RST 没有确认我方的 SYN",
		"outside the receive window":                                "落在接收窗口之外",
		"an old timestamp: a segment from the past (PAWS)":          "时间戳太旧：来自过去的报文段（PAWS）",
		"a reset that isn't exact: challenged (RFC 5961)":           "RST 的序号不精确：要求核实（RFC 5961）",
		"a SYN on a live connection: challenged (RFC 5961)":         "连接已存在又来 SYN：要求核实（RFC 5961）",
		"an acknowledgement from long ago":                          "很久以前的确认",
		"it acknowledges what was never sent":                       "确认了从未发送过的序号",
		"it doesn't acknowledge our SYN,ACK: answered with a reset": "确认的不是我方的 SYN,ACK：以 RST 作答",
		"data for a program that is gone: answered with a reset":    "程序已经不在：以 RST 作答",
		"nothing in it that is new":                                 "没有新内容",
		"an old segment, absorbed by TIME-WAIT":                     "旧报文段，被 TIME-WAIT 吸收",
		"a reset in TIME-WAIT is ignored (RFC 1337)":                "TIME-WAIT 中不理会 RST（RFC 1337）",
		"enough challenge ACKs for this second":                     "这一秒内的核实 ACK 已够多",
		"connection reset by peer":                                  "连接被对方复位",
		"connection refused":                                        "连接被拒绝",
		"connection timed out":                                      "连接超时",
		"connection aborted":                                        "连接被放弃",
		"connect: address in use":                                   "connect：地址正在使用",
		"the host goes down: its memory is lost":                    "主机崩溃：内存内容全部丢失",
		"the host is up again, and remembers nothing":               "主机重新启动：什么都不记得了",
		"shim: B takes its own SYN,ACK for the last word":           "垫片：B 发出 SYN,ACK 就算建立",
		"shim: the SYN arrives with 3 bytes of data":                "垫片：到达的 SYN 带有 3 字节数据",
	}
}
