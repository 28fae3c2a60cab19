package lab

import (
	"time"

	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// opening2 is the rest of section 1: what can happen to a handshake.
func opening2() []Scenario {
	return []Scenario{openSimultaneous(), openSynLost(), openSynAckLost(), openAckLost(), openRefused(), openNobody(), openWrongSynAck(), openWrongAck()}
}

func openSimultaneous() Scenario {
	return Scenario{
		Name: "simultaneous-open", Section: 1, Letters: true,
		Title: t("Both open at the same time", "双方同时打开"),
		Intro: t("Nobody listens: A and B connect to each other at the same moment, and their SYNs cross.",
			"没有谁在监听：A 和 B 同时向对方发起连接，两个 SYN 在途中交错而过。"),
		Worlds: []World{{
			Script: "10ms A connect\n10ms B connect\n", For: 5 * time.Second,
			Story: []Beat{
				{"A sends SYN", t("Both have sent a SYN and wait for an answer.", "双方都发出了 SYN，等待对方回答。")},
				{"A SYN-RECEIVED", t("Instead of an answer comes a SYN. Each acknowledges it, and sends its own again in the same segment: SYN-RECEIVED.",
					"等来的不是回答，而是对方的 SYN。于是各自确认它，并在同一报文段里再发一次自己的 SYN：进入 SYN-RECEIVED。")},
				{"A ESTABLISHED", t("Each sees its SYN acknowledged. It is one connection, not two.", "各自看到自己的 SYN 得到确认。建立的是一个连接，而不是两个。")},
			},
		}},
		Claims: []Claim{
			claim(t("A: SYN-SENT, SYN-RECEIVED, ESTABLISHED", "A：SYN-SENT、SYN-RECEIVED、ESTABLISHED"), goes(0, A, "SYN-SENT SYN-RECEIVED ESTABLISHED")),
			claim(t("B goes the same way", "B 走的是同样的路"), goes(0, B, "SYN-SENT SYN-RECEIVED ESTABLISHED")),
			claim(t("each side holds one connection", "双方各自只有一个连接"), func(r *Run) error {
				l := r.Plays[0].Left
				return want(l[A].Conns == 1 && l[B].Conns == 1, "A holds %d, B %d", "A 有 %d 个，B 有 %d 个", l[A].Conns, l[B].Conns)
			}),
		},
		Lesson: t("TCP needs no server for a connection: the rules for SYNs suffice.", "TCP 的连接并不需要有服务器：处理 SYN 的规则就够了。"),
	}
}

func openSynLost() Scenario {
	return Scenario{
		Name: "syn-lost", Section: 1, Letters: true,
		Title: t("The SYN is lost", "SYN 丢失"),
		Intro: t("Nothing comes back, so A repeats its SYN: the same x, after one second.", "没有任何回音，A 便在一秒之后重传 SYN：x 不变。"),
		Worlds: []World{{Script: "0 B listen\n10ms A connect\nlose A:1\n", For: 5 * time.Second, Story: []Beat{
			{"A:1", t("The SYN gets lost. B knows of nothing.", "SYN 丢失，B 一无所知。")},
			{"A:2", t("A's retransmission timer goes off.", "A 的重传计时器到时。")},
		}}},
		Claims: []Claim{
			claim(t("both SYNs have the same number", "两个 SYN 的序号相同"), func(r *Run) error {
				p := r.Plays[0]
				return want(p.count(A, "SYN") == 2 && p.nth(A, "SYN", 1).Seg.Seq == p.nth(A, "SYN", 2).Seg.Seq, "they differ", "它们不同")
			}),
			claim(t("the second follows after the initial RTO of 1 s (RFC 6298)", "第二个在初始 RTO 即 1 s 之后发出（RFC 6298）"), gap(0, A, "SYN", 1, func(p *Params) time.Duration { return orElse(p.RTO, time.Second) })),
			claim(t("A is ESTABLISHED in the end", "A 最终进入 ESTABLISHED"), goes(0, A, "SYN-SENT ESTABLISHED")),
		},
		Lesson: t("A lost SYN costs a second, nothing else.", "丢一个 SYN 只是多花一秒钟。"),
	}
}

func orElse[T int | time.Duration](d, other T) T {
	if d != 0 {
		return d
	}
	return other
}

// gap checks the time between a host's n-th segment of a kind and the next.
func gap(world, host int, kind string, n int, d func(p *Params) time.Duration) func(r *Run) error {
	return func(r *Run) error {
		p := r.Plays[world]
		a, b := p.nth(host, kind, n), p.nth(host, kind, n+1)
		if a == nil || b == nil {
			return problem("there is no second one", "没有第二个")
		}
		got := b.Time.Sub(a.Time)
		return want(got == d(&r.Params), "it was %v", "是 %v", got)
	}
}

func openSynAckLost() Scenario {
	return Scenario{
		Name: "syn-ack-lost", Section: 1, Letters: true,
		Title: t("The SYN,ACK is lost", "SYN,ACK 丢失"),
		Intro: t("Now both have something to repeat, A its SYN and B its SYN,ACK; whoever is first.", "这回双方都有东西要重传：A 的 SYN，B 的 SYN,ACK，谁先到时谁先发。"),
		Worlds: []World{{Script: "0 B listen\n10ms A connect\nlose B:1\n", For: 5 * time.Second, Story: []Beat{
			{"B:1", t("B's answer gets lost. B is in SYN-RECEIVED; A doesn't know.", "B 的回答丢失。B 已在 SYN-RECEIVED，A 并不知道。")},
			{"A sends SYN#2", t("A's timer is the first: it began earlier.", "A 的计时器先到时，因为它启动得早。")},
			{"B sends SYN-ACK#2", t("B has the half-open record already and answers with the same y.", "B 已有这条半连接记录，仍以同一个 y 作答。")},
		}}},
		Claims: []Claim{
			claim(t("every SYN,ACK has the same number y", "每个 SYN,ACK 的序号都是同一个 y"), func(r *Run) error {
				p := r.Plays[0]
				return want(p.count(B, "SYN-ACK") >= 2 && p.nth(B, "SYN-ACK", 1).Seg.Seq == p.nth(B, "SYN-ACK", 2).Seg.Seq, "they differ", "它们不同")
			}),
			claim(t("B holds one connection, not two", "B 只有一个连接，不是两个"), func(r *Run) error {
				return want(r.Plays[0].Left[B].Conns == 1 && r.Plays[0].Left[B].HalfOpen == 0, "B holds %d connections and %d half-open records", "B 有 %d 个连接和 %d 条半连接记录",
					r.Plays[0].Left[B].Conns, r.Plays[0].Left[B].HalfOpen)
			}),
		},
		Lesson: t("A repeated SYN finds the record of the first: it begins nothing new.", "重传的 SYN 找到的是原来的记录，不会另起一个连接。"),
	}
}

func openAckLost() Scenario {
	return Scenario{
		Name: "third-ack-lost", Section: 1, Letters: true,
		Title: t("The third segment is lost, and A says nothing more", "第三次握手丢失，A 又不再说话"),
		Intro: t("A is ESTABLISHED and silent. B, in SYN-RECEIVED, repeats its SYN,ACK until A acknowledges it again.", "A 已是 ESTABLISHED 却不发数据。B 停在 SYN-RECEIVED，重传 SYN,ACK，直到 A 再次确认。"),
		Worlds: []World{{Script: "0 B listen\n10ms A connect\nlose A:2\n", For: 10 * time.Second, Story: []Beat{
			{"A:2", t("The third segment gets lost.", "第三个报文段丢失。")},
			{"B sends SYN-ACK#2", t("B's timer: the SYN,ACK again.", "B 的计时器到时，重传 SYN,ACK。")},
			{"A sends ACK#2", t("For A this is an old segment outside its window: it answers with an ACK, and that is just what B needs.", "在 A 看来这是窗口之外的旧报文段，照规矩回一个 ACK，而这正是 B 所需要的。")},
		}}},
		Claims: []Claim{
			claim(t("B repeats its SYN,ACK once", "B 重传了一次 SYN,ACK"), sends(0, B, "SYN-ACK", 2)),
			claim(t("B is ESTABLISHED in the end", "B 最终进入 ESTABLISHED"), goes(0, B, "SYN-RECEIVED ESTABLISHED")),
			claim(t("A stays ESTABLISHED all the time", "A 始终是 ESTABLISHED"), goes(0, A, "SYN-SENT ESTABLISHED")),
		},
		Lesson: t("The last of three segments is not acknowledged; if it is lost, its cause is repeated.", "三次握手的最后一个报文段没有人再确认；它若丢失，引出它的那个报文段会重传。"),
	}
}

func openRefused() Scenario {
	return Scenario{
		Name: "refused", Section: 1, Letters: true,
		Title: t("Refused: nobody listens", "被拒绝：无人监听"),
		Intro: t("B's host is up, but no program listens at the port.", "B 的主机开着，但没有程序在监听这个端口。"),
		Worlds: []World{{Script: "10ms A connect\n", For: 5 * time.Second, Story: []Beat{
			{"B sends RST", t("B answers the SYN with RST=1, ACK=1, ack=x+1: there is nobody.", "B 以 RST=1、ACK=1、ack=x+1 回答 SYN：这里没有人。")},
			{"A CLOSED", t("The reset acknowledges A's SYN, so A believes it: connection refused.", "RST 确认了 A 的 SYN，A 便相信它：连接被拒绝。")},
		}}},
		Claims: []Claim{
			claim(t("A's program was told: connection refused", "A 的应用程序得知：连接被拒绝"), told(0, A, 0, tcp.ErrRefused)),
			claim(t("it took one round trip", "只用了一个往返时间"), func(r *Run) error {
				e := r.Plays[0].Ends[A][0]
				return want(e.ErrAt-e.Began == 2*r.Params.Delay, "it took %v", "用了 %v", e.ErrAt-e.Began)
			}),
			claim(t("nothing is left at either side", "双方什么都不剩"), nothingLeft),
		},
		Lesson: t("A refusal is an answer, and comes at once; only silence takes long.", "拒绝也是回答，来得很快；费时间的是没有回音。"),
	}
}

func openNobody() Scenario {
	return Scenario{
		Name: "nobody-there", Section: 1, Letters: true,
		Title: t("Nobody there: time-out", "对方不在：超时"),
		Intro: t("B's host is down. A repeats its SYN, waiting twice as long each time (at most 2 min), and gives up after the configured number of repeats, at least 3 minutes as RFC 9293 demands.",
			"B 的主机没有开机。A 一次次重传 SYN，每次等待的时间加倍（最多 2 分钟），重传够规定次数后放弃；RFC 9293 要求至少坚持 3 分钟。"),
		Worlds: []World{{Script: "0 B crash\n10ms A connect\n", Story: []Beat{
			{"A:2", t("After 1 s, the first repeat.", "1 s 之后第一次重传。")},
			{"A:3", t("After 2 s more the second, and so on: 4, 8, 16, 32, 64 s.", "再过 2 s 第二次，然后是 4、8、16、32、64 s。")},
			{"A CLOSED", t("A gives up: connection timed out.", "A 放弃：连接超时。")},
		}}},
		Claims: []Claim{
			claim(t("A sent its SYN eight times: once, and seven repeats", "A 共发送 SYN 八次：首发一次，重传七次"), sends(0, A, "SYN", 8)),
			always(t("the time between repeats doubles, up to 120 s", "重传间隔逐次加倍，至多 120 s"), func(r *Run) error {
				p, d := r.Plays[0], orElse(r.Params.RTO, time.Second)
				for n := 1; n < p.count(A, "SYN"); n++ {
					if err := gap(0, A, "SYN", n, func(*Params) time.Duration { return min(d, 2*time.Minute) })(r); err != nil {
						return err
					}
					d *= 2
				}
				return nil
			}),
			always(t("A's program was told: connection timed out", "A 的应用程序得知：连接超时"), told(0, A, 0, tcp.ErrTimeout)),
			claim(t("it took more than 3 minutes (RFC 9293, MUST-23)", "历时 3 分钟以上（RFC 9293，MUST-23）"), func(r *Run) error {
				e := r.Plays[0].Ends[A][0]
				return want(e.ErrAt-e.Began >= 3*time.Minute, "it took %v", "用了 %v", e.ErrAt-e.Began)
			}),
		},
		Lesson: t("Silence can mean a lost segment, a slow network or a dead host. TCP asks again, less and less often, before it gives up.",
			"没有回音，可能是报文段丢失，可能是网络缓慢，也可能是主机不在。TCP 越来越稀疏地再问几次，才肯放弃。"),
	}
}

func openWrongSynAck() Scenario {
	return Scenario{
		Name: "wrong-syn-ack", Section: 1, Letters: true,
		Title: t("A SYN,ACK that acknowledges something else", "确认号不对的 SYN,ACK"),
		Intro: t("Before B's answer reaches A, somebody's SYN,ACK does, with an acknowledgement number that is not x+1.",
			"B 的回答还没到，A 先收到一个别人发的 SYN,ACK，确认号并不是 x+1。"),
		Worlds: []World{{Script: "0 B listen\n10ms A connect\n", For: 5 * time.Second, Setup: forgeSynAck, Story: []Beat{
			{"A sends RST", t("A checks the acknowledgement: not its SYN. It answers with RST, whose number is the wrong acknowledgement, and stays in SYN-SENT.",
				"A 检查确认号：确认的不是自己的 SYN。A 以 RST 作答，序号就取那个错误的确认号，自己仍留在 SYN-SENT。")},
			{"A ESTABLISHED", t("The right answer comes, and the handshake goes on as if nothing had been.", "正确的回答到了，握手照常进行，就像什么都没有发生。")},
		}}},
		Claims: []Claim{
			claim(t("A answered with one RST", "A 回了一个 RST"), sends(0, A, "RST", 1)),
			claim(t("A was in SYN-SENT until the right SYN,ACK came", "正确的 SYN,ACK 到来之前，A 一直是 SYN-SENT"), goes(0, A, "SYN-SENT ESTABLISHED")),
			claim(t("B was not disturbed: the RST lies outside its window", "B 不受影响：RST 落在它的窗口之外"), goes(0, B, "SYN-RECEIVED ESTABLISHED")),
		},
		Lesson: t("This check is what lets A tell a new answer from an old or a forged one.", "靠这一检查，A 才能把新的回答同旧的、伪造的区别开来。"),
	}
}

// far is a distance between sequence numbers that lies outside any window
// here.
const far = 10_000_000

// forgeSynAck lets a SYN,ACK that acknowledges the wrong number reach A before
// B's does.
func forgeSynAck(s *Stage) {
	done := false
	s.meddle = append(s.meddle, func(p *sim.Packet) {
		k, ok := segment(p.Data)
		if !ok || done || p.Back || !k.Flags.Any(wire.SYN) {
			return
		}
		done = true
		forged := s.Forge(k.Tuple, 12345, k.Seq+far, wire.SYN|wire.ACK, 65535, nil, nil)
		s.World.After(s.Params.Delay/2, func() {
			s.Note(A, "a forged SYN,ACK arrives: ack=x+10000000")
			s.inject(A, forged)
		})
	})
}

func openWrongAck() Scenario {
	return Scenario{
		Name: "wrong-third-ack", Section: 1, Letters: true,
		Title: t("A third segment that acknowledges something else", "确认号不对的第三个报文段"),
		Intro: t("Somebody who can't see B's y tries to complete a handshake in A's name, with a guess.",
			"有人看不到 B 的 y，却想冒充 A 完成握手，只好猜一个确认号。"),
		Worlds: []World{{Script: "0 B listen\n10ms A connect\nlose A:2\n100ms A send \"hello\"\n", For: 5 * time.Second, Setup: forgeThird, Story: []Beat{
			{"A:2", t("A's own third segment gets lost.", "A 自己的第三个报文段丢失了。")},
			{"B sends RST", t("B checks the acknowledgement of the forged one: it is not y+1. B answers with RST and stays in SYN-RECEIVED.",
				"B 检查伪造报文段的确认号：不是 y+1。B 以 RST 作答，自己仍留在 SYN-RECEIVED。")},
			{"B ESTABLISHED", t("A's data brings the right acknowledgement.", "A 的数据带来了正确的确认号。")},
		}}},
		Claims: []Claim{
			claim(t("B answered the forged segment with one RST", "B 对伪造的报文段回了一个 RST"), sends(0, B, "RST", 1)),
			claim(t("B stayed in SYN-RECEIVED until A's data came", "A 的数据到来之前，B 一直是 SYN-RECEIVED"), goes(0, B, "SYN-RECEIVED ESTABLISHED")),
			claim(t("A's connection was not disturbed", "A 的连接不受影响"), goes(0, A, "SYN-SENT ESTABLISHED")),
			always(t("what B read is what A sent", "B 读到的就是 A 发送的"), intact),
		},
		Lesson: t("To complete a handshake one has to have seen y: who forges a source address never does.",
			"要完成握手，必须看到过 y；伪造源地址的人永远看不到。"),
	}
}

// forgeThird lets a third segment with a guessed acknowledgement reach B in
// A's name.
func forgeThird(s *Stage) {
	done := false
	s.meddle = append(s.meddle, func(p *sim.Packet) {
		k, ok := segment(p.Data)
		if !ok || done || !p.Back || !k.Flags.Any(wire.SYN) {
			return
		}
		done = true
		forged := s.Forge(k.Tuple, k.Ack, k.Seq+far, wire.ACK, 512, nil, &k)
		s.World.After(3*s.Params.Delay, func() {
			s.Note(B, "a forged third segment arrives: ack=y+10000000")
			s.inject(B, forged)
		})
	})
}
