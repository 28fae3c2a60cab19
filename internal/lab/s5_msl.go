package lab

import (
	"bytes"
	"strings"
	"time"

	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// waiting is section 5: why A waits for 2 MSL.
func waiting() []Scenario {
	return []Scenario{lastAckLost(), noProof(), oldDuplicate(), safeReuse(), assassination()}
}

func noWait(_ int, c *tcp.Config) { c.MSL = -1 }

func lastAckLost() Scenario {
	script := "0 B listen\n0 B on-eof close\n10ms A connect\n1s A close\nlose A:4\n"
	return Scenario{
		Name: "last-ack-lost", Section: 5, Letters: true,
		Title: t("First reason: the last ACK may get lost", "理由一：最后的 ACK 可能丢失"),
		Intro: t("The last of the four segments is lost. B, in LAST-ACK, repeats its FIN; somebody must be there to acknowledge it again.",
			"四次挥手的最后一个报文段丢失了。B 处于 LAST-ACK，会重传 FIN，这时得有人在那里再次确认。"),
		Worlds: []World{
			{Name: t("with TIME-WAIT", "有 TIME-WAIT"), Script: script, Story: []Beat{
				{"A:4", t("A's last ACK gets lost. A is in TIME-WAIT, B in LAST-ACK.", "A 的最后一个 ACK 丢失。A 在 TIME-WAIT，B 在 LAST-ACK。")},
				{"B sends FIN#2", t("B's timer goes off: the FIN again.", "B 的计时器到时，重传 FIN。")},
				{"A:5", t("A is still there: it acknowledges again, and starts its wait of 2 MSL anew.", "A 还在：再次确认，并重新启动 2MSL 计时器。")},
				{"B CLOSED", t("B is CLOSED, in order.", "B 正常进入 CLOSED。")}}},
			{Name: t("without TIME-WAIT", "没有 TIME-WAIT"), Script: script, Config: noWait, Story: []Beat{
				{"A CLOSED", t("A forgets the connection as soon as it has sent its last ACK.", "A 发出最后的 ACK 后立刻忘掉这个连接。")},
				{"A sends RST", t("B's repeated FIN meets nobody: A answers with RST.", "B 重传的 FIN 找不到连接，A 回以 RST。")},
				{"B CLOSED", t("B ends with an error, although all had been said.", "明明该说的都说完了，B 却以出错告终。")}}},
		},
		Claims: []Claim{
			claim(t("with the wait: B ends in order", "有等待：B 正常结束"), endedWith(0, B, 0)),
			claim(t("with the wait: A's 2 MSL count from the repeated FIN", "有等待：A 的 2MSL 从收到重传的 FIN 起重新计算"), func(r *Run) error {
				p := r.Plays[0]
				fin, c := p.nth(B, "FIN", 2), change{}
				if h := p.history(A); len(h) > 0 {
					c = h[len(h)-1]
				}
				if fin == nil || fin.Copies == 0 || c.to != tcp.StateClosed {
					return problem("it never ended", "一直没有结束")
				}
				return want(c.at.Sub(fin.Arrive[0]) == 2*r.Params.MSL, "it ended %v after", "在其后 %v 结束", c.at.Sub(fin.Arrive[0]))
			}),
			claim(t("without: B is reset", "没有等待：B 被复位"), endedWith(1, B, tcp.ErrReset)),
			claim(t("in the end nothing is left at either side", "最后双方什么都不剩"), nothingLeft),
		},
		Lesson: t("TIME-WAIT keeps somebody at home for as long as B may still have something to ask.", "TIME-WAIT 让家里一直留着人，以防 B 还有话要问。"),
	}
}

// endedWith checks how a host's last connection ended.
func endedWith(world, host int, err tcp.Error) func(r *Run) error {
	return func(r *Run) error {
		_, ended := r.Plays[world].entered(host, tcp.StateClosed, 1)
		got := tcp.Error(0)
		for _, e := range r.Plays[world].Events[host] {
			if e.Kind == tcp.EventClosed {
				got = e.Err
			}
		}
		return want(ended && got == err, "ended: %v, with: %v", "结束：%v，结果：%v", ended, got)
	}
}

func noProof() Scenario {
	return Scenario{
		Name: "no-proof", Section: 5, Letters: true,
		Title: t("2 MSL of silence prove nothing", "2MSL 内没有动静，并不能证明 B 已关闭"),
		Intro: t("“After 2 MSL without another FIN, A knows that B is closed.” It does not: here A's last ACK is lost, and then every repeat of B's FIN for four minutes.",
			"“等 2MSL 没再收到 FIN，就说明 B 已经关闭了。”并非如此：这里 A 的最后一个 ACK 丢失，随后四分钟里 B 重传的 FIN 也一个个全丢了。"),
		Worlds: []World{{
			Script: "0 B listen\n0 B on-eof close\n10ms A connect\n1s A close\nlose A:4\nlose B:4-10\n",
			Story: []Beat{
				{"A:4", t("The last ACK is lost.", "最后的 ACK 丢失。")},
				{"B:4", t("B repeats its FIN: lost. And again, and again.", "B 重传 FIN：丢失。再传，再丢。")},
				{"A CLOSED", t("2 MSL are over: A is CLOSED. B is not: it is still in LAST-ACK.", "2MSL 已过，A 进入 CLOSED。B 却没有，它还在 LAST-ACK。")},
				{"A sends RST", t("B's next FIN gets through, and gets a RST.", "B 的下一个 FIN 终于送到，得到的是 RST。")},
			},
		}},
		Claims: []Claim{
			claim(t("A waited exactly {2msl} and heard nothing", "A 恰好等待了 {2msl}，什么也没听到"), lasted(0, A, tcp.StateTimeWait, twoMSL)),
			claim(t("when A became CLOSED, B was in LAST-ACK", "A 进入 CLOSED 时，B 还在 LAST-ACK"), func(r *Run) error {
				p := r.Plays[0]
				c, ok := p.entered(A, tcp.StateClosed, 1)
				return want(ok && p.stateAt(B, c.at) == tcp.StateLastAck, "it was in %v", "当时在 %v", p.stateAt(B, c.at))
			}),
			claim(t("B ended with a reset", "B 以复位告终"), endedWith(0, B, tcp.ErrReset)),
			claim(t("in the end nothing is left at either side", "最后双方什么都不剩"), nothingLeft),
		},
		Lesson: t("No protocol over a network that loses can make both ends sure. 2 MSL make it very likely, and make the other reason (old duplicates) certain.",
			"在会丢包的网络上，没有任何协议能让双方都确信无疑。2MSL 使 B 极可能已关闭；而对另一个理由（旧报文段消失），2MSL 才是确定的保证。"),
	}
}

// marker begins the segment of which a copy stays in the network.
const marker = "OLD BYTES OLD BYTES "

func oldDuplicate() Scenario {
	script := `
0      B listen
0      B on-eof close
10ms   A connect
100ms  A send 530000
100ms  B send 480000
1200ms A send "` + strings.Repeat(marker, 20) + `"
1500ms A close
2010ms A connect              # the same pair again
3500ms A send 40000
5s     A close
`
	second := Beat{"@2s", t("The same pair of ports is to be used again.", "现在要再次使用同一对端口。")}
	copied := Beat{"@1.2s", t("A copy of this segment stays behind in the network.", "这个报文段有一个副本滞留在网络中。")}
	return Scenario{
		Name: "old-duplicate", Section: 5, Keep: 1,
		Title: t("Second reason: old duplicates", "理由二：旧连接的报文段"),
		Intro: t("A copy of a segment of an old connection turns up 1.8 s later. Its number would just fit into a new connection between the same two ports.",
			"旧连接的一个报文段有个副本，迟了 1.8 s 才出现。它的序号恰好落进同一对端口上新连接的窗口里。"),
		Worlds: []World{
			{Name: t("without TIME-WAIT", "没有 TIME-WAIT"), Script: script, Setup: copyOld, For: 10 * time.Minute,
				Config: func(_ int, c *tcp.Config) { c.MSL, c.NoTimestamps = -1, true },
				Story: []Beat{copied, second,
					{"@3s", t("The old bytes arrive and lie in B's window: B keeps them, as the future part of the new stream.", "旧数据到达，正好在 B 的窗口之内：B 把它们当作新数据流后面的部分收下。")},
					{"end", t("A program asked for bytes of one connection and got some of another. No checksum can see it.", "应用程序读到的是这个连接的数据，其中却混进了另一个连接的。任何检验和都发现不了。")}}},
			{Name: t("with TIME-WAIT", "有 TIME-WAIT"), Script: script, Setup: copyOld, For: 10 * time.Minute,
				Config: func(_ int, c *tcp.Config) { c.NoTimestamps = true },
				Story: []Beat{copied, {"@2s", t("The same pair again? A is in TIME-WAIT: “address in use”. Before 2 MSL are over no such connection can be.",
					"再用同一对端口？A 还在 TIME-WAIT：“地址正在使用”。2MSL 结束之前，不可能有这样的连接。")},
					{"@3s", t("The old bytes arrive and meet nobody.", "旧数据到达，无处可去。")}}},
			{Name: t("without TIME-WAIT, but with timestamps", "没有 TIME-WAIT，但有时间戳"), Script: script, Setup: copyOld, For: 10 * time.Minute,
				Config: noWait,
				Story: []Beat{copied, second,
					{"@3s", t("The old bytes carry an old timestamp: B sees that they are from the past (PAWS, RFC 7323).", "旧数据带着旧的时间戳：B 看得出它们来自过去（PAWS，RFC 7323）。")}}},
		},
		Claims: []Claim{
			claim(t("without the wait: the second connection delivered old bytes to B's program", "没有等待：第二个连接把旧数据交给了 B 的程序"), func(r *Run) error {
				p := r.Plays[0]
				if len(p.Ends[B]) < 2 {
					return problem("there was no second connection", "没有第二个连接")
				}
				return want(bytes.Contains(p.Ends[B][1].Got, []byte(marker)), "its bytes are intact", "数据完好")
			}),
			claim(t("with the wait: no second connection could be opened yet", "有等待：此时不可能打开第二个连接"), told(1, A, 1, tcp.ErrInUse)),
			claim(t("with the wait: what B read is what A sent", "有等待：B 读到的就是 A 发送的"), worldIntact(1)),
			claim(t("with timestamps: what B read is what A sent, in both connections", "有时间戳：两个连接里 B 读到的都是 A 发送的"), worldIntact(2)),
		},
		Lesson: t("After 2 MSL every segment of the old connection, and every answer to it, has died out in the network. Then its numbers can do no harm.",
			"经过 2MSL，旧连接的一切报文段以及对它们的回答都已从网络中消失，旧序号再也不会造成危害。"),
	}
}

// worldIntact is intact for one world.
func worldIntact(world int) func(r *Run) error {
	return func(r *Run) error { return intact(&Run{Plays: r.Plays[world : world+1]}) }
}

// copyOld lets a copy of A's segment with the marker arrive at B at 3 s.
func copyOld(s *Stage) {
	s.meddle = append(s.meddle, func(p *sim.Packet) {
		k, ok := segment(p.Data)
		if !ok || p.Back || p.Fate.Duplicated || !bytes.HasPrefix(k.Payload, []byte(marker)) {
			return
		}
		p.Fate.Duplicated, p.Fate.Copy = true, p.Fate.Passage
		p.Fate.Copy.At = int64(s.play.start.Add(3 * time.Second))
	})
}

func safeReuse() Scenario {
	return Scenario{
		Name: "safe-reuse", Section: 5, Letters: true,
		Title: t("Reusing the pair safely", "安全地重用同一对端口"),
		Intro: t("B closes first and keeps TIME-WAIT. Two seconds later A opens a new connection between the same two ports. Its SYN is provably newer than everything of the old connection (RFC 6191).",
			"B 先关闭，由 B 进入 TIME-WAIT。两秒后 A 又在同一对端口上建立连接。它的 SYN 可以证明比旧连接的一切都新（RFC 6191）。"),
		Worlds: []World{{
			Script: "0 B listen\n0 A on-eof close\n10ms A connect\n1s B close\n3s A connect\n3100ms A send \"new\"\n4s B close\n",
			Story: []Beat{
				{"B TIME-WAIT", t("B closed first, so it is B that waits.", "B 先关闭，所以等待的是 B。")},
				{"A sends SYN#2", t("A SYN with a newer timestamp, and a number beyond the old one's: no old duplicate can look like that.",
					"这个 SYN 的时间戳更新，序号也在旧序号之后：旧的副本不可能是这样。")},
				{"B ESTABLISHED#2", t("B ends its wait early, since it knows better than the clock.", "B 提前结束等待，因为它已有比时钟更可靠的依据。")},
			},
		}},
		Claims: []Claim{
			claim(t("B reopened the pair out of TIME-WAIT", "B 从 TIME-WAIT 中重新打开了连接"), func(r *Run) error {
				n := r.Plays[0].Counters[B].TimeWaitReuses
				return want(n == 1, "it did %d times", "发生了 %d 次", n)
			}),
			claim(t("the new x lies beyond the old one's numbers", "新的 x 在旧连接的序号之后"), func(r *Run) error {
				p := r.Plays[0]
				a, b := p.nth(A, "SYN", 1), p.nth(A, "SYN", 2)
				return want(a != nil && b != nil && a.Seg.Seq.Less(b.Seg.Seq), "it does not", "并非如此")
			}),
			always(t("every byte is intact", "每个字节都完好"), intact),
		},
		Lesson: t("TIME-WAIT is a wait for ignorance to end; a newer number or timestamp ends it sooner.", "TIME-WAIT 是因为不知道而等待；有了更新的序号或时间戳，就不必再等。"),
	}
}

func assassination() Scenario {
	return Scenario{
		Name: "time-wait-reset", Section: 5, Letters: true,
		Title: t("A RST must not end TIME-WAIT early", "RST 不得提前结束 TIME-WAIT"),
		Intro: t("While A is in TIME-WAIT a RST arrives that fits exactly: an old one, or one that an old duplicate provoked at B.",
			"A 在 TIME-WAIT 中收到一个序号完全吻合的 RST：也许是旧的，也许是 B 对某个旧报文段的回答。"),
		Worlds: []World{{
			Script: "0 B listen\n0 B on-eof close\n10ms A connect\n1s A close\n", Setup: resetTimeWait,
			Story: []Beat{
				{"A TIME-WAIT", t("A waits.", "A 等待。")},
				{"@1m", t("The RST arrives. RFC 1337: it is ignored, or old duplicates could do their harm after all.", "RST 到了。RFC 1337：不予理会，否则旧报文段还是能造成危害。")},
			},
		}},
		Claims: []Claim{
			claim(t("A threw the RST away", "A 丢弃了 RST"), func(r *Run) error {
				return want(r.Plays[0].Counters[A].Drops[wire.DropTimeWaitReset] == 1, "it did not", "没有")
			}),
			claim(t("TIME-WAIT lasted exactly {2msl} all the same", "TIME-WAIT 照样恰好持续了 {2msl}"), lasted(0, A, tcp.StateTimeWait, twoMSL)),
		},
		Lesson: t("“TIME-WAIT assassination” was a real hazard: RFC 1337 names it and its cure.", "这叫“TIME-WAIT 暗杀”，确有其事：RFC 1337 指出了危害，也给出了办法。"),
	}
}

// resetTimeWait lets a RST that fits reach A after a minute.
func resetTimeWait(s *Stage) {
	var last tcp.Segment
	s.meddle = append(s.meddle, func(p *sim.Packet) {
		if k, ok := segment(p.Data); ok && p.Back && k.Flags.Any(wire.FIN) {
			last = k
		}
	})
	s.At(min(time.Minute, s.Params.MSL), func() {
		s.Note(A, "a RST arrives whose number fits")
		s.inject(A, s.Forge(last.Tuple.Swap(), last.Seq+1, 0, wire.RST, 0, nil, nil))
	})
}
