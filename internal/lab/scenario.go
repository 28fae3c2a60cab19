package lab

import (
	"slices"
	"time"

	"estab/tcp"
)

// Scenario is one thing that the lab shows.
type Scenario struct {
	Name    string
	Section int  // of the seven parts of the story
	Title   Text // a line
	Intro   Text // what to look at, before it runs
	Worlds  []World
	Claims  []Claim
	Lesson  Text // what was seen, after it ran

	// Keep is how many segments of a run of data a ladder shows before those
	// that it folds, Tail how many after them; 0: 4 and 2.
	Keep, Tail int
	// Letters says that x, y, u, v and w tell more than numbers.
	Letters bool
	// Plot says which plots are worth a look: "seq", "cwnd", "rtt".
	Plot []string
	// Memory says that the table of TCBs and of what each side has allocated
	// belongs to the scenario.
	Memory bool
	// Table computes the figures of a scenario that measures.
	Table func(r *Run) []Table
}

// World is one of the worlds of a scenario: two hosts, A and B, a path between
// them, and what happens.
type World struct {
	Name Text // if there are several

	// Script is what the programs do and what the path does to segments, a
	// line each; see ParseScript.
	Script string

	Story []Beat

	// Config changes how both hosts are configured; Path is what the path
	// does besides its delay, in the words of tc-netem.
	Config func(host int, c *tcp.Config)
	Path   string
	Delay  time.Duration // one way, instead of the usual one
	Narrow int           // if not 0, there are two routers in the middle, and between them a link with that MTU
	Quiet  bool          // of B too much happens to be told event by event
	Watch  uint16        // if not 0, the ladder is that of the connection from this port; of a quiet world there is none without

	// TwoWay puts the shim of a two-way handshake beside B.
	TwoWay bool

	// Setup does what a script can't say.
	Setup func(s *Stage)

	For time.Duration // the run ends then, or when nothing is left to happen; 0: 20 min
}

// Beat is a sentence of the story and the moment that it belongs to; see cue.
type Beat struct {
	Cue  string
	Text Text
}

// Claim is something that a run must bear out.
type Claim struct {
	Text Text
	// Check returns nil if it holds.
	Check func(r *Run) error
	// Always says that it must hold whatever the parameters are. Others speak
	// of the run as it is scripted: where parameters were changed and one of
	// them doesn't hold, it no longer applies.
	Always bool
}

// Scenarios are all scenarios, by section.
func Scenarios() []Scenario {
	return slices.Concat(opening(), opening2(), twoWay(), flood(), closing(), waiting(), counting(), between())
}

// Find finds a scenario, or the sandbox, by its name.
func Find(name string) (Scenario, bool) {
	for _, s := range append(Scenarios(), Sandbox()) {
		if s.Name == name {
			return s, true
		}
	}
	return Scenario{}, false
}

// Nearest is the scenario whose name is most like the given one.
func Nearest(name string) string {
	best, least := "", 1<<30
	for _, s := range append(Scenarios(), Sandbox()) {
		if d := distance(name, s.Name); d < least {
			best, least = s.Name, d
		}
	}
	return best
}

// distance is how many characters have to be added, taken away or replaced.
// What one name has beyond the other counts little: people abbreviate.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = 4 * (i + 1)
		for j := range len(b) {
			replace := last
			if a[i] != b[j] {
				replace += 4
			}
			last = row[j+1]
			row[j+1] = min(replace, row[j+1]+4, row[j]+1)
		}
	}
	return row[len(b)]
}

// SectionTitle is what a section is about.
func SectionTitle(n int) Text {
	return map[int]Text{
		1: t("Opening: the three-way handshake", "建立连接：三次握手"),
		2: t("Why not two", "为什么不是两次握手"),
		3: t("SYN flood", "SYN 洪泛攻击"),
		4: t("Closing: the four-way close", "释放连接：四次挥手"),
		5: t("Why 2 MSL", "为什么要等待 2MSL"),
		6: t("Why three to open and four to close", "为什么建立要三次、释放要四次"),
		7: t("In between", "连接建立之后"),
		8: t("Sandbox", "沙盒"),
	}[n]
}
