package lab

import (
	"time"

	"estab/tcp"
)

// twoWay is section 2: why two segments are not enough.
func twoWay() []Scenario {
	return []Scenario{staleForgotten(), staleGhost(), staleCancelled(), staleTimeWait(), staleFar()}
}

// beside makes the two worlds of a comparison: the same script with two
// segments and with three.
func beside(script string, two, three []Beat) []World {
	return []World{
		{Name: t("two-way: B believes at its own SYN,ACK", "两次握手：B 发出 SYN,ACK 就算建立"), Script: script, TwoWay: true, Story: two, For: time.Hour},
		{Name: t("three-way", "三次握手"), Script: script, Story: three, For: time.Hour},
	}
}

const staleScript = `
0    B listen
0    B on-eof close
10ms A connect
2s   A send "hello"
3s   A close
`

func late(arrives string) Beat {
	return Beat{"A:1", t("A's first SYN is held up somewhere in the network. It will arrive "+arrives+".", "A 的第一个 SYN 在网络的某个结点长时间滞留。")}
}

func again() Beat {
	return Beat{"A:2", t("A repeats its SYN, connects, transfers and closes. All is well.", "A 重传 SYN，建立连接，传完数据，释放连接，一切正常。")}
}

// ghost checks that in the end B has a connection that A knows nothing of.
func ghost(r *Run) error {
	l := r.Plays[0].Left
	return want(l[B].Conns == 1 && l[A].Conns == 0, "B holds %d connections, A %d", "B 有 %d 个连接，A 有 %d 个", l[B].Conns, l[A].Conns)
}

// clean checks that nothing is left in a world, and that B's programs got
// that many connections.
func clean(world, accepted int) func(r *Run) error {
	return func(r *Run) error {
		p := r.Plays[world]
		l := p.Left[B]
		return want(l.Conns+l.HalfOpen == 0 && len(p.Ends[B]) == accepted,
			"B holds %d connections and %d half-open records; %d were accepted", "B 还有 %d 个连接和 %d 条半连接记录；交给应用程序 %d 个", l.Conns, l.HalfOpen, len(p.Ends[B]))
	}
}

func staleForgotten() Scenario {
	return Scenario{
		Name: "stale-syn", Section: 2, Letters: true,
		Title: t("The old SYN arrives when A has forgotten the pair", "迟到的 SYN：A 早已忘记这个连接"),
		Intro: t("A's first SYN is delayed; A repeats it, connects, transfers and closes. Long after that the old SYN arrives at B. Side by side: a B for which two segments make a connection, and the real one.",
			"A 的第一个 SYN 在网络中滞留；A 重传后建立了连接，传完数据并释放了连接。很久以后，旧的 SYN 才到达 B。下面对照两个世界：两次握手就算建立连接的 B，和真实的 B。"),
		Worlds: beside(staleScript+"delay A:1 5m\n",
			[]Beat{late("after five minutes"), again(),
				{"B ESTABLISHED#2", t("The old SYN arrives. B answers, and with that believes in a new connection; its program is told and begins to work.",
					"旧的 SYN 到达。B 一作答就以为新的连接建立了，它的应用程序也得到通知、开始工作。")},
				{"A sends RST", t("A has asked for nothing and says so with RST. This time it arrives; until then B's program served nobody.",
					"A 并没有要求建立连接，便以 RST 表明。这一次 RST 送到了；在此之前，B 的应用程序一直在为不存在的客户服务。")}},
			[]Beat{late("after five minutes"), again(),
				{"B SYN-RECEIVED#2", t("The old SYN arrives. B answers, and waits for the third segment: SYN-RECEIVED. No program hears of it.",
					"旧的 SYN 到达。B 作答，并等待第三个报文段：SYN-RECEIVED。应用程序对此毫不知情。")},
				{"A sends RST", t("A's 2 MSL are over, it has no record of the pair: RST. B is back in LISTEN.",
					"A 的 2MSL 早已结束，没有这个连接的任何记录，回以 RST。B 回到 LISTEN。")}}),
		Claims: []Claim{
			claim(t("two-way: B's program was given a second connection that nobody had asked for", "两次握手：B 的应用程序多得到一个无人要求的连接"), func(r *Run) error {
				return want(len(r.Plays[0].Ends[B]) == 2, "it was given %d", "得到 %d 个", len(r.Plays[0].Ends[B]))
			}),
			claim(t("three-way: B was in SYN-RECEIVED, and back in LISTEN by A's RST", "三次握手：B 进入 SYN-RECEIVED，收到 A 的 RST 后回到 LISTEN"),
				goes(1, B, "SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED SYN-RECEIVED LISTEN")),
			claim(t("three-way: B's program was given one connection, and nothing is left", "三次握手：B 的应用程序只得到一个连接，最后什么都不剩"), clean(1, 1)),
			always(t("the bytes of the real connection are intact in both worlds", "两个世界里，真正那个连接的数据都完好"), intact),
		},
		Lesson: t("With the third segment A itself says that it wants this connection, now. Two segments can't ask it.",
			"第三个报文段让 A 亲口确认：这个连接是我现在要的。两次握手无从确认这一点。"),
	}
}

func staleGhost() Scenario {
	return Scenario{
		Name: "stale-syn-ghost", Section: 2, Letters: true,
		Title: t("… and A's objection is lost, or never made", "迟到的 SYN：A 不理睬，B 空等"),
		Intro: t("The same, but A's RSTs do not arrive; or, as the textbook tells it, A just ignores what it did not ask for.",
			"情形同上，但 A 的 RST 没有送到；或者像教科书所说，A 对没有要求过的连接不予理睬。"),
		Worlds: beside(staleScript+"delay A:1 5m\nlose A:RST\n",
			[]Beat{late("after five minutes"), again(),
				{"B ESTABLISHED#2", t("B believes in a new connection, and waits for A's data: for ever.", "B 以为新的连接已经建立，一直等待 A 发来数据：永远等下去。")},
				{"end", t("An hour later the ghost is still there, with its TCB, its buffers and the program that serves it.", "一小时后，这个幽灵连接还在，白白占着 TCB、缓存和为它服务的程序。")}},
			[]Beat{late("after five minutes"), again(),
				{"B SYN-RECEIVED#2", t("B waits for the third segment.", "B 等待第三个报文段。")},
				{"B LISTEN", t("It does not come, however often B repeats its SYN,ACK. B gives up: nothing was allocated but a record, nothing stays.",
					"B 几次重传 SYN,ACK，第三个报文段始终不来。B 放弃：除了一条小记录，什么都没有分配，也什么都没有留下。")}}),
		Claims: []Claim{
			claim(t("two-way: after an hour B holds a connection that A knows nothing of", "两次握手：一小时后 B 仍持有一个 A 毫不知情的连接"), ghost),
			claim(t("three-way: B gave up by itself, nothing stays", "三次握手：B 自行放弃，什么都没有留下"), clean(1, 1)),
			always(t("the bytes of the real connection are intact in both worlds", "两个世界里，真正那个连接的数据都完好"), intact),
		},
		Lesson: t("Two segments waste B's resources without end; three waste 64 bytes for a few seconds.",
			"两次握手会让 B 的资源无休止地浪费；三次握手只浪费 64 字节几秒钟。"),
	}
}

func staleCancelled() Scenario {
	script := "0 B listen\n10ms A connect\n500ms A abort\ndelay A:1 5s\nlose A:RST\n"
	return Scenario{
		Name: "stale-syn-cancelled", Section: 2, Letters: true,
		Title: t("The SYN of a Dial that was cancelled", "A 已经取消的连接请求"),
		Intro: t("A asks for a connection, gets impatient and gives up. Then its SYN arrives at B after all. (A's RSTs are lost.)",
			"A 请求建立连接，等得不耐烦就取消了。可是 SYN 后来还是到了 B。（A 的 RST 都丢失。）"),
		Worlds: beside(script,
			[]Beat{{"A CLOSED", t("A's program cancels: CLOSED, nothing is remembered.", "A 的应用程序取消请求：CLOSED，不留任何记录。")},
				{"B ESTABLISHED", t("B believes in a connection.", "B 以为连接建立了。")},
				{"end", t("It still does an hour later.", "一小时后它还这样以为。")}},
			[]Beat{{"B SYN-RECEIVED", t("B waits for A's word.", "B 等 A 确认。")},
				{"B LISTEN", t("A, asked four times, never says it: B gives up.", "问了四遍，A 始终没有确认：B 放弃。")}}),
		Claims: []Claim{
			claim(t("two-way: after an hour B holds a connection that A knows nothing of", "两次握手：一小时后 B 仍持有一个 A 毫不知情的连接"), ghost),
			claim(t("three-way: B's program never heard of it, nothing stays", "三次握手：B 的应用程序从未得知，什么都没有留下"), clean(1, 0)),
		},
		Lesson: t("The network may deliver a request long after it was withdrawn; the third segment asks whether it still stands.",
			"请求撤回很久之后，网络仍可能把它送到；第三次握手就是问一句：还要吗？"),
	}
}

func staleTimeWait() Scenario {
	return Scenario{
		Name: "stale-syn-timewait", Section: 2, Letters: true,
		Title: t("The old SYN arrives while A is in TIME-WAIT", "迟到的 SYN：A 正处于 TIME-WAIT"),
		Intro: t("Now the old SYN is a minute late. A still keeps the pair in TIME-WAIT and answers differently: not with a RST, but with an ACK of its old numbers.",
			"这次旧的 SYN 迟到一分钟。A 还在 TIME-WAIT（时间等待）中记着这个连接，回答也就不同：不是 RST，而是带着旧序号的 ACK。"),
		Worlds: beside(staleScript+"delay A:1 1m\n",
			[]Beat{late("after a minute"), again(),
				{"B ESTABLISHED#2", t("B believes in a new connection.", "B 以为新的连接建立了。")},
				{"end", t("A's old numbers mean nothing to B: it keeps its ghost.", "A 的旧序号在 B 看来毫无意义，幽灵连接就这样留着。")}},
			[]Beat{late("after a minute"), again(),
				{"B SYN-RECEIVED#2", t("B sends its SYN,ACK with a new y.", "B 发出带新 y 的 SYN,ACK。")},
				{"B sends RST", t("A's ACK does not acknowledge y+1. B answers RST, with that number, and stays in SYN-RECEIVED (RFC 9293 3.10.7.4). A, in TIME-WAIT, ignores the RST (RFC 1337).",
					"A 的 ACK 确认的不是 y+1。B 以该号码为序号回 RST，自己仍留在 SYN-RECEIVED（RFC 9293 3.10.7.4）。A 在 TIME-WAIT 中不理会 RST（RFC 1337）。")},
				{"B LISTEN", t("After its repeats B gives up. Nothing was delivered, nothing stays.", "B 重传几次之后放弃。没有交付任何数据，什么都没有留下。")}}),
		Claims: []Claim{
			claim(t("two-way: in the end B holds a ghost", "两次握手：最后 B 留着一个幽灵连接"), ghost),
			claim(t("three-way: B's RST does not end A's TIME-WAIT: it lasted exactly {2msl}", "三次握手：B 的 RST 没有终止 A 的 TIME-WAIT，它恰好持续了 {2msl}"), lasted(1, A, tcp.StateTimeWait, twoMSL)),
			claim(t("three-way: B sent a RST for each ACK, and stayed in SYN-RECEIVED until it gave up", "三次握手：B 对每个 ACK 回 RST，并一直留在 SYN-RECEIVED 直到放弃"),
				goes(1, B, "SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED SYN-RECEIVED LISTEN")),
			claim(t("three-way: nothing stays", "三次握手：什么都没有留下"), clean(1, 1)),
			always(t("the bytes of the real connection are intact in both worlds", "两个世界里，真正那个连接的数据都完好"), intact),
		},
		Lesson: t("A in TIME-WAIT does not say RST, and B does not believe an ACK that isn't its own: it needs no help to find out.",
			"TIME-WAIT 中的 A 不会回 RST；B 也不会相信确认的不是自己序号的 ACK，它自己就能弄清真相。"),
	}
}

func staleFar() Scenario {
	script := "0 B listen\n0 B on-eof close\n10ms A connect\n2s A send 200000\n4s A close\ndelay A:1 1m\n"
	return Scenario{
		Name: "stale-syn-far", Section: 2, Letters: true, Keep: 1,
		Title: t("… and A's old number lies outside B's window", "迟到的 SYN：A 的旧序号在 B 的窗口之外"),
		Intro: t("A had sent 200,000 bytes: the number in its ACK is beyond B's window. B answers such a segment with an ACK, A answers that with an ACK: they could go on for ever.",
			"A 先前发送了 200 000 字节，它那个 ACK 的序号超出了 B 的窗口。对这种报文段 B 回 ACK，A 又对 B 的 ACK 回 ACK：这样下去没完没了。"),
		Worlds: beside(script,
			[]Beat{{"B ESTABLISHED#2", t("B believes in a connection.", "B 以为连接建立了。")}},
			[]Beat{{"B SYN-RECEIVED#2", t("B's SYN,ACK is answered by A's ACK, which is outside B's window.", "A 用 ACK 回答 B 的 SYN,ACK，而其序号在 B 的窗口之外。")},
				{"B LISTEN", t("Each side answers only so many such segments in a time (RFC 5961 §7): the exchange dies out, and B gives up.",
					"双方在一段时间内只回答有限个这样的报文段（RFC 5961 §7）：来回很快平息，B 最后放弃。")}}),
		Claims: []Claim{
			claim(t("three-way: fewer than 20 segments were exchanged about the old SYN", "三次握手：旧 SYN 引起的报文段不到 20 个"), func(r *Run) error {
				p, n := r.Plays[1], 0
				for i := range p.Packets {
					if p.At(p.Packets[i].Time) > time.Minute {
						n++
					}
				}
				return want(n > 0 && n < 20, "there were %d", "有 %d 个", n)
			}),
			claim(t("three-way: nothing stays", "三次握手：什么都没有留下"), clean(1, 1)),
			always(t("the bytes of the real connection are intact in both worlds", "两个世界里，真正那个连接的数据都完好"), intact),
		},
		Lesson: t("Two machines that correct each other politely need a limit.", "两台机器彬彬有礼地互相纠正，总得有个限度。"),
	}
}
