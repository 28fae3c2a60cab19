package script

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"estab/tcp"
)

// Commands in back-quotes are never executed. Those that the suites use are
// understood here: settings before the script runs, and a few questions and
// actions about the table of connections while it does.

// shellCommand is a command that was understood: what it sets, and what happens
// in its place in the script.
type shellCommand struct {
	pos      Pos
	text     string
	defaults bool            // google's common/defaults.sh
	sets     []assignment    // of kernel settings
	offload  map[string]bool // of the network card: tso, gso
	queue    string          // the queueing discipline of the network card
	sleep    time.Duration
	run      func(e *engine) *failed // asks or changes the table of connections
}

// assignment is a kernel setting and its value, both as written.
type assignment struct{ name, value string }

// isSetting reports whether the command changes what the script is played with.
func (c *shellCommand) isSetting() bool { return c.defaults || len(c.sets) > 0 || c.offload != nil }

// apply changes what the engine is played with. reason says what estab has no
// match for.
func (c *shellCommand) apply(x *setting) (reason string) {
	if c.defaults {
		x.linuxDefaults()
	}
	for _, a := range c.sets {
		if reason := x.applySysctl(a.name, a.value); reason != "" {
			return a.name + ": " + reason
		}
	}
	if tso, ok := c.offload["tso"]; ok {
		x.noTSO = !tso
	}
	return ""
}

// understand takes a command apart. The error says that estab has no match
// for it.
func (s *Script) understand(line CommandLine) (shellCommand, *Error) {
	c := shellCommand{pos: line.Pos, text: line.Text}
	words := withoutRedirection(shellWords(withArithmetic(line.Text)))
	if len(words) > 0 && words[0] == "sudo" {
		words = words[1:]
	}
	if len(words) == 0 {
		return c, nil
	}
	name := words[0][strings.LastIndexByte(words[0], '/')+1:]
	ok := false
	switch {
	case name == "defaults.sh":
		c.defaults, ok = true, true
	case name == "set_sysctls.py":
		c.sets, ok = assignments(words[1:]), true
	case strings.HasPrefix(words[0], "/tmp/sysctl_restore"), name == "true", name == ":":
		ok = true // nothing to restore
	case name == "sysctl":
		c.sets, ok = assignments(words[1:]), true
	case name == "echo" && strings.Contains(line.Text, ">"):
		c.sets, ok = echoSetting(line.Text)
	case name == "echo":
		ok = true
	case name == "ethtool":
		c.offload, ok = offload(words[1:])
	case name == "ip" && len(words) > 1 && words[1] == "tcp_metrics":
		ok = true // estab remembers nothing about past connections
	case name == "tc":
		c.queue, ok = queueing(words[1:])
	case name == "sleep" && len(words) == 2:
		c.sleep, ok = sleep(words[1])
	case name == "sockstat" || name == "netstat":
		c.run, ok = s.countSockets(line)
	case name == "tcpdrop":
		c.run, ok = dropConnections(words[1:])
	}
	if !ok {
		return c, s.Errorf(NotSupported, line.Pos, "the command %q has no match here", clipCommand(line.Text))
	}
	return c, nil
}

func clipCommand(text string) string {
	if len(text) > 60 {
		return text[:60] + "..."
	}
	return text
}

// shellWords splits a command at blanks outside quotes, and drops the quotes.
func shellWords(text string) []string {
	var words []string
	var cur strings.Builder
	quote, open := byte(0), false
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case quote != 0 && ch == quote:
			quote = 0
		case quote == 0 && (ch == '"' || ch == '\''):
			quote, open = ch, true
		case quote == 0 && ch == ' ':
			if open {
				words = append(words, cur.String())
				cur.Reset()
				open = false
			}
		default:
			cur.WriteByte(ch)
			open = true
		}
	}
	if open {
		words = append(words, cur.String())
	}
	return words
}

// withArithmetic works out what a shell would: $((15*1024*1024)).
func withArithmetic(text string) string {
	for {
		before, rest, found := strings.Cut(text, "$((")
		expr, after, closed := strings.Cut(rest, "))")
		n, ok := product(expr)
		if !found || !closed || !ok {
			return text
		}
		text = before + strconv.FormatInt(n, 10) + after
	}
}

// product is that of numbers with "*" between them.
func product(expr string) (n int64, ok bool) {
	n = 1
	for _, f := range strings.Split(expr, "*") {
		v, err := strconv.ParseInt(strings.TrimSpace(f), 0, 64)
		if err != nil {
			return 0, false
		}
		if n, ok = arithmetic("*", n, v); !ok {
			return 0, false
		}
	}
	return n, true
}

// withoutRedirection drops ">file", "> file", "2>&1" and the like.
func withoutRedirection(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		w := strings.TrimLeft(words[i], "0123456789&")
		if !strings.HasPrefix(w, ">") {
			out = append(out, words[i])
		} else if strings.Trim(w, ">") == "" {
			i++
		}
	}
	return out
}

// assignments understands name=value words, after flags.
func assignments(words []string) (sets []assignment) {
	text := ""
	for _, w := range words {
		if strings.HasPrefix(w, "-") {
			continue
		}
		if strings.Contains(w, "=") && !strings.HasPrefix(w, "=") && text != "" && !strings.HasSuffix(text, "=") {
			text += "\n"
		} else if text != "" {
			text += " "
		}
		text += w
	}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok { // else it only asks
			sets = append(sets, assignment{strings.TrimSpace(name), value})
		}
	}
	return sets
}

// echoSetting understands echo 1 > /proc/sys/net/ipv4/tcp_sack.
func echoSetting(text string) (sets []assignment, ok bool) {
	left, path, _ := strings.Cut(text, ">")
	path = strings.TrimSpace(path)
	if !strings.HasPrefix(path, "/proc/sys/") {
		return nil, false
	}
	words := shellWords(left)
	return []assignment{{path, strings.Join(words[1:], " ")}}, true
}

// offload understands ethtool -K tun0 tso off gso off.
func offload(words []string) (features map[string]bool, ok bool) {
	if len(words) < 2 || words[0] != "-K" && words[0] != "--offload" {
		return nil, false
	}
	features = map[string]bool{}
	for i := 2; i+1 < len(words); i += 2 {
		features[words[i]] = words[i+1] == "on"
	}
	return features, true
}

// queueing understands tc qdisc replace dev tun0 root pfifo, and what removes such
// a thing.
func queueing(words []string) (kind string, ok bool) {
	if len(words) < 4 || words[0] != "qdisc" || words[2] != "dev" {
		return "", false
	}
	switch words[1] {
	case "del", "delete", "show", "list":
		return "", true
	case "add", "replace", "change":
		if len(words) == 6 && words[4] == "root" {
			return words[5], slices.Contains(queues, words[5])
		}
	}
	return "", false
}

// queues are the queueing disciplines that scripts can name; the engine has the
// first, which sends what it is given.
var queues = []string{"pfifo", "pfifo_fast", "fq", "fq_codel"}

func sleep(text string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f < 1e6) {
		return 0, false
	}
	return time.Duration(f * float64(time.Second)), true
}

// countSockets understands a list of the program's sockets and the greps that
// pick lines from it: sockstat -4 -P tcp -s | grep packetdril | grep -c CLOSED
// | grep 1. It succeeds if the last of them finds a line, as in a shell.
func (s *Script) countSockets(line CommandLine) (func(e *engine) *failed, bool) {
	stages := strings.Split(line.Text, "|")
	var greps []grep
	for _, st := range stages[1:] {
		g, ok := parseGrep(shellWords(strings.TrimSpace(st)))
		if !ok {
			return nil, false
		}
		greps = append(greps, g)
	}
	return func(e *engine) *failed {
		lines := e.socketLines()
		found := strings.Join(lines, "\n")
		for _, g := range greps {
			lines = g.pick(lines)
		}
		if k := len(greps); k > 0 && (len(lines) == 0 || greps[k-1].count && lines[0] == "0") {
			f := e.p.failAt(line.Pos, "the command finds nothing")
			f.Expected = line.Text
			f.Got = "the sockets are:\n" + found
			return f
		}
		return nil
	}, true
}

// grep is one stage of a pipeline.
type grep struct {
	re     *regexp.Regexp
	count  bool
	invert bool
}

func parseGrep(words []string) (g grep, ok bool) {
	if len(words) < 2 || words[0] != "grep" && words[0] != "egrep" {
		return g, false
	}
	for _, w := range words[1 : len(words)-1] {
		for _, f := range strings.TrimPrefix(w, "-") {
			switch f {
			case 'c':
				g.count = true
			case 'v':
				g.invert = true
			case 'q', 'E', 'e', 'w':
			default:
				return g, false
			}
		}
	}
	pattern := words[len(words)-1]
	if len(pattern) > 200 {
		return g, false
	}
	re, err := regexp.Compile(pattern)
	g.re = re
	return g, err == nil
}

func (g grep) pick(lines []string) []string {
	var out []string
	for _, l := range lines {
		if g.re.MatchString(l) != g.invert {
			out = append(out, l)
		}
	}
	if g.count {
		return []string{strconv.Itoa(len(out))}
	}
	return out
}

// socketLines lists the program's sockets as FreeBSD's sockstat -s does.
func (e *engine) socketLines() []string {
	var lines []string
	for _, s := range e.socketsInOrder() {
		proto := "tcp4"
		if e.p.set.family == IPv6 {
			proto = "tcp6"
		}
		lines = append(lines, "root packetdrill 1 "+strconv.Itoa(s.fd)+" "+proto+" *:"+strconv.Itoa(int(s.port))+" *:* "+freeBSDState(s.state()))
	}
	return lines
}

var freeBSDStates = [...]string{
	tcp.StateClosed: "CLOSED", tcp.StateListen: "LISTEN", tcp.StateSynSent: "SYN_SENT",
	tcp.StateSynReceived: "SYN_RCVD", tcp.StateEstablished: "ESTABLISHED", tcp.StateFinWait1: "FIN_WAIT_1",
	tcp.StateFinWait2: "FIN_WAIT_2", tcp.StateCloseWait: "CLOSE_WAIT", tcp.StateClosing: "CLOSING",
	tcp.StateLastAck: "LAST_ACK", tcp.StateTimeWait: "TIME_WAIT",
}

func freeBSDState(st tcp.State) string { return freeBSDStates[st] }

// dropConnections understands tcpdrop -s STATE and tcpdrop -a.
func dropConnections(words []string) (func(e *engine) *failed, bool) {
	state := ""
	for i := 0; i < len(words); i++ {
		switch {
		case words[i] == "-a" || words[i] == "-l":
		case words[i] == "-s" && i+1 < len(words):
			i++
			state = words[i]
		default:
			return nil, false
		}
	}
	return func(e *engine) *failed { e.dropAll(state); return nil }, true
}
