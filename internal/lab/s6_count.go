package lab

import (
	"time"

	"estab/tcp"
)

// counting is section 6: why three to open and four to close.
func counting() []Scenario {
	return []Scenario{{
		Name: "three-or-four", Section: 6, Letters: true,
		Title: t("The same close in three segments and in four", "同样的关闭：三个报文段与四个报文段"),
		Intro: t("In opening, B's acknowledgement and its own SYN travel in one segment, since a listener is ready for both at once. In closing, B's acknowledgement is due at once, but its FIN only when its program is done. Here it is done at once in one world, and after a second in the other.",
			"建立连接时，B 的确认和自己的 SYN 合在一个报文段里发出，因为监听者一下子就能把两件事都做了。释放连接时，B 的确认应立即发出，而 FIN 要等应用程序发完数据才能发。下面一个世界里 B 的程序立刻就完事，另一个世界里要等一秒。"),
		Worlds: []World{
			{Name: t("B's program is done at once", "B 的程序立刻完事"), Script: "0 B listen patiently\n0 B on-eof close\n10ms A connect\n1s A close\n",
				For: time.Minute, Story: []Beat{
					{"B LAST-ACK", t("B has nothing left to send: its ACK and its FIN go in one segment. Three segments close the connection.",
						"B 没有数据要发，ACK 和 FIN 合成一个报文段。三个报文段就关闭了连接。")}}},
			{Name: t("B's program needs another second", "B 的程序还要一秒"), Script: "0 B listen patiently\n0 B on-eof close 1s\n10ms A connect\n1s A close\n",
				For: time.Minute, Story: []Beat{
					{"B CLOSE-WAIT", t("A's FIN is acknowledged without waiting for B's program.", "不等 B 的程序，先对 A 的 FIN 作出确认。")},
					{"B LAST-ACK", t("A second later the program is done: now the FIN. Four segments.", "一秒后程序完事，这才发出 FIN。一共四个报文段。")}}},
		},
		Claims: []Claim{
			claim(t("done at once: three segments close", "立刻完事：三个报文段关闭连接"), closedBy(0, 3)),
			claim(t("done later: four segments close", "稍后完事：四个报文段关闭连接"), closedBy(1, 4)),
			claim(t("in the first world A passes FIN-WAIT-2 in the same instant: one segment does both", "第一个世界里 A 瞬间经过 FIN-WAIT-2：一个报文段做了两件事"),
				lasted(0, A, tcp.StateFinWait2, func(*Params) time.Duration { return 0 })),
			claim(t("in the second A waits in FIN-WAIT-2", "第二个世界里 A 要在 FIN-WAIT-2 中等待"), func(r *Run) error {
				p := r.Plays[1]
				w, ok1 := p.entered(A, tcp.StateFinWait2, 1)
				e, ok2 := p.entered(A, tcp.StateTimeWait, 1)
				return want(ok1 && ok2 && e.at > w.at, "it did not", "没有")
			}),
			claim(t("opening took three segments in both", "建立连接在两个世界里都是三个报文段"), func(r *Run) error {
				for _, p := range r.Plays {
					if n := p.count(B, "SYN-ACK"); n != 1 {
						return want(false, "B sent %d SYN,ACKs", "B 发送了 %d 个 SYN,ACK", n)
					}
				}
				return nil
			}),
		},
		Lesson: t("Opening could take four, too, if B had to think between ACK and SYN; it never has to. Closing, the program between the two decides.",
			"假如 B 在 ACK 和 SYN 之间需要考虑，建立连接也要四次，只是它从不需要。释放连接时，隔在两者之间的是应用程序。"),
	}}
}

// closedBy checks how many segments there were from the first FIN on.
func closedBy(world, n int) func(r *Run) error {
	return func(r *Run) error {
		p, got := r.Plays[world], 0
		for i := range p.Packets {
			if got > 0 || isKind(&p.Packets[i].Seg, "FIN") {
				got++
			}
		}
		return want(got == n, "there were %d", "有 %d 个", got)
	}
}
