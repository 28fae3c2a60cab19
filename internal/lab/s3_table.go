package lab

import (
	"fmt"
	"time"

	"estab/internal/trace"
	"estab/tcp"
)

// mode is a choice of defences.
type mode struct {
	name    Text
	defence tcp.Defence
	price   Text
}

// backlog is how many half-open records the floods' B may have: few, so that
// small floods show what large ones do to large tables.
const backlog = 256

// modes are no defence, each alone, and all together.
func modes() []mode {
	return []mode{
		{t("none", "无防御"), tcp.Defence{NoCookies: true, NoEviction: true, NoPressure: true, NoSources: true},
			t("honest clients are shut out", "正常客户被拒之门外")},
		{t("shorter wait", "缩短等待"), tcp.Defence{NoCookies: true, NoEviction: true, NoSources: true},
			t("long round trips are dropped: flood-shorter-wait", "往返时间长的客户被丢弃：见 flood-shorter-wait")},
		{t("source limit", "来源限额"), tcp.Defence{NoCookies: true, NoEviction: true, NoPressure: true, DropSources: true},
			t("no use if each SYN has another source; victims are locked out: flood-victim", "源地址各不相同时无效；被冒名者受牵连：见 flood-victim")},
		{t("evict oldest", "挤掉最旧"), tcp.Defence{NoCookies: true, NoPressure: true, NoSources: true},
			t("records live too briefly: flood-eviction", "记录存活太短：见 flood-eviction")},
		{t("cookies", "SYN cookie"), tcp.Defence{NoEviction: true, NoPressure: true, NoSources: true},
			t("a lost ACK is not repaired: flood-cookies", "丢失的 ACK 无从弥补：见 flood-cookies")},
		{t("all (default)", "全部（默认）"), tcp.Defence{}, t("", "")},
	}
}

// rates are the floods of the table.
func rates() []flooding {
	return []flooding{
		{Rate: 10, For: 10 * time.Second},
		{Rate: 1000, For: 5 * time.Second},
		{Rate: 100_000, For: 500 * time.Millisecond},
	}
}

func floodTable() Scenario {
	s := Scenario{
		Name: "flood-defences", Section: 3,
		Title: t("Every defence, at three rates", "各种防御，三档速率"),
		Intro: t("Forged SYNs at 10, 1,000 and 100,000 a second (for 10, 5 and 0.5 s), each from another address, against a B with room for 256 half-open connections; twenty honest clients, who give up after 3 s.",
			"每秒 10、1000、100 000 个伪造的 SYN（持续 10、5、0.5 秒），每个来自不同地址；B 最多容纳 256 个半连接；二十个正常客户，等 3 秒不成就放弃。"),
		Table: defenceTable,
		Lesson: t("Cookies keep nothing for whom they don't know, so there is nothing to exhaust; the other defences buy time. Together they cost honest clients least.",
			"cookie 不为陌生来者保存任何东西，也就无从耗尽；其余防御只是争取时间。合在一起，正常客户付出的代价最小。"),
	}
	for _, f := range rates() {
		for _, m := range modes() {
			s.Worlds = append(s.Worlds, floodWorld(f, m))
		}
	}
	of := func(rate, mode int) int { return rate*len(modes()) + mode }
	ok := func(world, least, most int) func(r *Run) error {
		return func(r *Run) error {
			m := r.Plays[world].measure()
			return want(m.ok >= least && m.ok <= most, "%d of %d", "%d 个，共 %d 个", m.ok, m.clients)
		}
	}
	s.Claims = []Claim{
		claim(t("10 a second do no harm even without defence", "每秒 10 个，即使没有防御也无妨"), ok(of(0, 0), 20, 20)),
		claim(t("1,000 a second without defence shut nearly all honest clients out", "每秒 1000 个而没有防御，正常客户几乎全被拒之门外"), ok(of(1, 0), 0, 5)),
		claim(t("100,000 a second too", "每秒 100 000 个也一样"), ok(of(2, 0), 0, 5)),
		claim(t("with cookies all honest clients connect, at every rate", "用 cookie，任何速率下正常客户全部连上"), both(ok(of(0, 4), 20, 20), ok(of(1, 4), 20, 20), ok(of(2, 4), 20, 20))),
		claim(t("with all defences too", "全部防御同时开启也是如此"), both(ok(of(0, 5), 20, 20), ok(of(1, 5), 20, 20), ok(of(2, 5), 20, 20))),
		always(t("no B ever held more than 256 half-open records", "任何 B 的半连接记录都不超过 256 条"), func(r *Run) error {
			for _, p := range r.Plays {
				if n := p.measure().halfOpen; n > backlog {
					return want(false, "one held %d", "有一个达到 %d 条", n)
				}
			}
			return nil
		}),
	}
	return s
}

func floodWorld(f flooding, m mode) World {
	return World{
		Name:   Text{fmt.Sprintf("%s/s, %s", trace.Count(f.Rate), m.name.EN), fmt.Sprintf("每秒 %s 个，%s", trace.Count(f.Rate), m.name.ZH)},
		Script: "0 B listen\n", Quiet: true, For: f.For + 4*time.Second, Path: "limit 100000",
		Config: func(host int, c *tcp.Config) {
			c.MaxHalfOpen, c.Defence = backlog, m.defence
			c.SynRetries = 1
		},
		Setup: func(s *Stage) {
			f.start(s)
			clients(s, 20, f.For/40, f.For/20)
		},
	}
}

// defenceTable is the measurement as one table a rate.
func defenceTable(r *Run) []Table {
	var tables []Table
	for i, f := range rates() {
		tab := Table{
			Title: Text{trace.Count(f.Rate) + " forged SYNs a second", "每秒 " + trace.Count(f.Rate) + " 个伪造的 SYN"},
			Heads: []Text{t("defence", "防御"), t("connected", "连上"), t("median", "中位时延"), t("worst", "最长"), t("half-open", "半连接"),
				t("memory", "内存"), t("classic", "传统"), t("bytes/byte", "字节比"), t("cookies", "cookie"), t("evicted", "挤掉")},
		}
		for k, m := range modes() {
			x := r.Plays[i*len(modes())+k].measure()
			tab.Rows = append(tab.Rows, []Text{m.name, same(fmt.Sprintf("%d/%d", x.ok, x.clients)), latency(x.ok, x.median), latency(x.ok, x.worst),
				same(trace.Count(x.halfOpen)), same(trace.Size(uint64(x.halfOpen * (halfOpenBytes + tableBytes)))),
				same(trace.Size(uint64(x.halfOpen * (tcbBytes + tableBytes + classicBuffers)))),
				same(fmt.Sprintf("%.2f", x.ratio)), same(trace.Count(x.cookies)), same(trace.Count(x.evicted))})
		}
		tables = append(tables, tab)
	}
	tables[len(tables)-1].Below = t("memory: half-open records in estab; classic: the same as TCBs with buffers; bytes/byte: of SYN,ACKs sent to forged addresses per byte of forged SYN.",
		"内存：estab 的半连接记录；传统：同样多的 TCB 加缓存；字节比：每收到一字节伪造的 SYN，向伪造地址发出多少字节的 SYN,ACK。")
	prices := Table{Title: t("The price of each", "各自的代价"), Heads: []Text{t("defence", "防御"), t("price", "代价")}}
	for _, m := range modes()[:5] {
		prices.Rows = append(prices.Rows, []Text{m.name, m.price})
	}
	return append(tables, prices)
}

func latency(ok int, d time.Duration) Text {
	if ok == 0 {
		return same("–")
	}
	return same(trace.Duration(d))
}
