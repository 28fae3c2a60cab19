package page

import "estab/internal/lab"

// Result is everything about a run. Times are in seconds since the beginning
// of a world, sizes in bytes. Host 0 is A, the client, host 1 is B.
type Result struct {
	Experiment *Experiment       `json:"experiment"` // without what is as it would be anyway
	Link       string            `json:"link"`
	Command    string            `json:"command"` // the command line that does the same
	Touched    bool              `json:"touched"` // other than the untouched scenario
	Scenario   About             `json:"scenario"`
	Values     map[string]string `json:"values"` // of all parameters; "": as the scenario has it
	Worlds     []*World          `json:"worlds"`
	Claims     []Claim           `json:"claims"`
	Tables     []Table           `json:"tables"`
	Diff       *Diff             `json:"diff"` // from the untouched run; null: it is the untouched run
}

// About is what a scenario says of itself.
type About struct {
	Name         string   `json:"name"`
	Section      int      `json:"section"`
	SectionTitle lab.Text `json:"sectionTitle"`
	Title        lab.Text `json:"title"`
	Intro        lab.Text `json:"intro"`
	Lesson       lab.Text `json:"lesson"`
	Letters      bool     `json:"letters"` // x, y, u, v, w tell more than numbers
	Memory       bool     `json:"memory"`  // what each side holds belongs to the story
}

// World is what happened in one world.
type World struct {
	Name     lab.Text     `json:"name"`
	Script   string       `json:"script"`
	End      float64      `json:"end"`
	Quiet    bool         `json:"quiet"` // too much happens to draw a ladder of it
	Watch    int          `json:"watch"` // if not 0, only the connection from this port is told
	TwoWay   bool         `json:"twoWay"`
	Hosts    [2]Host      `json:"hosts"`
	Conns    []Conn       `json:"conns"`
	Packets  []*Packet    `json:"packets"`
	Folds    []Fold       `json:"folds"`
	States   [2][]State   `json:"states"`
	Holdings [2][]Holding `json:"holdings"`
	Story    []Beat       `json:"story"`
	Notes    []Note       `json:"notes"`
	Steps    []Step       `json:"steps"`
	Plots    []Plot       `json:"plots"`
	Summary  lab.Text     `json:"summary"`
}

// Host is one of the two.
type Host struct {
	Name  string `json:"name"`
	Addr  string `json:"addr"`
	State string `json:"state"` // at the beginning
}

// Conn is a pair of sockets, which may be used several times.
type Conn struct {
	Port int `json:"port"` // the client's
}

// Packet is a segment on the path.
type Packet struct {
	ID      string    `json:"id"` // as in faults: A:2
	From    int       `json:"from"`
	Conn    int       `json:"conn"`
	Life    int       `json:"life"` // which use of the pair its sender's numbers belong to, from 0
	Sent    float64   `json:"sent"`
	Arrives []float64 `json:"arrives"` // none: lost; two: doubled
	Fate    string    `json:"fate"`    // arrives, lost, damaged, doubled
	Dropped *lab.Text `json:"dropped"` // why its receiver threw it away, if it did
	Twin    *lab.Text `json:"twin"`    // why its double was thrown away
	Struck  string    `json:"struck"`  // the fault that met it, if one did
	Flags   string    `json:"flags"`
	Kind    string    `json:"kind"` // syn, synack, fin, rst, data, ack
	Again   bool      `json:"again"`
	Seq     uint64    `json:"seq"` // since the sender's initial number
	Ack     uint64    `json:"ack"` // since the receiver's
	HasAck  bool      `json:"hasAck"`
	AbsSeq  uint32    `json:"absSeq"`
	AbsAck  uint32    `json:"absAck"`
	SeqName string    `json:"seqName"` // in letters, if the ladder shows the packet
	AckName string    `json:"ackName"`
	Len     uint32    `json:"len"`
	Win     uint64    `json:"win"` // scaled
	Options []string  `json:"options"`
	Text    string    `json:"text"`   // its data, if that can be read
	Fold    int       `json:"fold"`   // of Folds; -1: it has a row of its own
	Order   float64   `json:"order"`  // of two things at the same time the one with the smaller order was first
	Orders  []float64 `json:"orders"` // of Arrives
	Say     lab.Text  `json:"say"`
}

// Fold is a stretch of packets that a ladder shows as one row.
type Fold struct {
	From  float64  `json:"from"`
	To    float64  `json:"to"`
	First int      `json:"first"` // of Packets
	Last  int      `json:"last"`
	Text  lab.Text `json:"text"`
}

// State is a state that a host entered.
type State struct {
	At     float64  `json:"at"`
	Conn   int      `json:"conn"`
	From   string   `json:"from"`
	To     string   `json:"to"`
	Why    lab.Text `json:"why"`
	Packet int      `json:"packet"` // that caused it; -1: none
	Order  int      `json:"order"`
}

// Holding is what a host holds for a pair of sockets from a time on.
type Holding struct {
	At      float64 `json:"at"`
	Conn    int     `json:"conn"`
	Kind    string  `json:"kind"` // nothing, listen, half-open, tcb, time-wait
	State   string  `json:"state"`
	Bytes   int     `json:"bytes"`
	Classic int     `json:"classic"`
	Late    int     `json:"late"`
	TCB     *TCB    `json:"tcb"`
}

// TCB is the part of a connection's state that the page shows. Sequence
// numbers count from the initial ones.
type TCB struct {
	ISS        uint32  `json:"iss"`
	IRS        uint32  `json:"irs"`
	SndUna     uint32  `json:"sndUna"`
	SndNxt     uint32  `json:"sndNxt"`
	SndWnd     uint32  `json:"sndWnd"`
	RcvNxt     uint32  `json:"rcvNxt"`
	RcvWnd     uint32  `json:"rcvWnd"`
	SndBuf     int     `json:"sndBuf"` // bytes queued
	SndBufMax  int     `json:"sndBufMax"`
	Unsent     int     `json:"unsent"`
	RcvBuf     int     `json:"rcvBuf"`
	RcvBufMax  int     `json:"rcvBufMax"`
	OutOfOrder int     `json:"outOfOrder"` // stretches beyond a gap
	InFlight   int     `json:"inFlight"`   // segments
	Flight     uint32  `json:"flight"`     // bytes
	Cwnd       uint32  `json:"cwnd"`
	Ssthresh   uint32  `json:"ssthresh"` // 0: not set yet
	SRTT       float64 `json:"srtt"`     // 0: not measured
	RTTVar     float64 `json:"rttvar"`
	RTO        float64 `json:"rto"`
	SMSS       int     `json:"smss"`
	Backoff    int     `json:"backoff"`
	Retries    int     `json:"retries"`
	Recovery   string  `json:"recovery"` // open, recovery, loss
	Timers     []Timer `json:"timers"`
}

// Timer is a timer that is armed.
type Timer struct {
	Name lab.Text `json:"name"`
	At   float64  `json:"at"`
}

// Beat is a sentence of the story.
type Beat struct {
	At     float64  `json:"at"`
	Text   lab.Text `json:"text"`
	Packet int      `json:"packet"` // it is about; -1: none
	Host   int      `json:"host"`   // at which it happens; -1: at none
}

// Note is something at one host beside packets and states.
type Note struct {
	At    float64  `json:"at"`
	Host  int      `json:"host"` // -1: the path
	Kind  string   `json:"kind"` // timer, ended, note, cwnd
	Text  lab.Text `json:"text"`
	Order int      `json:"order"`
}

// Step is a line of the script.
type Step struct {
	At   float64 `json:"at"`
	Who  string  `json:"who"` // A, B or net
	Text string  `json:"text"`
	Line int     `json:"line"` // from 1
}

// Plot is a diagram with time to the right.
type Plot struct {
	Title  lab.Text `json:"title"`
	X      lab.Text `json:"x"`
	Y      lab.Text `json:"y"`
	Series []Series `json:"series"`
}

// Series is one thing in a plot. A point is x, y, and of a bar its lower end.
type Series struct {
	Name   lab.Text    `json:"name"`
	Kind   string      `json:"kind"` // line, steps, bars, crosses
	Class  string      `json:"class"`
	Dash   bool        `json:"dash"` // drawn dashed, so that it is told apart without colour
	Points [][]float64 `json:"points"`
}

// Claim is what became of a claim.
type Claim struct {
	Text   lab.Text  `json:"text"`
	State  string    `json:"state"` // holds, fails, moot
	Reason *lab.Text `json:"reason"`
	Always bool      `json:"always"` // whatever the parameters are
	Since  *float64  `json:"since"`  // it holds from then to the end
}

// Table is figures beside each other.
type Table struct {
	Title lab.Text     `json:"title"`
	Heads []lab.Text   `json:"heads"`
	Rows  [][]lab.Text `json:"rows"`
	Below lab.Text     `json:"below"`
}

// Diff is how a run differs from the untouched one.
type Diff struct {
	Summary lab.Text      `json:"summary"`
	Worlds  []WorldDiff   `json:"worlds"`
	Claims  []ClaimChange `json:"claims"`
}

// WorldDiff is how a world differs.
type WorldDiff struct {
	Added   []int       `json:"added"` // packets that the untouched run hasn't
	Changed []Change    `json:"changed"`
	Removed []*Packet   `json:"removed"` // packets of the untouched run
	States  [2]bool     `json:"states"`  // the host went another way
	Was     [2][]string `json:"was"`     // the untouched way
	End     float64     `json:"end"`     // of the untouched world
}

// Change is a packet with another fate or another time.
type Change struct {
	Packet int     `json:"packet"`
	Was    *Packet `json:"was"`
}

// ClaimChange is a claim with another verdict.
type ClaimChange struct {
	Claim int    `json:"claim"`
	Was   string `json:"was"`
	Is    string `json:"is"`
}

// Failure is what comes back instead of a result.
type Failure struct {
	Problem lab.Text `json:"problem"`
	Where   *Where   `json:"where"`
}

// Where is the line of a script that is wrong.
type Where struct {
	World int `json:"world"`
	Line  int `json:"line"`
}
