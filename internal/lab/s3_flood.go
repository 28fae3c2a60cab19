package lab

import (
	"fmt"
	"time"

	"estab/internal/trace"
	"estab/tcp"
)

// flood is section 3.
func flood() []Scenario {
	return []Scenario{floodClassic(), floodEcho(), floodWait(), floodVictim(), floodNAT(), floodEviction(), floodCookies(), floodRecord(), floodTable()}
}

func undefended() tcp.Defence {
	return tcp.Defence{NoCookies: true, NoEviction: true, NoPressure: true, NoSources: true}
}

// connected checks whether A's n-th client got its connection.
func connected(world, n int, yes bool) func(r *Run) error {
	return func(r *Run) error {
		ends := r.Plays[world].Ends[A]
		if n >= len(ends) {
			return problem("there is no such client", "没有这个客户")
		}
		ok := ends[n].Connected >= 0 && ends[n].Err == 0
		return want(ok == yes, "connected: %v, error: %v", "连上：%v，出错：%v", ok, ends[n].Err)
	}
}

func floodClassic() Scenario {
	world := func(name Text, d tcp.Defence, story []Beat) World {
		return World{Name: name, Script: "0 B listen\n2s A connect\n", For: 30 * time.Second,
			Config: func(_ int, c *tcp.Config) { c.MaxHalfOpen, c.Defence, c.SynRetries = 3, d, 2 },
			Setup:  func(s *Stage) { flooding{Rate: 2, For: 2 * time.Second}.start(s) }, Story: story}
	}
	return Scenario{
		Name: "flood-small", Section: 3, Letters: true,
		Title: t("Four forged SYNs close a small server", "四个伪造的 SYN 就能堵住一台小服务器"),
		Intro: t("B has room for three half-open connections. Somebody sends SYNs with forged addresses and never answers B's SYN,ACKs. Then A comes, an honest client.",
			"B 只能容纳三个半连接。有人用伪造的源地址发来 SYN，却从不理会 B 的 SYN,ACK。随后，正常客户 A 来了。"),
		Worlds: []World{
			world(t("without defence", "没有防御"), undefended(), []Beat{
				{"A sends SYN", t("The half-open queue is full of connections that will never be: A's SYN is dropped.", "半连接队列里全是永远建立不起来的连接：A 的 SYN 被丢弃。")},
				{"A CLOSED", t("A asks three times and gives up. Denial of service, with four segments.", "A 试了三次，只好放弃。四个报文段就造成了拒绝服务。")}}),
			world(t("with the engine's defences", "引擎默认的防御"), tcp.Defence{}, []Beat{
				{"B sends SYN-ACK", t("The queue is full here, too. B answers without a record: y is a cookie, in which everything is sealed that B will need.",
					"队列同样满了。B 不记录就作答：y 是一个 cookie，里面密封着 B 将来需要的一切。")},
				{"B ESTABLISHED", t("A's third segment brings the cookie back.", "A 的第三个报文段把 cookie 带了回来。")}}),
		},
		Claims: []Claim{
			claim(t("without defence: A is shut out", "没有防御：A 被拒之门外"), told(0, A, 0, tcp.ErrTimeout)),
			claim(t("with it: A connects in one round trip", "有防御：A 一个往返时间就连上"), func(r *Run) error {
				e := r.Plays[1].Ends[A][0]
				return want(e.Connected-e.Began == 2*r.Params.Delay, "it took %v", "用了 %v", e.Connected-e.Began)
			}),
			claim(t("A's was the cookie's doing", "靠的就是 cookie"), func(r *Run) error {
				return want(r.Plays[1].Counters[B].CookiesAccepted == 1, "%d were accepted", "接受了 %d 个", r.Plays[1].Counters[B].CookiesAccepted)
			}),
		},
		Lesson: t("B spends something on the word of anybody, and A has to be honest only at the third step: that asymmetry is the weakness.",
			"任何人说一声 B 就要付出资源，而对方要到第三步才需要兑现：弱点就在这种不对称。"),
	}
}

func floodEcho() Scenario {
	world := func(name Text, retries int) World {
		return World{Name: name, Script: "0 B listen\n", Quiet: true, For: time.Minute,
			Config: func(_ int, c *tcp.Config) { c.Defence, c.SynAckRetries = undefended(), retries },
			Setup:  func(s *Stage) { flooding{Rate: 100, For: 5 * time.Second}.start(s) }}
	}
	return Scenario{
		Name: "flood-amplification", Section: 3,
		Title: t("The flood congests, too", "洪泛还会造成拥塞"),
		Intro: t("Each forged SYN is answered, and the answer goes to somebody who never asked. With repeats, B sends several times what it gets.",
			"每个伪造的 SYN 都会引来回答，而回答发给了从未发起连接的人。加上重传，B 发出的是收到的好几倍。"),
		Worlds: []World{world(t("with three repeats", "重传三次"), 3), world(t("without repeats", "不重传"), -1)},
		Table: func(r *Run) []Table {
			tab := Table{Title: t("Bytes that B sends to forged addresses", "B 发往伪造地址的字节"),
				Heads: []Text{t("", ""), t("forged SYN bytes", "伪造 SYN 字节"), t("SYN,ACK bytes", "SYN,ACK 字节"), t("ratio", "比值")}}
			for _, p := range r.Plays {
				f := p.stage.flood
				tab.Rows = append(tab.Rows, []Text{p.Name, same(trace.Count(f.synBytes)), same(trace.Count(f.ackBytes)), same(fmt.Sprintf("%.2f", p.measure().ratio))})
			}
			return []Table{tab}
		},
		Claims: []Claim{
			claim(t("with three repeats B sends four times what it gets", "重传三次：发出的是收到的四倍"), ratio(0, 4)),
			claim(t("without, it sends as much as it gets", "不重传：收发相当"), ratio(1, 1)),
			claim(t("all records go in the end", "最后所有记录都会清除"), nothingLeft),
		},
		Lesson: t("A server's patience is an amplifier in a forger's hand; under pressure, and for cookies, nothing is repeated.", "服务器的耐心在伪造者手里成了放大器；所以在压力之下要少重传，cookie 则根本不重传。"),
	}
}

func ratio(world int, expected float64) func(r *Run) error {
	return func(r *Run) error {
		x := r.Plays[world].measure().ratio
		return want(x > expected-0.01 && x < expected+0.01, "the ratio is %.3f", "比值为 %.3f", x)
	}
}

func floodWait() Scenario {
	world := func(name Text, off bool, story []Beat) World {
		return World{Name: name, Script: "0 B listen\n10ms A connect\n", Delay: 2 * time.Second, For: 10 * time.Second,
			Config: func(host int, c *tcp.Config) {
				c.MaxHalfOpen, c.Defence = 64, undefended()
				c.Defence.NoPressure = off
				if host == A {
					c.RTOInitial = 5 * time.Second
				}
			},
			Setup: func(s *Stage) { flooding{Rate: 20, For: 8 * time.Second}.start(s) }, Story: story}
	}
	return Scenario{
		Name: "flood-shorter-wait", Section: 3, Letters: true,
		Title: t("A shorter wait under pressure, and its price", "压力之下缩短等待，及其代价"),
		Intro: t("When three quarters of its table are in use, B gives half-open records 3 s instead of 15. A is honest, but far away: its round trip takes 4 s.",
			"半连接表用掉四分之三时，B 只给每条记录 3 秒，而不是 15 秒。A 是正常客户，只是太远：往返一次要 4 秒。"),
		Worlds: []World{
			world(t("waiting as long as ever", "照常等待"), true, []Beat{{"B ESTABLISHED", t("A's answer comes after 4 s, in time.", "4 秒后 A 的回答到了，来得及。")}}),
			world(t("waiting for a shorter time", "缩短等待"), false, []Beat{
				{"B LISTEN", t("Three seconds: the record goes, and with it A's chance.", "三秒一到，记录被清除，A 的机会也没有了。")},
				{"B sends RST", t("A's answer finds nothing: RST.", "A 的回答找不到记录：RST。")}}),
		},
		Table: func(r *Run) []Table {
			tab := Table{Title: t("The gain", "收获"), Heads: []Text{t("", ""), t("most half-open", "半连接最多"), t("SYNs dropped", "丢弃的 SYN")}}
			for _, p := range r.Plays {
				m := p.measure()
				tab.Rows = append(tab.Rows, []Text{p.Name, same(trace.Count(m.halfOpen)), same(trace.Count(m.drops))})
			}
			return []Table{tab}
		},
		Claims: []Claim{
			claim(t("patient: A connects", "照常等待：A 连上"), connected(0, 0, true)),
			claim(t("impatient: A is reset", "缩短等待：A 被复位"), told(1, A, 0, tcp.ErrReset)),
			claim(t("the gain: fewer SYNs find the table full", "收获：因表满而丢弃的 SYN 更少"), func(r *Run) error {
				a, b := r.Plays[0].measure().drops, r.Plays[1].measure().drops
				return want(b < a, "%d, patient %d", "%d，照常等待时 %d", b, a)
			}),
		},
		Lesson: t("A shorter wait frees room for the near at the cost of the far.", "缩短等待，是牺牲远方的客户，给近处的腾地方。"),
	}
}

func floodVictim() Scenario {
	world := func(name Text, d tcp.Defence, before string, story []Beat) World {
		return World{Name: name, Script: "0 B listen\n" + before, Quiet: true, Watch: clientPort + 1, For: 10 * time.Second,
			Config: func(_ int, c *tcp.Config) { c.Defence, c.SynRetries = d, 2 },
			Setup: func(s *Stage) {
				flooding{Rate: 1000, For: 10 * time.Second, Victim: true}.start(s)
				s.At(1800*time.Millisecond, func() { s.actors[A].connect(clientPort + 1); s.Host(A).Flush() })
			}, Story: story}
	}
	drop := tcp.Defence{DropSources: true, NoCookies: true}
	return Scenario{
		Name: "flood-victim", Section: 3, Letters: true,
		Title: t("Dropping a source's repeated SYNs locks its owner out", "按来源丢弃 SYN，会把被冒名者锁在门外"),
		Intro: t("“Drop the SYNs of a source that sends too many in a short time.” Then forge a victim's address: here A's, a thousand times a second. (A's firewall keeps B's answers to what A did not ask from A.)",
			"“短时间内发来太多 SYN 的来源，一律丢弃。”那么只要冒用受害者的地址就行了：这里每秒一千个 SYN，都冒用 A 的地址。（B 对它们的回答，A 的防火墙一概挡下。）"),
		Worlds: []World{
			world(t("over the limit: dropped", "超过限额：丢弃"), drop, "", []Beat{
				{"A sends SYN", t("A comes itself, and is over “its” limit.", "A 本人来了，可是“它的”限额早已用完。")},
				{"A CLOSED", t("Locked out, by somebody who never saw one of B's answers.", "A 被锁在门外，而害它的人连 B 的一个回答都没见过。")}}),
			world(t("over the limit: a cookie (default)", "超过限额：发 cookie（默认）"), tcp.Defence{}, "", []Beat{
				{"B sends SYN-ACK", t("B answers with a cookie: A can bring it back, the forger can't.", "B 用 cookie 作答：A 带得回来，伪造者带不回来。")}}),
		},
		Claims: []Claim{
			claim(t("dropping: A is locked out", "丢弃：A 被锁在门外"), told(0, A, 0, tcp.ErrTimeout)),
			claim(t("cookies: A connects in spite of its forger", "cookie：尽管被冒名，A 照样连上"), connected(1, 0, true)),
		},
		Lesson: t("A source address is a claim, not a fact. Punishing it punishes whoever owns it.", "源地址只是一面之词，并非事实。惩罚它，罚的是它真正的主人。"),
	}
}

func floodNAT() Scenario {
	world := func(name Text, d tcp.Defence, story []Beat) World {
		return World{Name: name, Script: "0 B listen\n", Delay: 400 * time.Millisecond, Quiet: true, Watch: clientPort + 16, For: 20 * time.Second,
			Config: func(_ int, c *tcp.Config) { c.Defence = d; c.Defence.SourceHalfOpen = 16 },
			Setup: func(s *Stage) {
				flooding{Rate: 1, For: time.Second}.start(s) // one forged SYN: what is measured is the clients
				clients(s, 40, 10*time.Millisecond, time.Millisecond)
			}, Story: story}
	}
	return Scenario{
		Name: "flood-nat", Section: 3, Keep: 3,
		Title: t("Clients behind one NAT share a limit", "同一 NAT 之后的客户共用一个限额"),
		Intro: t("A is a NAT: forty people behind it connect within 40 ms, all with the same address. The limit for a source is sixteen half-open connections.",
			"A 是一台 NAT：它后面的四十个人在 40 ms 内同时发起连接，用的是同一个地址。每个来源最多十六个半连接。"),
		Worlds: []World{
			world(t("over the limit: dropped", "超过限额：丢弃"), tcp.Defence{DropSources: true, NoCookies: true}, []Beat{
				{"@26ms", t("The seventeenth is dropped, and all that follow: they have to try again after a second.", "第十七个起都被丢弃，一秒后还得重试。")}}),
			world(t("over the limit: a cookie (default)", "超过限额：发 cookie（默认）"), tcp.Defence{}, []Beat{
				{"@800ms", t("The seventeenth gets a cookie, and never knows.", "第十七个得到的是 cookie，它自己毫无察觉。")}}),
		},
		Table: func(r *Run) []Table {
			tab := Table{Title: t("Forty honest clients", "四十个正常客户"), Heads: []Text{t("", ""), t("connected", "连上"), t("median", "中位时延"), t("worst", "最长"), t("SYNs dropped", "丢弃的 SYN"), t("cookies", "cookie")}}
			for _, p := range r.Plays {
				m := p.measure()
				tab.Rows = append(tab.Rows, []Text{p.Name, same(fmt.Sprintf("%d/%d", m.ok, m.clients)), latency(m.ok, m.median), latency(m.ok, m.worst), same(trace.Count(m.drops)), same(trace.Count(m.cookies))})
			}
			return []Table{tab}
		},
		Claims: []Claim{
			claim(t("dropping: 24 of 40 honest SYNs are dropped", "丢弃：四十个正常的 SYN 有二十四个被丢"), func(r *Run) error {
				return want(r.Plays[0].measure().drops == 24, "%d were", "有 %d 个", r.Plays[0].measure().drops)
			}),
			claim(t("cookies: everybody connects in one round trip", "cookie：人人都在一个往返时间内连上"), func(r *Run) error {
				m := r.Plays[1].measure()
				return want(m.ok == 40 && m.worst == 800*time.Millisecond, "%d, the slowest after %v", "%d 个，最慢的用了 %v", m.ok, m.worst)
			}),
			claim(t("once one of them has completed a handshake the address is verified, and exempt", "只要有一个人完成握手，这个地址就算得到验证，不再受限"), func(r *Run) error {
				return want(r.Plays[0].measure().ok == 40, "%d connected in the end", "最后连上 %d 个", r.Plays[0].measure().ok)
			}),
		},
		Lesson: t("One address may be many people.", "一个地址后面可能是许多人。"),
	}
}

func floodEviction() Scenario {
	world := func(name Text, delay time.Duration) World {
		return World{Name: name, Script: "0 B listen\n0 A nodelay\n", Delay: delay, Quiet: true, For: 10 * time.Second,
			Config: func(_ int, c *tcp.Config) {
				c.MaxHalfOpen, c.SynRetries = 64, 1
				c.Defence = tcp.Defence{NoCookies: true, NoPressure: true, NoSources: true}
			},
			Setup: func(s *Stage) {
				flooding{Rate: 1000, For: 5 * time.Second}.start(s)
				clients(s, 20, time.Second, 100*time.Millisecond)
			}}
	}
	return Scenario{
		Name: "flood-eviction", Section: 3,
		Title: t("Evicting the oldest record, and its price", "挤掉最旧的记录，及其代价"),
		Intro: t("A full table makes room for each new SYN by forgetting the oldest record. At 1,000 SYNs a second and 64 records, each lives for 64 ms: longer than a near client's round trip, shorter than a far one's.",
			"表满时，每来一个新的 SYN 就忘掉最旧的记录。每秒 1000 个 SYN、64 条记录，每条只活 64 ms：近处客户的往返时间够用，远处的就不够。"),
		Worlds: []World{world(t("clients with a round trip of 20 ms", "往返时间 20 ms 的客户"), 10*time.Millisecond), world(t("clients with a round trip of 100 ms", "往返时间 100 ms 的客户"), 50*time.Millisecond)},
		Table: func(r *Run) []Table {
			tab := Table{Title: t("Twenty honest clients each", "各二十个正常客户"), Heads: []Text{t("", ""), t("served", "得到服务"), t("evictions", "挤掉")}}
			for _, p := range r.Plays {
				tab.Rows = append(tab.Rows, []Text{p.Name, same(fmt.Sprintf("%d/%d", len(p.Ends[B]), len(p.Ends[A]))), same(trace.Count(p.measure().evicted))})
			}
			return []Table{tab}
		},
		Claims: []Claim{
			claim(t("the near clients are all served", "近处客户全部得到服务"), served(0, 20)),
			claim(t("of the far ones, none", "远处客户一个也没有"), served(1, 0)),
		},
		Lesson: t("Eviction favours whoever answers fast. Beyond some rate nobody does: then only cookies help.", "挤掉最旧的，有利于回答快的人；速率再高，谁也来不及，那时只有 cookie 管用。"),
	}
}

// served checks how many connections B's program was given.
func served(world, n int) func(r *Run) error {
	return func(r *Run) error {
		got := len(r.Plays[world].Ends[B])
		return want(got == n, "%d were", "有 %d 个", got)
	}
}

func floodCookies() Scenario {
	world := func(name Text, full bool, story []Beat) World {
		return World{Name: name, Script: "0 B listen\n0 B on-accept send \"220 ready\\n\"\n1s A connect\nlose A:2\n", For: time.Minute,
			Config: func(_ int, c *tcp.Config) {
				if full {
					c.MaxHalfOpen = 1
				}
			},
			Setup: func(s *Stage) { flooding{Rate: 2, For: time.Second}.start(s) }, Story: story}
	}
	return Scenario{
		Name: "flood-cookies", Section: 3, Letters: true,
		Title: t("SYN cookies, and their price", "SYN cookie，及其代价"),
		Intro: t("A server that speaks first (“220 ready”), and a third segment that is lost. B with a record repeats its SYN,ACK. B with a cookie has nothing to remember that it should.",
			"服务器先开口（“220 ready”），而第三个报文段恰好丢失。有记录的 B 会重传 SYN,ACK；用 cookie 的 B 什么都没记，也就不知道该重传。"),
		Worlds: []World{
			world(t("with a record", "有记录"), false, []Beat{
				{"B sends SYN-ACK#2", t("B's record has a timer.", "B 的记录带有计时器。")},
				{"A gets data", t("The greeting, a second late.", "问候语晚了一秒，总算到了。")}}),
			world(t("with a cookie", "用 cookie"), true, []Beat{
				{"B sends SYN-ACK", t("The table is full: the SYN,ACK is a cookie, B keeps nothing.", "表已满：SYN,ACK 是一个 cookie，B 什么都不留。")},
				{"end", t("A is ESTABLISHED and waits for a greeting; B knows of no A. Only if A says something first will B learn of it.",
					"A 已是 ESTABLISHED，等着问候；B 却不知道有 A。除非 A 先开口，B 才会知道。")}}),
		},
		Claims: []Claim{
			claim(t("with a record: A gets the greeting", "有记录：A 收到问候"), func(r *Run) error {
				return want(string(r.Plays[0].Ends[A][0].Got) == "220 ready\n", "it got %q", "收到的是 %q", r.Plays[0].Ends[A][0].Got)
			}),
			claim(t("with a cookie: A is connected to nobody, and is not told", "用 cookie：A 连着一个不存在的对方，且无人告知"), func(r *Run) error {
				p := r.Plays[1]
				e := p.Ends[A][0]
				return want(e.Connected >= 0 && len(e.Got) == 0 && e.Err == 0 && len(p.Ends[B]) == 0, "it got %q, error %v", "收到的是 %q，出错：%v", e.Got, e.Err)
			}),
		},
		Lesson: t("What isn't stored can't be exhausted, and can't be repaired either. So cookies are for when the table is full, not for always.",
			"不存，就无从耗尽；不存，也就无从弥补。所以 cookie 只在表满时使用，而不是任何时候。"),
	}
}

func floodRecord() Scenario {
	return Scenario{
		Name: "flood-record", Section: 3,
		Title: t("A record instead of a TCB", "用小记录代替 TCB"),
		Intro: t("The same flood of 1,000 SYNs a second for 30 s. How much memory do the half-open connections take, as records and as TCBs?",
			"同样是每秒 1000 个 SYN 的洪泛，持续 30 秒。半连接各占多少内存：用小记录，还是用 TCB？"),
		Worlds: []World{{Script: "0 B listen\n", Quiet: true, For: 75 * time.Second,
			Config: func(_ int, c *tcp.Config) { c.Defence = undefended() },
			Setup:  func(s *Stage) { flooding{Rate: 1000, For: 30 * time.Second}.start(s) }}},
		Table: func(r *Run) []Table {
			n := r.Plays[0].measure().halfOpen
			row := func(name Text, each int) []Text {
				return []Text{name, same(trace.Count(n)), same(trace.Count(each)), same(trace.Size(uint64(n * each)))}
			}
			return []Table{{Title: t("At the peak", "高峰时"), Heads: []Text{t("", ""), t("half-open", "半连接"), t("bytes each", "每个字节"), t("all", "合计")}, Rows: [][]Text{
				row(t("records (estab)", "小记录（estab）"), halfOpenBytes+tableBytes),
				row(t("TCBs without buffers", "TCB，无缓存"), tcbBytes+tableBytes),
				row(t("TCBs with buffers (classic)", "TCB 加缓存（传统）"), tcbBytes+tableBytes+classicBuffers),
				row(t("cookies", "cookie"), 0),
			}}}
		},
		Claims: []Claim{
			claim(t("a SYN that nobody answers for is remembered for 15 s: 15,000 records at 1,000 a second", "无人应答的 SYN 要记 15 s：每秒 1000 个就是 15 000 条记录"), func(r *Run) error {
				n := r.Plays[0].measure().halfOpen
				return want(n >= 14_990 && n <= 15_010, "there were %d", "有 %d 个", n)
			}),
			claim(t("all records go in the end", "最后所有记录都会清除"), nothingLeft),
		},
		Lesson: t("The same flood that fills megabytes as records fills gigabytes as TCBs with buffers.", "同样的洪泛，用小记录不过占一两兆字节，用带缓存的 TCB 就要占到吉字节。"),
	}
}
