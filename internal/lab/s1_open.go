package lab

import (
	"time"

	"estab/internal/seq"
	"estab/internal/wire"
	"estab/tcp"
)

// opening is section 1: the three-way handshake.
func opening() []Scenario {
	return []Scenario{openBasic(), openThirdWithData(), openSynWithData(), openMemory(), openISS()}
}

const helloScript = `
0     B listen
0     B on-eof close
10ms  A connect
100ms A send "hello"
200ms A close
`

func openBasic() Scenario {
	return Scenario{
		Name: "handshake", Section: 1, Letters: true,
		Title: t("The three-way handshake", "三次握手"),
		Intro: t("A opens a connection to B. Watch the states at both sides, and the numbers: x is A's initial sequence number, y is B's.",
			"A 向 B 建立连接。请留意两边的状态和序号：x 是 A 的初始序号，y 是 B 的初始序号。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n",
			For:    5 * time.Second,
			Story: []Beat{
				{"begin", t("Both ends begin CLOSED. B makes itself ready to accept connections: LISTEN.",
					"双方起初都处于 CLOSED 状态。B 做好接受连接的准备，进入 LISTEN（监听）状态。")},
				{"A sends SYN", t("A makes its TCB and sends SYN=1, seq=x, without data. The SYN takes one sequence number. A: SYN-SENT.",
					"A 建立自己的 TCB（传输控制块），发出 SYN=1、seq=x 的报文段，不带数据。SYN 要消耗一个序号。A 进入 SYN-SENT（同步已发送）状态。")},
				{"B sends SYN-ACK", t("B answers with SYN=1, ACK=1, seq=y, ack=x+1: it acknowledges A's SYN and sends its own in the same segment. B: SYN-RECEIVED.",
					"B 同意建立连接，用 SYN=1、ACK=1、seq=y、ack=x+1 作答：一个报文段里既确认了 A 的 SYN，又带上自己的 SYN。B 进入 SYN-RECEIVED（同步收到）状态，这时的连接称为半连接。")},
				{"A sends ACK", t("A checks ack=x+1, and acknowledges B's SYN: ACK=1, seq=x+1, ack=y+1. For A the connection is ESTABLISHED. This segment could carry data; without data it takes no sequence number.",
					"A 检查 ack=x+1 无误，再发出确认：ACK=1、seq=x+1、ack=y+1。A 进入 ESTABLISHED（已建立连接）状态。这个报文段可以携带数据；不带数据就不消耗序号。")},
				{"B ESTABLISHED", t("B checks ack=y+1. ESTABLISHED: both now know that the other one receives what they send.",
					"B 检查 ack=y+1 无误，也进入 ESTABLISHED 状态。至此双方都确知：自己发出的，对方收得到。")},
			},
		}},
		Claims: []Claim{
			claim(t("A goes through SYN-SENT to ESTABLISHED", "A 的状态依次为 SYN-SENT、ESTABLISHED"), goes(0, A, "SYN-SENT ESTABLISHED")),
			claim(t("B goes through SYN-RECEIVED to ESTABLISHED", "B 的状态依次为 SYN-RECEIVED、ESTABLISHED"), goes(0, B, "SYN-RECEIVED ESTABLISHED")),
			claim(t("three segments were enough", "一共只用了三个报文段"), func(r *Run) error {
				return want(len(r.Plays[0].Packets) == 3, "there were %d", "有 %d 个", len(r.Plays[0].Packets))
			}),
			always(t("the SYN,ACK acknowledges x+1", "SYN+ACK 的确认号是 x+1"), ackOf(0, B, "SYN-ACK", A, "SYN")),
			claim(t("the third segment acknowledges y+1, and its own number is x+1", "第三个报文段的确认号是 y+1，序号是 x+1"), thirdSegment(0)),
			claim(t("B is in SYN-RECEIVED when A becomes ESTABLISHED, half a round trip before B does",
				"A 进入 ESTABLISHED 时 B 还在 SYN-RECEIVED；半个往返时间之后 B 才进入 ESTABLISHED"), func(r *Run) error {
				p := r.Plays[0]
				a, ok1 := p.entered(A, tcp.StateEstablished, 1)
				b, ok2 := p.entered(B, tcp.StateEstablished, 1)
				return want(ok1 && ok2 && p.stateAt(B, a.at) == tcp.StateSynReceived && b.at.Sub(a.at) == r.Params.Delay,
					"A at %v, B at %v", "A 在 %v，B 在 %v", p.At(a.at), p.At(b.at))
			}),
		},
		Lesson: t("Three segments: each side has told its initial number, and each has heard that the other knows it.",
			"三个报文段之后，双方都告诉了对方自己的初始序号，也都得知对方已经收到。"),
	}
}

// ackOf checks that the first segment of a kind acknowledges one more than the
// number of the other host's first segment of another kind.
func ackOf(world, host int, kind string, other int, of string) func(r *Run) error {
	return func(r *Run) error {
		p := r.Plays[world]
		k, o := p.nth(host, kind, 1), p.nth(other, of, 1)
		if k == nil || o == nil {
			return problem("there is no such segment", "没有这样的报文段")
		}
		return want(k.Seg.Ack == o.Seg.Seq+1, "it acknowledges %d, not %d", "确认号是 %d，而不是 %d", k.Seg.Ack, o.Seg.Seq+1)
	}
}

func thirdSegment(world int) func(r *Run) error {
	return both(ackOf(world, A, "ACK", B, "SYN-ACK"), func(r *Run) error {
		p := r.Plays[world]
		return want(p.nth(A, "ACK", 1).Seg.Seq == p.nth(A, "SYN", 1).Seg.Seq+1, "its number is another", "序号不是它")
	})
}

func openThirdWithData() Scenario {
	return Scenario{
		Name: "third-segment-data", Section: 1, Letters: true,
		Title: t("The third segment may carry data", "第三次握手可以携带数据"),
		Intro: t("A's bare ACK is lost on the way. What A sends next carries the same acknowledgement, and completes the handshake at B.",
			"A 的纯确认在途中丢失了。A 接着发送的数据带着同样的确认号，照样使 B 完成握手。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n40ms A send \"hello\"\nlose A:2\n",
			For:    5 * time.Second,
			Story: []Beat{
				{"A:2", t("The third segment gets lost: A is ESTABLISHED, B still waits in SYN-RECEIVED.",
					"第三个报文段丢失：A 已经是 ESTABLISHED，B 仍停在 SYN-RECEIVED。")},
				{"A sends data", t("A's first data is on its way, with seq=x+1 and ack=y+1. It says all that the lost segment said.",
					"A 发出第一批数据，seq=x+1、ack=y+1。丢掉的那个报文段要说的，它全都说了。")},
				{"B ESTABLISHED", t("B takes acknowledgement and data at once.", "B 同时收下确认和数据，进入 ESTABLISHED。")},
			},
		}},
		Claims: []Claim{
			claim(t("B becomes ESTABLISHED by a segment with data", "使 B 进入 ESTABLISHED 的是带数据的报文段"), func(r *Run) error {
				c, ok := r.Plays[0].entered(B, tcp.StateEstablished, 1)
				return want(ok && c.event.HasSeg && c.event.Seg.Len == 5, "it was %+v", "是 %+v", c.event.Seg.Flags)
			}),
			claim(t("its sequence number is x+1: the lost ACK took none", "它的序号仍是 x+1：丢失的那个 ACK 没有消耗序号"), func(r *Run) error {
				p := r.Plays[0]
				d, s := p.nth(A, "data", 1), p.nth(A, "SYN", 1)
				return want(d != nil && d.Seg.Seq == s.Seg.Seq+1, "it is another", "不是它")
			}),
			claim(t("nothing had to be repeated", "没有任何报文段需要重传"), func(r *Run) error {
				n := r.Plays[0].Counters[A].Retransmits + r.Plays[0].Counters[B].Retransmits
				return want(n == 0, "%d segments were", "重传了 %d 个", n)
			}),
			claim(t("what B read is what A sent", "B 读到的就是 A 发送的"), complete),
		},
		Lesson: t("An ACK without data can get lost without harm: every later segment repeats what it said.",
			"不带数据的 ACK 丢了无妨：其后的每个报文段都会重复同样的确认。"),
	}
}

func openSynWithData() Scenario {
	return Scenario{
		Name: "syn-with-data", Section: 1, Letters: true,
		Title: t("A SYN with three bytes of data", "带着三个字节数据的 SYN"),
		Intro: t("“A SYN can't carry data” is a common misunderstanding, says RFC 9293 (3.10.7.3). It may; but the data is not delivered before the handshake is complete. Our A never does it, so the SYN is forged with three bytes in it.",
			"“SYN 报文段不能携带数据”，RFC 9293（3.10.7.3）说这是常见的误解：可以携带，只是握手完成之前不得交付给应用程序。本引擎的 A 从不这样做，所以这里由旁人伪造一个带三个字节的 SYN。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n40ms A send \"abc\"\n",
			Setup:  putDataIntoSyn,
			For:    5 * time.Second,
			Story: []Beat{
				{"A sends SYN", t("On its way to B, A's SYN is replaced by one that carries “abc”.", "A 的 SYN 在途中被换成带着“abc”三个字节的 SYN。")},
				{"B sends SYN-ACK", t("B acknowledges x+1: the SYN and nothing else. The three bytes count as not received.",
					"B 的确认号是 x+1：只确认了 SYN，三个字节当作没有收到。")},
				{"A sends data", t("The bytes come again, after the handshake, and now they are delivered.", "握手完成后这三个字节再来一次，这回才交付给应用程序。")},
			},
		}},
		Claims: []Claim{
			claim(t("the SYN that reached B carried three bytes", "到达 B 的 SYN 带有三个字节"), func(r *Run) error {
				c, ok := r.Plays[0].entered(B, tcp.StateSynReceived, 1)
				return want(ok && c.event.Seg.Len == 3, "it carried %d", "带有 %d 字节", c.event.Seg.Len)
			}),
			always(t("the SYN,ACK acknowledges only the SYN: ack=x+1", "SYN+ACK 只确认 SYN：ack=x+1"), ackOf(0, B, "SYN-ACK", A, "SYN")),
			claim(t("B's program read “abc” once", "B 的应用程序只读到一次“abc”"), func(r *Run) error {
				if len(r.Plays[0].Ends[B]) == 0 {
					return problem("B has no connection", "B 没有连接")
				}
				got := string(r.Plays[0].Ends[B][0].Got)
				return want(got == "abc", "it read %q", "读到的是 %q", got)
			}),
		},
		Lesson: t("A SYN may carry data. This engine, like most, does not keep it: who sends it has to send it again.",
			"SYN 可以携带数据；本引擎和大多数实现一样不保留它，发送方得再发一次。"),
	}
}

// putDataIntoSyn replaces A's SYN by one that carries "abc".
func putDataIntoSyn(s *Stage) {
	done := false
	s.meddle = append(s.meddle, loseFirst(A, wire.SYN, func(k *tcp.Segment) {
		if done {
			return
		}
		done = true
		f := *k
		f.Tuple = k.Tuple.Swap()
		b := packet(&f, []byte("abc"))
		s.World.After(s.Params.Delay, func() {
			s.Note(B, "shim: the SYN arrives with 3 bytes of data")
			s.inject(B, b)
		})
	}))
}

func openMemory() Scenario {
	return Scenario{
		Name: "tcb", Section: 1, Memory: true, Letters: true,
		Title: t("What a TCB holds, and who allocates when", "TCB 里有什么，双方何时分配资源"),
		Intro: t("The TCB of a connection: its entry in the connection table, the pointers to the send and receive buffers, the retransmission queue, the current send and receive sequence numbers. The table shows at each step what both sides have allocated: as classic TCPs do, and in estab.",
			"TCB（传输控制块）存放一个连接的重要信息：TCP 连接表中的表项、指向发送缓存和接收缓存的指针、指向重传队列的指针、当前的发送序号和接收序号，等等。下表逐步列出双方已经分配了多少字节：传统实现与 estab 对照。"),
		Worlds: []World{{
			Script: helloScript, For: 10 * time.Minute,
			Story: []Beat{
				{"A SYN-SENT", t("A has to remember what it asked for: the TCB is made here (some say: at the third step).", "A 必须记住自己发起了什么：TCB 在这里建立（也有说法是到第三步才分配）。")},
				{"B SYN-RECEIVED", t("Classically B allocates TCB and buffers now, on the word of anybody who sent a SYN: this is what a SYN flood attacks. estab keeps a record of 56 bytes.",
					"传统实现里，B 此刻就分配 TCB 和缓存，而对方只不过发来一个 SYN：SYN 洪泛攻击的正是这一点。estab 只记一条 56 字节的半连接记录。")},
				{"B ESTABLISHED", t("Only now, when A has shown that it receives what B sends, does estab make a TCB for B. Buffers exist only while something is in them.",
					"直到此刻，A 证明了自己收得到 B 发出的报文段，estab 才为 B 建立 TCB。缓存只在有数据时才存在。")},
				{"A TIME-WAIT", t("For the long wait of 2 MSL, estab keeps 56 bytes again.", "在漫长的 2MSL 等待期间，estab 又只留 56 字节。")},
			},
		}},
		Claims: []Claim{
			claim(t("when B is in SYN-RECEIVED it holds 64 bytes: a record of 56 and 8 of the connection table", "B 在 SYN-RECEIVED 时只占 64 字节：56 字节的记录加上连接表的 8 字节"),
				holds(B, tcp.StateSynReceived, halfOpenBytes+tableBytes)),
			claim(t("in TIME-WAIT A holds 64 bytes", "A 在 TIME-WAIT 时只占 64 字节"), holds(A, tcp.StateTimeWait, timeWaitBytes+tableBytes)),
			claim(t("TIME-WAIT lasted exactly {2msl}", "TIME-WAIT 恰好持续了 {2msl}"), lasted(0, A, tcp.StateTimeWait, twoMSL)),
			claim(t("in the end nothing is left at either side", "最后双方什么都不剩"), nothingLeft),
		},
		Lesson: t("A server that allocates at the second step can be emptied by people who never intend the third.",
			"在第二步就分配资源的服务器，会被根本不打算走第三步的人耗尽。"),
	}
}

// holds checks what a host has allocated when it enters a state.
func holds(host int, s tcp.State, bytes int) func(r *Run) error {
	return func(r *Run) error {
		for _, x := range r.Plays[0].Shots {
			if x.Host == host && x.Sides[host].State == s {
				return want(x.Sides[host].Estab == bytes, "it holds %d", "占 %d", x.Sides[host].Estab)
			}
		}
		return problem("it was never seen in that state", "从未处于该状态")
	}
}

func openISS() Scenario {
	return Scenario{
		Name: "initial-numbers", Section: 1,
		Title: t("Initial numbers that outsiders can't guess", "旁人猜不到的初始序号"),
		Intro: t("A opens three connections to B from different ports, one after another. Each gets its own initial sequence number: a clock, plus a keyed hash of the pair of sockets (RFC 6528).",
			"A 先后从三个不同端口向 B 建立连接。每个连接的初始序号各不相同：由时钟加上套接字对的带密钥散列得出（RFC 6528）。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect 40000\n110ms A connect 40001\n210ms A connect 40002\n",
			For:    5 * time.Second,
			Story: []Beat{
				{"A sends SYN", t("The first x.", "第一个 x。")},
				{"A sends SYN#2", t("A tenth of a second later, another port: nothing about the second x can be told from the first.",
					"十分之一秒之后，换一个端口：从第一个 x 推不出第二个 x。")},
				{"A sends SYN#3", t("And a third.", "再来第三个。")},
			},
		}},
		Claims: []Claim{
			claim(t("the distances between the initial numbers are not those of a clock", "初始序号之间的间隔不是时钟的步调"), func(r *Run) error {
				p := r.Plays[0]
				for _, host := range []int{A, B} {
					kind := []string{"SYN", "SYN-ACK"}[host]
					a, b, c := p.nth(host, kind, 1), p.nth(host, kind, 2), p.nth(host, kind, 3)
					if a == nil || b == nil || c == nil {
						return problem("there are fewer than three", "不到三个")
					}
					if near(a.Seg.Seq, b.Seg.Seq) || near(b.Seg.Seq, c.Seg.Seq) {
						return problem("one follows from the other", "后一个可以从前一个推出")
					}
				}
				return nil
			}),
			always(t("with another secret all of them are different", "换一个密钥，全部序号都不同"), func(r *Run) error {
				p := r.Params
				p.Seed++
				q := &Run{Scenario: r.Scenario, Params: p}
				other, err := q.play(0)
				if err != nil {
					return err
				}
				return want(other.nth(A, "SYN", 1).Seg.Seq != r.Plays[0].nth(A, "SYN", 1).Seg.Seq, "the first is the same", "第一个相同")
			}),
		},
		Lesson: t("Who can't see the segments can't forge one that fits: the numbers x and y are a secret shared by the two ends.",
			"看不到报文段的人，也就伪造不出对得上号的报文段：x 和 y 是两端共有的秘密。"),
	}
}

// near reports whether two numbers are less than a second of the ISN clock
// (250,000 a second) apart.
func near(a, b seq.Num) bool { return uint32(b-a) < 250_000 || uint32(a-b) < 250_000 }

// loseFirst makes something of the segments of a host with a flag, which are
// lost themselves.
func loseFirst(host int, f wire.Flags, then func(k *tcp.Segment)) meddler {
	done := false
	return func(p *packetOnPath) {
		k, ok := segment(p.Data)
		if !ok || done || p.Back != (host == B) || !k.Flags.Any(f) {
			return
		}
		done = true
		lose(p)
		then(&k)
	}
}
