package lab

import (
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// closing is section 4: how a connection ends.
func closing() []Scenario {
	return []Scenario{closeFour(), closeSimultaneous(), closeAbort(), closeOrphan(), closeLeak()}
}

func closeFour() Scenario {
	return Scenario{
		Name: "four-way-close", Section: 4, Letters: true,
		Title: t("The four-way close", "四次挥手"),
		Intro: t("A has nothing more to send and closes. B still has: for two seconds the connection is open in one direction only. u, v and w are the numbers of A's FIN, of B's acknowledgement and of B's FIN.",
			"A 没有数据要发了，先行关闭；B 还有。有两秒钟，连接只在一个方向上开着。u、v、w 分别是 A 的 FIN、B 的确认和 B 的 FIN 的序号。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n100ms A send \"request\"\n1s A shut\n2s B send \"the last part\"\n3s B close\n3500ms A close\n",
			Story: []Beat{
				{"A FIN-WAIT-1", t("A sends FIN=1, seq=u. The FIN takes one sequence number, even without data. A sends no more data: FIN-WAIT-1.",
					"A 发出连接释放报文段：FIN=1，seq=u。FIN 即使不带数据也要消耗一个序号。A 不再发送数据，进入 FIN-WAIT-1（终止等待 1）。")},
				{"B sends ACK#2", t("B acknowledges: ack=u+1, seq=v. B: CLOSE-WAIT, and its program learns that A has finished. The connection is half-closed: A to B is over, B to A is not.",
					"B 发出确认：ack=u+1，seq=v，进入 CLOSE-WAIT（关闭等待），并通知应用程序。此时连接处于半关闭状态：A 到 B 的方向已经释放，B 到 A 的方向还没有。")},
				{"A FIN-WAIT-2", t("A: FIN-WAIT-2. Now it waits for B's FIN, as long as B likes.", "A 进入 FIN-WAIT-2（终止等待 2），等待 B 的 FIN，等多久由 B 决定。")},
				{"B sends data", t("B goes on sending; A must take it, and does.", "B 继续发送数据，A 必须接收，也确实收下了。")},
				{"B LAST-ACK", t("B has finished: FIN=1, ACK=1, seq=w, and once more ack=u+1. B: LAST-ACK.",
					"B 也发完了：FIN=1，ACK=1，seq=w，并重复上次的确认号 ack=u+1。B 进入 LAST-ACK（最后确认）。")},
				{"A TIME-WAIT", t("A acknowledges: ACK=1, seq=u+1, ack=w+1. A: TIME-WAIT, for 2 MSL.", "A 发出确认：ACK=1，seq=u+1，ack=w+1。A 进入 TIME-WAIT（时间等待），要等待 2MSL。")},
				{"B CLOSED", t("B has its acknowledgement: CLOSED, at once.", "B 收到确认，立即进入 CLOSED。")},
				{"A CLOSED", t("{2msl} later A is CLOSED too. B ended earlier than A.", "{2msl} 之后 A 才进入 CLOSED。B 结束 TCP 连接的时间比 A 早。")},
			},
		}},
		Claims: []Claim{
			claim(t("A: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, CLOSED", "A：FIN-WAIT-1、FIN-WAIT-2、TIME-WAIT、CLOSED"), goes(0, A, "SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED")),
			claim(t("B: CLOSE-WAIT, LAST-ACK, CLOSED", "B：CLOSE-WAIT、LAST-ACK、CLOSED"), goes(0, B, "SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED")),
			claim(t("what B sent while the connection was half-closed reached A", "B 在半关闭期间发送的数据 A 都收到了"), complete),
			claim(t("both FINs take a number: ack=u+1 and ack=w+1", "两个 FIN 各消耗一个序号：ack=u+1 和 ack=w+1"), both(
				ackOf(0, B, "FIN", A, "FIN"), func(r *Run) error {
					p := r.Plays[0]
					last := p.Packets[len(p.Packets)-1]
					return want(last.From == 0 && last.Seg.Ack == p.nth(B, "FIN", 1).Seg.Seq+1, "the last ACK is another", "最后的 ACK 不是它")
				})),
			claim(t("TIME-WAIT lasted exactly {2msl}", "TIME-WAIT 恰好持续了 {2msl}"), lasted(0, A, tcp.StateTimeWait, twoMSL)),
			claim(t("in the end nothing is left at either side", "最后双方什么都不剩"), nothingLeft),
		},
		Lesson: t("Each direction is closed by its own FIN, and each FIN is acknowledged: two times two segments.",
			"两个方向各由自己的 FIN 关闭，每个 FIN 各得到一次确认：二二得四。"),
	}
}

func closeSimultaneous() Scenario {
	return Scenario{
		Name: "simultaneous-close", Section: 4, Letters: true,
		Title: t("Both close at the same time", "双方同时关闭"),
		Intro: t("A and B close at the same moment; their FINs cross on the way.", "A 和 B 同时关闭，两个 FIN 在途中交错而过。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n1s A close\n1s B close\n",
			Story: []Beat{
				{"A FIN-WAIT-1", t("Both have sent a FIN, both are in FIN-WAIT-1.", "双方都发出了 FIN，都处于 FIN-WAIT-1。")},
				{"A CLOSING", t("Instead of an acknowledgement comes a FIN: CLOSING. It is acknowledged.", "等来的不是确认，而是对方的 FIN：进入 CLOSING（正在关闭），并对它作出确认。")},
				{"A TIME-WAIT", t("The acknowledgement of the own FIN comes: both are in TIME-WAIT, and both wait.", "自己的 FIN 也得到了确认：双方都进入 TIME-WAIT，都要等待。")},
			},
		}},
		Claims: []Claim{
			claim(t("both went through FIN-WAIT-1, CLOSING and TIME-WAIT", "双方都经过 FIN-WAIT-1、CLOSING、TIME-WAIT"), both(
				goes(0, A, "SYN-SENT ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED"),
				goes(0, B, "SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED"))),
			claim(t("both waited exactly {2msl}", "双方都恰好等待了 {2msl}"), both(lasted(0, A, tcp.StateTimeWait, twoMSL), lasted(0, B, tcp.StateTimeWait, twoMSL))),
			claim(t("in the end nothing is left at either side", "最后双方什么都不剩"), nothingLeft),
		},
		Lesson: t("Who sends a FIN before it has seen the other's has to wait in the end: here, both.", "没见到对方的 FIN 就先发 FIN 的一方，最后都要等待：这里是双方。"),
	}
}

func closeAbort() Scenario {
	return Scenario{
		Name: "abort", Section: 4, Letters: true,
		Title: t("Aborted with RST", "用 RST 异常终止"),
		Intro: t("A does not close in order but aborts.", "A 不按部就班地关闭，而是直接放弃连接。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n100ms A send \"hello\"\n1s A abort\n",
			Story: []Beat{
				{"A sends RST", t("A sends RST and forgets the connection at once: no FIN, no acknowledgement, no TIME-WAIT.",
					"A 发出 RST，立即忘掉这个连接：没有 FIN，没有确认，也没有 TIME-WAIT。")},
				{"B CLOSED", t("B's program is told that the connection was reset. What had not been read may be lost.", "B 的应用程序得知连接被复位。尚未读取的数据可能丢失。")},
			},
		}},
		Claims: []Claim{
			claim(t("no FIN was sent", "没有发送任何 FIN"), both(sends(0, A, "FIN", 0), sends(0, B, "FIN", 0))),
			claim(t("B's program was told: connection reset", "B 的应用程序得知：连接被复位"), told(0, B, 0, tcp.ErrReset)),
			claim(t("nobody was in TIME-WAIT", "没有谁进入 TIME-WAIT"), both(goes(0, A, "SYN-SENT ESTABLISHED CLOSED"), goes(0, B, "SYN-RECEIVED ESTABLISHED CLOSED"))),
			claim(t("nothing is left at either side", "双方什么都不剩"), nothingLeft),
		},
		Lesson: t("A reset is quick and says nothing about what arrived.", "RST 干脆利落，但不保证数据已经送达。"),
	}
}

func closeOrphan() Scenario {
	return Scenario{
		Name: "fin-wait-2-orphan", Section: 4, Letters: true,
		Title: t("An orphan whose peer never closes", "对方始终不关闭：FIN-WAIT-2 超时"),
		Intro: t("A's program closes for good: nobody at A will read any more. B acknowledges the FIN, and never sends its own.",
			"A 的应用程序彻底关闭，A 这边再也没有人读数据了。B 确认了 FIN，却迟迟不发自己的 FIN。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect\n1s A close\n5m B send \"still there?\"\n",
			Story: []Beat{
				{"A FIN-WAIT-2", t("RFC 9293 lets A wait for ever. A connection that belongs to no program is an orphan; this engine lets it wait for 60 s.",
					"按 RFC 9293，A 可以永远等下去。不再属于任何程序的连接是“孤儿”，本引擎只让它等 60 s。")},
				{"A CLOSED", t("The time is over: A forgets the connection, without a word.", "时间一到，A 悄悄忘掉这个连接。")},
				{"B sends data", t("Minutes later B sends something: A knows nothing of it, and says RST.", "几分钟后 B 又发来数据：A 已不知道这个连接，回以 RST。")},
			},
		}},
		Claims: []Claim{
			claim(t("FIN-WAIT-2 lasted exactly 60 s", "FIN-WAIT-2 恰好持续了 60 s"), lasted(0, A, tcp.StateFinWait2, func(*Params) time.Duration { return time.Minute })),
			claim(t("B's program was told: connection reset", "B 的应用程序得知：连接被复位"), told(0, B, 0, tcp.ErrReset)),
			claim(t("in the end nothing is left at either side", "最后双方什么都不剩"), nothingLeft),
		},
		Lesson: t("A half-closed connection may live as long as its program wants; one without a program may not.", "半关闭的连接，程序还在就可以一直保持；没有程序的孤儿就不行了。"),
	}
}

func closeLeak() Scenario {
	return Scenario{
		Name: "close-wait-leak", Section: 4,
		Title: t("A program that never calls close", "从不调用 close 的程序：CLOSE-WAIT 泄漏"),
		Intro: t("Five connections come and go. B's program reads to the end of each but forgets to close.",
			"先后有五个连接来了又走。B 的程序把每个连接的数据都读完了，却忘了关闭。"),
		Worlds: []World{{
			Script: "0 B listen\n10ms A connect 40000\n100ms A close\n1s A connect 40001\n1100ms A close\n2s A connect 40002\n2100ms A close\n" +
				"3s A connect 40003\n3100ms A close\n4s A connect 40004\n4100ms A close\n",
			For: time.Hour,
			Story: []Beat{
				{"B CLOSE-WAIT", t("A has closed, B has acknowledged: CLOSE-WAIT. Only B's program can end this state.", "A 已关闭，B 已确认：CLOSE-WAIT。只有 B 的程序才能结束这个状态。")},
				{"B CLOSE-WAIT#5", t("By now there are five of them.", "现在已经有五个了。")},
				{"end", t("No timer will ever remove them: they stay until the program ends.", "没有任何计时器会清除它们：程序不结束，它们就一直在。")},
			},
		}},
		Claims: []Claim{
			claim(t("at the end B holds five connections in CLOSE-WAIT", "最后 B 留有五个处于 CLOSE-WAIT 的连接"), func(r *Run) error {
				n := 0
				r.Plays[0].stage.Host(B).TCP().States(func(_ wire.Tuple, s tcp.State) bool {
					if s == tcp.StateCloseWait {
						n++
					}
					return true
				})
				return want(n == 5, "it holds %d", "占 %d", n)
			}),
			claim(t("A holds none: its orphans gave up after 60 s", "A 一个也没有：它的孤儿 60 s 后都放弃了"), func(r *Run) error {
				return want(r.Plays[0].Left[A].Conns == 0, "it holds %d", "占 %d", r.Plays[0].Left[A].Conns)
			}),
		},
		Lesson: t("Many connections in CLOSE-WAIT always mean the same: a program here that forgets to close.", "大量的 CLOSE-WAIT 只说明一件事：本机的程序忘了关闭连接。"),
	}
}
