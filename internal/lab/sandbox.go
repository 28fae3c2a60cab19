package lab

// Sandbox is a scenario in which nothing happens unless somebody writes it
// into its script. It has a page of its own and is not among Scenarios.
func Sandbox() Scenario {
	return Scenario{
		Name: "sandbox", Section: 8, Letters: true, Plot: []string{"seq", "cwnd", "rtt"},
		Title: t("Sandbox", "沙盒"),
		Intro: t("Two hosts and a path. B listens. What A and B do is up to you: connect, send, close, abort, at any time, and lose what you like on the way.",
			"两台主机，一条路径，B 在监听。A 和 B 做什么全由你定：随时连接、发送、关闭、放弃；途中丢掉哪个报文段也由你。"),
		Worlds: []World{{Script: "0 B listen\n"}},
		Claims: []Claim{
			always(t("what each side has read is what the other one sent, in order", "每一方读到的就是对方发送的，且次序不乱"), intact),
			always(t("every change of state is one that figure 5 allows", "每次状态转换都是图 5 所允许的"), legalOnly),
		},
		Lesson: t("Whatever you did to them, this is what TCP made of it.", "无论你怎么折腾，TCP 就是这样应对的。"),
	}
}

// legalOnly checks that the engines made no transition that figure 5 has not.
func legalOnly(r *Run) error {
	for _, p := range r.Plays {
		for i := range p.Counters[:2] {
			if n := p.Counters[i].IllegalTransitions; n != 0 {
				return problem("%c made %d others", "%c 有 %d 次例外", 'A'+i, n)
			}
		}
	}
	return nil
}
