package page

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"estab/internal/lab"
)

// Link is the experiment as it stands in the address bar, without the #:
// stale-syn?msl=1s&lose=A:2. Parameters come in the order of their
// specifications, so that one experiment has one link.
func (x *Experiment) Link() string {
	var q []string
	add := func(name, v string) { q = append(q, name+"="+escape(v)) }
	for _, s := range lab.Specs() {
		if v, ok := x.Set[s.Name]; ok && v != "" {
			add(s.Name, v)
		}
	}
	for _, f := range x.Faults {
		word, rest, _ := strings.Cut(f, " ")
		add(faultNames()[word], rest)
	}
	for i, s := range x.Scripts {
		if s != "" {
			add(scriptName(i), s)
		}
	}
	if x.Lang != "" {
		add("lang", string(x.Lang))
	}
	if x.At != "" {
		add("at", x.At)
	}
	link := escape(x.Scenario)
	if len(q) > 0 {
		link += "?" + strings.Join(q, "&")
	}
	return link
}

// faultNames are the names of faults in links, which are those of the command
// line's flags.
func faultNames() map[string]string {
	return map[string]string{"lose": "lose", "delay": "late", "double": "twice"}
}

// scriptName is the name of a world's script: script, script2, script3.
func scriptName(world int) string {
	if world == 0 {
		return "script"
	}
	return "script" + strconv.Itoa(world+1)
}

// escape is url.QueryEscape with the characters left readable that a fragment
// may hold.
func escape(s string) string {
	return strings.NewReplacer("%3A", ":", "%2C", ",", "%2F", "/").Replace(url.QueryEscape(s))
}

// ParseLink reads a link. Of one that makes no sense it says what is wrong, and
// returns what could be understood: at least a scenario that exists.
func ParseLink(link string) (*Experiment, error) {
	link = strings.TrimPrefix(link, "#")
	name, query, _ := strings.Cut(link, "?")
	x := &Experiment{}
	var wrong error
	note := func(err error) {
		if wrong == nil {
			wrong = err
		}
	}
	if n, err := url.QueryUnescape(name); err == nil {
		name = n
	}
	x.Scenario = name
	if s := lab.Scenarios(); name == "" {
		x.Scenario = s[0].Name
	} else if _, ok := lab.Find(name); !ok {
		return &Experiment{Scenario: s[0].Name}, lab.Unknown(name)
	}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		v, err := url.QueryUnescape(v)
		if err != nil {
			note(lab.BadLink(pair))
			continue
		}
		note(x.take(k, v))
	}
	if _, _, err := x.read(); err != nil {
		note(err)
		// Something in it can't be played: the scenario can.
		x = &Experiment{Scenario: x.Scenario, Lang: x.Lang}
	}
	return x, wrong
}

// take takes one part of a link.
func (x *Experiment) take(k, v string) error {
	for word, name := range faultNames() {
		if k == name {
			x.Faults = append(x.Faults, word+" "+v)
			return nil
		}
	}
	if rest, ok := strings.CutPrefix(k, "script"); ok {
		n := 1
		if rest != "" {
			n, _ = strconv.Atoi(rest)
		}
		if s, _ := lab.Find(x.Scenario); n >= 1 && n <= len(s.Worlds) {
			for len(x.Scripts) < n {
				x.Scripts = append(x.Scripts, "")
			}
			x.Scripts[n-1] = v
			return nil
		}
		return lab.BadLink(k)
	}
	switch k {
	case "lang":
		if v != "en" && v != "zh" {
			return lab.BadLink(k + "=" + v)
		}
		x.Lang = lab.Lang(v)
		return nil
	case "at":
		if !slices.ContainsFunc([]byte(v), func(c byte) bool { return c >= '0' && c <= '9' }) {
			return lab.BadLink(k + "=" + v)
		}
		x.At = v
		return nil
	}
	if x.Set == nil {
		x.Set = map[string]string{}
	}
	s, ok := lab.FindSpec(k)
	if !ok {
		return lab.UnknownParam(k)
	}
	var p lab.Params
	if err := s.Set(&p, v); err != nil {
		return err
	}
	x.Set[k] = v
	return nil
}
