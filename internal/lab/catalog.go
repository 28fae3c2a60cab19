package lab

import "estab/tcp"

// Sizes are what connections take in memory, in bytes.
func Sizes() map[string]int {
	return map[string]int{"tcb": tcbBytes, "halfOpen": halfOpenBytes, "timeWait": timeWaitBytes, "tableEntry": tableBytes, "classicBuffers": classicBuffers}
}

// Foremost are the parameters that are worth trying in a scenario.
func (s *Scenario) Foremost() []string {
	switch s.Section {
	case 1:
		return []string{"delay", "rto", "syn-retries", "synack-retries", "two-way"}
	case 2:
		return []string{"two-way", "synack-retries", "msl", "time-wait"}
	case 3:
		return []string{"backlog", "cookies", "eviction", "shorter-wait", "source-limit", "drop-sources", "synack-retries"}
	case 4, 5, 6:
		return []string{"msl", "time-wait", "delay", "rto", "retries"}
	case 7:
		return []string{"window", "path", "delay", "sack", "congestion", "rto-min", "retries"}
	}
	return []string{"delay", "path", "msl", "window", "two-way", "time-wait", "rto", "retries"}
}

// ScriptWord is a line of the script language, and what it does.
type ScriptWord struct {
	Form string
	Help Text
}

// ScriptWords are the lines that a script can have.
func ScriptWords() []ScriptWord {
	return []ScriptWord{
		{"0 B listen", t("be ready to accept connections", "准备接受连接：被动打开")},
		{"10ms A connect", t("open a connection to the other host; connect 40001: from that port", "向对方建立连接：主动打开；connect 40001 表示从该端口")},
		{`1s A send "hello"`, t("send these bytes; send 20000: so many", "发送这些字节；send 20000 表示发送这么多字节")},
		{"2s A shut", t("close one direction: a FIN follows what was sent", "关闭一个方向：数据发完之后发 FIN")},
		{"2s A close", t("give the connection up in order", "正常释放连接")},
		{"2s A abort", t("give it up with a RST", "用 RST 放弃连接")},
		{"0 B stop-reading", t("stop reading: the window closes", "停止读取：窗口会关闭")},
		{"3s B read", t("go on reading", "继续读取")},
		{"0 A nodelay", t("switch Nagle's algorithm off", "关闭 Nagle 算法")},
		{"0 A keep-alive", t("probe after 60 s of silence, three times", "静默 60 秒后探测，最多三次")},
		{`0 B on-accept send "hi"`, t("greet whoever connects", "有人连上时先发送这些")},
		{"0 B on-eof close 2s", t("close 2 s after the peer's FIN was read; also on-eof shut", "读到对方的 FIN 之后 2 秒关闭；也可用 on-eof shut")},
		{"4s A crash", t("the host goes down and loses its memory", "主机崩溃，内存全部丢失")},
		{"5s A restart", t("it boots again", "主机重新启动")},
		{"4s net cut", t("the path carries nothing any more; net join mends it", "路径中断；net join 使其恢复")},
		{"lose A:2", t("lose the second segment that A sends; also A:3-7, A:3-, A:FIN", "丢掉 A 发出的第二个报文段；也可写 A:3-7、A:3-、A:FIN")},
		{"delay A:1 5s", t("it takes so long", "让它在途中耽搁这么久")},
		{"double A:4", t("it arrives twice", "让它到达两次")},
	}
}

// StateText is a state in words.
func StateText(name string) Text {
	zh := map[string]string{"CLOSED": "关闭", "LISTEN": "监听", "SYN-SENT": "同步已发送", "SYN-RECEIVED": "同步收到（半连接）", "ESTABLISHED": "已建立连接",
		"FIN-WAIT-1": "终止等待 1", "FIN-WAIT-2": "终止等待 2", "CLOSE-WAIT": "关闭等待", "CLOSING": "正在关闭", "LAST-ACK": "最后确认", "TIME-WAIT": "时间等待"}[name]
	en := map[string]string{"CLOSED": "no connection", "LISTEN": "ready to accept", "SYN-SENT": "asked, no answer yet", "SYN-RECEIVED": "half-open", "ESTABLISHED": "open both ways",
		"FIN-WAIT-1": "FIN sent", "FIN-WAIT-2": "FIN acknowledged", "CLOSE-WAIT": "peer has finished", "CLOSING": "both FINs crossed", "LAST-ACK": "last FIN sent", "TIME-WAIT": "waiting 2 MSL"}[name]
	return Text{en, zh}
}

// ArrowText is what makes a transition of RFC 9293's figure 5, and what is
// done then.
func ArrowText(from, to string) (event, action Text) {
	x := arrowTexts()[from+" "+to]
	return x[0], x[1]
}

func arrowTexts() map[string][2]Text {
	closes := t("the program closes", "应用程序关闭")
	none := same("")
	arrow := func(from, to tcp.State) string { return from.String() + " " + to.String() }
	return map[string][2]Text{
		arrow(tcp.StateClosed, tcp.StateListen):           {t("passive open", "被动打开"), none},
		arrow(tcp.StateClosed, tcp.StateSynSent):          {t("active open", "主动打开"), t("send SYN", "发 SYN")},
		arrow(tcp.StateListen, tcp.StateSynReceived):      {t("SYN arrives", "收 SYN"), t("send SYN,ACK", "发 SYN,ACK")},
		arrow(tcp.StateSynSent, tcp.StateSynReceived):     {t("SYN arrives", "收 SYN"), t("send SYN,ACK", "发 SYN,ACK")},
		arrow(tcp.StateSynSent, tcp.StateEstablished):     {t("SYN,ACK arrives", "收 SYN,ACK"), t("send ACK", "发 ACK")},
		arrow(tcp.StateSynReceived, tcp.StateEstablished): {t("ACK of the SYN arrives", "收到对 SYN 的确认"), none},
		arrow(tcp.StateSynReceived, tcp.StateListen):      {t("RST arrives, or nothing", "收 RST，或无回音"), none},
		arrow(tcp.StateSynReceived, tcp.StateFinWait1):    {closes, t("send FIN", "发 FIN")},
		arrow(tcp.StateSynReceived, tcp.StateCloseWait):   {t("FIN arrives", "收 FIN"), t("send ACK", "发 ACK")},
		arrow(tcp.StateEstablished, tcp.StateFinWait1):    {closes, t("send FIN", "发 FIN")},
		arrow(tcp.StateEstablished, tcp.StateCloseWait):   {t("FIN arrives", "收 FIN"), t("send ACK", "发 ACK")},
		arrow(tcp.StateFinWait1, tcp.StateFinWait2):       {t("ACK of the FIN arrives", "收到对 FIN 的确认"), none},
		arrow(tcp.StateFinWait1, tcp.StateClosing):        {t("FIN arrives", "收 FIN"), t("send ACK", "发 ACK")},
		arrow(tcp.StateFinWait1, tcp.StateTimeWait):       {t("FIN and ACK of the FIN arrive", "收 FIN 及对 FIN 的确认"), t("send ACK", "发 ACK")},
		arrow(tcp.StateFinWait2, tcp.StateTimeWait):       {t("FIN arrives", "收 FIN"), t("send ACK", "发 ACK")},
		arrow(tcp.StateCloseWait, tcp.StateLastAck):       {closes, t("send FIN", "发 FIN")},
		arrow(tcp.StateClosing, tcp.StateTimeWait):        {t("ACK of the FIN arrives", "收到对 FIN 的确认"), none},
		arrow(tcp.StateLastAck, tcp.StateClosed):          {t("ACK of the FIN arrives", "收到对 FIN 的确认"), none},
		arrow(tcp.StateTimeWait, tcp.StateClosed):         {t("2 MSL are over", "2MSL 已过"), none},
		arrow(tcp.StateTimeWait, tcp.StateSynReceived):    {t("a newer SYN arrives", "收到更新的 SYN"), t("send SYN,ACK", "发 SYN,ACK")},
	}
}
