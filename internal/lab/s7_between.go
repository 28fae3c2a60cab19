package lab

import (
	"time"

	"estab/internal/netem"
	"estab/tcp"
)

// between is section 7: what lies between opening and closing.
func between() []Scenario {
	return []Scenario{slidingWindow(), zeroWindow(), backOff(), fastRetransmit(), selective(), delayedAck(), nagle(), keepAlive(), pathMTU(), congestion()}
}

// small fixes the receive buffer at so many bytes.
func small(n int) func(int, *tcp.Config) {
	return func(_ int, c *tcp.Config) { c.ReceiveBuffer, c.FixedBuffers, c.NoTimestamps = n, true, true }
}

func slidingWindow() Scenario {
	return Scenario{
		Name: "sliding-window", Section: 7, Keep: 12, Plot: []string{"seq"},
		Title: t("The sliding window", "滑动窗口"),
		Intro: t("B's receive buffer takes 5,840 bytes: four segments. A may have so much in flight and no more; each acknowledgement moves the window on.",
			"B 的接收缓存有 5840 字节，正好四个报文段。A 在途的数据不得超过这么多；每来一个确认，窗口就向前滑动。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n100ms A send 23360\n1s A close\n1s B close\n", Config: small(5840), For: time.Minute,
			Story: []Beat{
				{"A sends data", t("A sends what the window allows.", "A 发送窗口所允许的数据。")},
				{"A sends data#5", t("An acknowledgement has come, B's program has read: the window moves, A goes on.", "确认到了，B 的程序也读走了数据：窗口前移，A 继续发送。")},
			},
		}},
		Claims: []Claim{
			always(t("A never had more than 5,840 bytes in flight", "A 在途的数据从未超过 5840 字节"), func(r *Run) error {
				most := r.Plays[0].flight(A)
				return want(most <= 5840, "there were %d", "有 %d 个", most)
			}),
			claim(t("and at some time exactly that many", "并且确曾达到这个数"), func(r *Run) error {
				most := r.Plays[0].flight(A)
				return want(most == 5840, "the most were %d", "最多 %d 字节", most)
			}),
			claim(t("every byte arrived, in order", "每个字节都按序到达"), complete),
		},
		Lesson: t("The receiver decides how much may be under way: the window is its free buffer, and it slides as acknowledgements come.",
			"在途的数据量由接收方决定：窗口就是它空闲的缓存，随着确认而滑动。"),
	}
}

// flight is the most that a host had in flight: sent and not yet acknowledged,
// as the path between the hosts sees it.
func (p *Play) flight(host int) int {
	most, una, nxt := 0, tcp.Num(0), tcp.Num(0)
	for _, e := range p.Events[host] {
		switch {
		case e.Kind == tcp.EventOut && e.Seg.Len > 0 && !e.Retransmit:
			if nxt = e.Seg.Seq + tcp.Num(e.Seg.Len); una == 0 {
				una = e.Seg.Seq
			}
			most = max(most, int(nxt-una))
		case e.Kind == tcp.EventIn && una != 0 && una.Less(e.Seg.Ack):
			una = e.Seg.Ack
		}
	}
	return most
}

func zeroWindow() Scenario {
	return Scenario{
		Name: "zero-window", Section: 7, Keep: 20, Plot: []string{"seq"},
		Title: t("Zero window and its probes", "零窗口与探测"),
		Intro: t("B's program stops reading. Its buffer fills up, the window closes. When it opens again, the segment that says so could get lost: so A asks.",
			"B 的程序停止读取，接收缓存渐渐填满，窗口关闭。以后窗口重新打开时，通知它的报文段也可能丢失，所以 A 要主动去问。"),
		Worlds: []World{{
			Script: "0 B listen\n0 B stop-reading\n10ms A connect\n100ms A send 8000\n10s B read\n12s A close\n13s B close\n", Config: small(4380), For: time.Minute,
			Story: []Beat{
				{"B sends ACK#2", t("The window shrinks while nobody reads, and is zero in the end.", "没有人读数据，窗口越来越小，最后为零。")},
				{"A timer persist", t("The persist timer: A sends a probe, and B answers with its window, still zero. Each time A waits twice as long.",
					"持续计时器到时：A 发出零窗口探测，B 回答窗口仍为零。A 每次等待的时间加倍。")},
				{"@10s", t("B's program reads again: B tells the new window, A goes on.", "B 的程序又开始读：B 告知新的窗口，A 继续发送。")},
			},
		}},
		Claims: []Claim{
			claim(t("A probed the closed window", "A 探测了关闭的窗口"), func(r *Run) error {
				n := r.Plays[0].Counters[A].ZeroWindowProbes
				return want(n >= 2, "%d times", "%d 次", n)
			}),
			claim(t("B advertised a window of zero", "B 通告过零窗口"), func(r *Run) error {
				for _, k := range r.Plays[0].Packets {
					if int(k.From) == B && k.Seg.Wnd == 0 {
						return nil
					}
				}
				return problem("it never did", "从未有过")
			}),
			claim(t("every byte arrived, in order", "每个字节都按序到达"), complete),
		},
		Lesson: t("Flow control may stop a sender for as long as it takes; probes keep both ends from waiting for each other for ever.",
			"流量控制可以让发送方一直停着；有了探测，双方就不会互相等成死锁。"),
	}
}

func backOff() Scenario {
	return Scenario{
		Name: "rto-back-off", Section: 7, Plot: []string{"seq"},
		Title: t("Retransmission with back-off", "超时重传与退避"),
		Intro: t("The path breaks for twenty seconds while A has something to send.", "A 有数据要发，路径却中断了二十秒。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n100ms A send \"first\"\n1s net cut\n1500ms A send \"second\"\n21s net join\n40s A close\n41s B close\n", For: 2 * time.Minute,
			Story: []Beat{
				{"A sends data#2", t("Lost. A waits for one RTO.", "丢失。A 等待一个 RTO。")},
				{"A sends data#3", t("Again, and now it waits twice as long, then four times, eight times.", "重传，并等待两倍的时间，然后四倍、八倍。")},
				{"B gets data#2", t("The path is whole again: the next repeat gets through.", "路径恢复，下一次重传送到了。")},
			},
		}},
		Claims: []Claim{
			claim(t("the time between repeats doubles each time", "重传间隔逐次加倍"), func(r *Run) error {
				p := r.Plays[0]
				last := time.Duration(0)
				for n := 2; n < p.count(A, "data"); n++ {
					d := p.nth(A, "data", n+1).Time.Sub(p.nth(A, "data", n).Time)
					if last != 0 && d != 2*last {
						return want(false, "%v after %v", "%v，前一次 %v", d, last)
					}
					last = d
				}
				return nil
			}),
			claim(t("every byte arrived, once and in order", "每个字节都按序到达，且只有一次"), complete),
		},
		Lesson: t("Who gets no answer should ask less often: the network may be out of order just because too many ask.",
			"没有回音就该问得稀一些：网络出毛病，也许正是因为问的人太多。"),
	}
}

const burst = "0 B listen\n0 A nodelay\n10ms A connect\n1s A send 14480\n2s A close\n2100ms B close\n"

func fastRetransmit() Scenario {
	return Scenario{
		Name: "fast-retransmit", Section: 7, Keep: 30, Plot: []string{"seq"},
		Title: t("Fast retransmit: three duplicate ACKs", "快重传：三个重复确认"),
		Intro: t("The third of ten segments is lost. Each segment after it makes B repeat its last acknowledgement; the third such duplicate tells A what is missing. (SACK is switched off here.)",
			"十个报文段中第三个丢失。其后每到一个报文段，B 都重复上一次的确认；收到第三个重复确认，A 就知道缺了什么。（这里关闭了 SACK。）"),
		Worlds: []World{{
			Script: burst + "lose A:5\n", Config: func(_ int, c *tcp.Config) { c.NoSACK = true }, Path: "rate 10mbit", For: time.Minute,
			Story: []Beat{
				{"A:5", t("This one gets lost.", "这一个丢失了。")},
				{"A sends data#11", t("Three duplicates: A repeats the missing segment at once, long before its timer.", "收到三个重复确认：A 立即重传缺失的报文段，远在计时器到时之前。")},
			},
		}},
		Claims: []Claim{
			claim(t("the segment came again without a time-out", "重传不是超时引起的"), func(r *Run) error {
				c := r.Plays[0].Counters[A]
				return want(c.Retransmits == 1 && c.RTOs == 0, "%d repeats, %d time-outs", "重传 %d 次，超时 %d 次", c.Retransmits, c.RTOs)
			}),
			claim(t("B had sent at least three duplicate acknowledgements", "B 至少发送了三个重复确认"), func(r *Run) error {
				n := r.Plays[0].Counters[A].DupAcksIn
				return want(n >= 3, "it sent %d", "发送了 %d 个", n)
			}),
			claim(t("every byte arrived, once and in order", "每个字节都按序到达，且只有一次"), complete),
		},
		Lesson: t("Duplicate acknowledgements say: something is missing, but others arrive. That needs no time-out.", "重复确认说明：缺了一个，但别的还在到达。不必等到超时。"),
	}
}

func selective() Scenario {
	script := burst + "lose A:4\nlose A:6\nlose A:8\n"
	return Scenario{
		Name: "sack", Section: 7, Keep: 30, Plot: []string{"seq"},
		Title: t("SACK: saying what did arrive", "选择确认（SACK）"),
		Intro: t("Three of ten segments are lost. With SACK, B says which stretches it has, and A repeats just the three. Without it, A learns of one hole in a round trip.",
			"十个报文段丢了三个。有 SACK 时，B 说明自己收到了哪几段，A 恰好只重传那三个；没有 SACK，A 每个往返时间只能得知一个空洞。"),
		Worlds: []World{
			{Name: t("with SACK", "有 SACK"), Script: script, Path: "rate 10mbit", For: time.Minute, Story: []Beat{
				{"A sends data#11", t("The blocks tell A all the holes.", "SACK 块把所有空洞都告诉了 A。")}}},
			{Name: t("without SACK", "没有 SACK"), Script: script, Path: "rate 10mbit", For: time.Minute, Config: func(_ int, c *tcp.Config) { c.NoSACK = true }, Story: []Beat{
				{"A sends data#11", t("A knows of the first hole only.", "A 只知道第一个空洞。")}}},
		},
		Claims: []Claim{
			claim(t("with SACK: exactly the three lost segments were repeated, without a time-out", "有 SACK：恰好重传了丢失的三个报文段，没有超时"), func(r *Run) error {
				c := r.Plays[0].Counters[A]
				return want(c.Retransmits == 3 && c.RTOs == 0, "%d repeats, %d time-outs", "重传 %d 次，超时 %d 次", c.Retransmits, c.RTOs)
			}),
			claim(t("with SACK: all had arrived earlier", "有 SACK：数据更早到齐"), func(r *Run) error {
				a, b := r.Plays[0].allData(), r.Plays[1].allData()
				return want(a < b, "%v, without %v", "%v，没有时 %v", a, b)
			}),
			claim(t("every byte arrived, once and in order, in both worlds", "两个世界里每个字节都按序到达，且只有一次"), complete),
		},
		Lesson: t("A cumulative acknowledgement can name one hole; a selective one names what is not a hole.", "累积确认只能指出一个空洞；选择确认则指出哪些不是空洞。"),
	}
}

// allData is when the last data that was needed arrived at B.
func (p *Play) allData() time.Duration {
	last := time.Duration(0)
	for i := range p.Packets {
		if k := &p.Packets[i]; int(k.From) == A && k.Seg.Len > 0 && k.Copies > 0 {
			last = p.At(k.Arrive[0])
		}
	}
	return last
}

func delayedAck() Scenario {
	return Scenario{
		Name: "delayed-ack", Section: 7, Keep: 2, Tail: 6,
		Title: t("Delayed acknowledgements", "推迟确认"),
		Intro: t("A sends one small segment, and later two full ones. B need not acknowledge each: it waits up to 40 ms for a reason to send anyway, and acknowledges at least every second full segment.",
			"A 先发一个小报文段，后来又发两个满的。B 不必逐个确认：它最多等 40 ms，看有没有别的要发；但每收到两个满报文段至少确认一次。"),
		Worlds: []World{{
			Script: "0 B listen\n0 A nodelay\n10ms A connect\n100ms A send 26064\n1s A send \"ping\"\n2s A send 2896\n", For: 5 * time.Second,
			Story: []Beat{
				{"@1s", t("One small segment: B waits.", "一个小报文段：B 先等等。")},
				{"@2s", t("Two full segments: B acknowledges the second at once.", "两个满报文段：第二个一到 B 立即确认。")},
			},
		}},
		Claims: []Claim{
			claim(t("the acknowledgement of the small segment came 40 ms after it had arrived", "小报文段到达 40 ms 之后才被确认"), ackDelay(time.Second, 40*time.Millisecond)),
			claim(t("that of the two full ones came at once", "两个满报文段则立即得到确认"), ackDelay(2*time.Second, 0)),
		},
		Lesson: t("An acknowledgement can wait a little for company, but not long enough to disturb the sender's clock.", "确认可以稍等，好捎带在数据里；但不能等太久，以免打乱发送方的时钟。"),
	}
}

// ackDelay checks how long B waited with its acknowledgement of what arrived
// after a time.
func ackDelay(after, d time.Duration) func(r *Run) error {
	return func(r *Run) error {
		p := r.Plays[0]
		var arrived tcp.Time
		var end tcp.Num
		for i := range p.Packets {
			k := &p.Packets[i]
			switch {
			case p.At(k.Time) < after || p.At(k.Time) > after+900*time.Millisecond:
			case int(k.From) == A && k.Seg.Len > 0 && k.Copies > 0:
				arrived, end = k.Arrive[0], k.Seg.Seq+tcp.Num(k.Seg.Len)
			case int(k.From) == B && k.Seg.Ack == end:
				return want(k.Time.Sub(arrived) == d, "it came %v after", "在其后 %v 到达", k.Time.Sub(arrived))
			}
		}
		return problem("there is none", "没有")
	}
}

func nagle() Scenario {
	script := "0 B listen\n10ms A connect\n100ms A send \"a\"\n102ms A send \"b\"\n104ms A send \"c\"\n106ms A send \"d\"\n1s A close\n1100ms B close\n"
	return Scenario{
		Name: "nagle", Section: 7, Keep: 30,
		Title: t("Nagle's algorithm", "Nagle 算法"),
		Intro: t("A's program writes four single bytes, 2 ms apart. Nagle: as long as something small is unacknowledged, further small pieces are gathered.",
			"A 的程序每隔 2 ms 写一个字节，共四个。Nagle 算法：只要还有小报文段未得到确认，后面的零碎数据就先攒着。"),
		Worlds: []World{
			{Name: t("with Nagle", "有 Nagle"), Script: script, For: time.Minute, Story: []Beat{
				{"A sends data", t("The first byte goes at once: nothing is in flight.", "第一个字节立即发出，因为没有在途的数据。")},
				{"A sends data#2", t("Its acknowledgement lets the other three go, in one segment.", "它的确认一到，另外三个字节合成一个报文段发出。")}}},
			{Name: t("without", "没有 Nagle"), Script: "0 A nodelay\n" + script, For: time.Minute, Story: []Beat{
				{"A sends data", t("Each byte goes at once, each with 40 bytes of headers and more.", "每个字节都立即发出，各带 40 多字节的首部。")}}},
		},
		Claims: []Claim{
			claim(t("with Nagle: two segments with data", "有 Nagle：两个带数据的报文段"), sends(0, A, "data", 2)),
			claim(t("without: four", "没有：四个"), sends(1, A, "data", 4)),
			claim(t("every byte arrived, once and in order", "每个字节都按序到达，且只有一次"), complete),
		},
		Lesson: t("Nagle trades latency for fewer small segments; who needs each byte at once switches it off.", "Nagle 用时延换取较少的小报文段；每个字节都等不得的程序应把它关掉。"),
	}
}

func keepAlive() Scenario {
	return Scenario{
		Name: "keep-alive", Section: 7,
		Title: t("Keep-alive finds a dead peer", "保活探测发现对方已死"),
		Intro: t("B's host goes down without a word. A has nothing to send and would never notice; but its program asked for keep-alive: after 60 s of silence a probe every 10 s, three at most.",
			"B 的主机突然崩溃。A 没有数据要发，本来永远不会发觉；好在它的程序要求了保活：静默 60 s 之后每 10 s 探测一次，最多三次。"),
		Worlds: []World{{
			Script: "0 B listen\n0 A keep-alive\n10ms A connect\n1s A send \"hello\"\n10s B crash\n",
			Story: []Beat{
				{"@10s", t("B is gone. No segment tells it.", "B 不在了，没有任何报文段通知 A。")},
				{"A timer keepalive", t("A minute of silence: a probe, a segment without new bytes that B would have to answer.", "静默一分钟：发出探测报文段，不带新数据，B 若在就必须回答。")},
				{"A CLOSED", t("No answer to any: the connection is dead.", "都没有回答：连接已死。")},
			},
		}},
		Claims: []Claim{
			claim(t("A probed three times", "A 探测了三次"), func(r *Run) error {
				n := r.Plays[0].Counters[A].KeepAliveProbes
				return want(n == 3, "%d times", "%d 次", n)
			}),
			claim(t("A's program was told: timed out", "A 的应用程序得知：连接超时"), told(0, A, 0, tcp.ErrTimeout)),
			claim(t("90 s after it had last heard of B", "距最后一次听到 B 的消息 90 s"), func(r *Run) error {
				p := r.Plays[0]
				last := tcp.Time(0)
				for i := range p.Packets {
					if k := &p.Packets[i]; int(k.From) == B && k.Copies > 0 {
						last = k.Arrive[0]
					}
				}
				c, ok := p.entered(A, tcp.StateClosed, 1)
				if !ok || last == 0 {
					return problem("there was no such moment", "没有这样的时刻")
				}
				return want(c.at.Sub(last) == 90*time.Second, "it was %v", "是 %v", c.at.Sub(last))
			}),
		},
		Lesson: t("An idle TCP connection sends nothing at all; without keep-alive it can outlive its peer for ever.", "空闲的 TCP 连接什么都不发；没有保活，对方早没了它还可以一直“活”着。"),
	}
}

func pathMTU() Scenario {
	return Scenario{
		Name: "path-mtu", Section: 7, Keep: 12,
		Title: t("Path MTU discovery", "路径 MTU 发现"),
		Intro: t("Between A and B lies a router, and behind it a link that takes packets of 1,000 bytes only. Both hosts think of 1,500.",
			"A 和 B 之间有一个路由器，它后面的链路只能通过 1000 字节的分组；而两端的主机都以为是 1500。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n100ms A send 6000\n5s A close\n5s B close\n", Narrow: 1000, For: 2 * time.Minute,
			Story: []Beat{
				{"A sends data", t("Full-sized packets, with “don't fragment”: the router drops them and sends ICMP “fragmentation needed, MTU 1000”.",
					"满长的分组，带“不许分片”标志：路由器把它们丢弃，并发回 ICMP“需要分片，MTU 为 1000”。")},
				{"B gets data", t("A sends the same bytes again in smaller segments; they get through.", "A 把同样的数据改用较小的报文段重发，便通过了。")},
			},
		}},
		Claims: []Claim{
			claim(t("A learnt the path MTU from ICMP", "A 从 ICMP 得知路径 MTU"), func(r *Run) error {
				return want(r.Plays[0].Counters[A].MTUReductions > 0, "it did not", "没有")
			}),
			claim(t("no time-out was needed for it", "没有等到超时"), func(r *Run) error {
				return want(r.Plays[0].Counters[A].RTOs == 0, "there were %d", "有 %d 个", r.Plays[0].Counters[A].RTOs)
			}),
			claim(t("every byte arrived, once and in order", "每个字节都按序到达，且只有一次"), complete),
		},
		Lesson: t("The largest packet that gets through is a property of the path, and found out by trying.", "能通过的最大分组取决于整条路径，只有试了才知道。"),
	}
}

func congestion() Scenario {
	return Scenario{
		Name: "congestion-window", Section: 7, Keep: 6, Plot: []string{"seq", "cwnd", "rtt"},
		Title: t("The congestion window", "拥塞窗口"),
		Intro: t("A sends 600,000 bytes over a path of 4 Mbit/s whose queue holds 20 packets. Nobody tells A how much the path can take.",
			"A 要发送 600 000 字节，路径速率为 4 Mbit/s，队列能容纳 20 个分组。没有谁告诉 A 路径能承受多少。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n100ms A send 600000\n2s A close\n2100ms B close\n", Path: "rate 4mbit limit 20", For: time.Minute,
			Config: func(_ int, c *tcp.Config) { c.Congestion, c.RTOMin = "reno", 200*time.Millisecond },
			Setup:  oneWay,
			Story: []Beat{
				{"A sends data", t("Slow start: cwnd begins at ten segments and doubles each round trip.", "慢开始：拥塞窗口从十个报文段起，每个往返时间加倍。")},
				{"A cwnd fast-recovery", t("The queue overflows. Duplicate acknowledgements tell A: fast recovery, and the window is halved.", "队列溢出。重复确认让 A 得知：快恢复，窗口减半。")},
			},
		}},
		Claims: []Claim{
			claim(t("cwnd began at ten segments (RFC 6928)", "拥塞窗口从十个报文段开始（RFC 6928）"), func(r *Run) error {
				for _, e := range r.Plays[0].Events[A] {
					if e.Kind == tcp.EventOut && e.Seg.Len > 0 {
						return want(e.Cwnd == 10*1448, "at %d bytes", "是 %d 字节", e.Cwnd)
					}
				}
				return problem("nothing was sent", "什么都没有发送")
			}),
			claim(t("A recovered from losses by fast recovery", "A 通过快恢复弥补了丢失"), func(r *Run) error {
				return want(r.Plays[0].Counters[A].FastRecoveries > 0, "it did not", "没有")
			}),
			claim(t("every byte arrived, once and in order", "每个字节都按序到达，且只有一次"), complete),
		},
		Lesson: t("A second window, kept by the sender, finds out by trying what the path can take: more while all goes well, half when something is lost.",
			"发送方另有一个窗口，靠试探得知路径的承受力：顺利时逐渐加大，一有丢失就减半。"),
	}
}

// oneWay takes the limits off the path back.
func oneWay(s *Stage) {
	ab := s.model
	ba := ab
	ba.Rate, ba.Limit = netem.Rate{}, 0
	s.Path.Change(ab, ba)
}
