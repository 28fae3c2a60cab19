package script

import (
	"io"
	"time"

	"estab/tcp"
)

// Family is the family of addresses in which a script is played.
type Family uint8

const (
	IPv4       Family = iota // AF_INET sockets, IPv4 packets
	IPv6                     // AF_INET6 sockets, IPv6 packets
	IPv4Mapped               // AF_INET6 sockets with mapped addresses, IPv4 packets
	numFamilies
)

var familyNames = [numFamilies]string{"ipv4", "ipv6", "ipv4-mapped"}

// String is the family's name on the command line.
func (f Family) String() string { return familyNames[f] }

// MarshalText is the family's name.
func (f Family) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// ParseFamily reads a family's name: ipv4, ipv6, ipv4-mapped or packetdrill's
// word for the last, ipv4-mapped-ipv6.
func ParseFamily(name string) (f Family, ok bool) {
	for i, n := range familyNames {
		if name == n {
			return Family(i), true
		}
	}
	return IPv4Mapped, name == "ipv4-mapped-ipv6"
}

// Options say how scripts are played. The zero value plays a script once, over
// IPv4, and judges it as packetdrill would.
type Options struct {
	// Families are those in which to play a script; nil: IPv4. A script that
	// names its family (--ip_version) is played in that one only.
	Families []Family

	// Loose compares of a segment its flags, numbers and length and which
	// options it has, but neither their order nor the exact window.
	Loose bool

	// Strict is for scripts about this very stack: no tolerance of time,
	// timestamps are compared, and after the last line the world runs on until
	// nothing is left to happen: no segment may leave any more.
	Strict bool

	// Tolerance is how far from its stated time something may happen if the
	// script doesn't say (--tolerance_usecs). 0 is packetdrill's 4 ms, or none
	// if Strict.
	Tolerance time.Duration

	// Override is such a tolerance that holds whatever the script says, nil for
	// none.
	Override *time.Duration

	// Machine makes a machine against which the script is played, calls use with it
	// and then gives it up; its error is the one that it had, or that of use. Nil:
	// the script is played against the engine.
	Machine func(c MachineConfig, use func(Machine) error) error

	// Retries is how often a script that a machine failed by its times alone, or in
	// which nothing but times differ, is played again: the computer may have been
	// busy.
	Retries int

	// TCP is the configuration of the engine under test. What the script's own
	// commands set comes on top. Without a secret it gets a fixed one, so that
	// the same script gives the same segments every time.
	TCP tcp.Config

	// Defines are the names that #ifdef finds defined. Nil: STANDARD.
	Defines map[string]bool

	// Pcap returns where to write the capture (pcapng) of a script, or nil for
	// nowhere.
	Pcap func(name string, f Family) io.Writer
}

func (o *Options) families() []Family {
	if len(o.Families) == 0 {
		return []Family{IPv4}
	}
	return o.Families
}

func (o *Options) defines() map[string]bool {
	if o.Defines == nil {
		// FreeBSD's scripts have a branch for what the RFCs say and one for
		// what that system does.
		return map[string]bool{"STANDARD": true}
	}
	return o.Defines
}

// Verdict is how a script ended.
type Verdict uint8

const (
	Passed Verdict = iota
	Failed
	NotApplicable // decided from the text, before anything was played
)

var verdictNames = [...]string{"passed", "failed", "not applicable"}

func (v Verdict) String() string { return verdictNames[v] }

// MarshalText is the verdict in words.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Report is what became of a script in one family.
type Report struct {
	Name    string        `json:"name"`
	Family  Family        `json:"family"`
	Verdict Verdict       `json:"verdict"`
	Reason  string        `json:"reason,omitempty"` // one line: what failed, or why it does not apply
	Line    int           `json:"line,omitempty"`   // of the script, that the reason is about
	Column  int           `json:"column,omitempty"`
	Source  string        `json:"source,omitempty"` // that line
	Failure *Failure      `json:"failure,omitempty"`
	Virtual time.Duration `json:"virtualNanoseconds"` // how long it took, for the stack
	Printed []string      `json:"printed,omitempty"`  // lines that print statements made
	Tries   int           `json:"tries,omitempty"`    // how often it was played, if more than once

	err *Error // the reason in the form of a compiler's
}

// Failure is what a failed script expected, and what happened.
type Failure struct {
	Time     time.Duration  `json:"timeNanoseconds"` // since the script began
	Expected string         `json:"expected,omitempty"`
	Got      string         `json:"got,omitempty"`
	Late     *time.Duration `json:"lateNanoseconds,omitempty"` // negative: too early
	Ladder   string         `json:"ladder,omitempty"`          // the exchange up to the failing line
}

// Err is the reason as an error that shows the line of the script with a
// caret, nil if the script passed.
func (r *Report) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}
