package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// names are the words that stay as they are.
var names = strings.Fields(`estab gVisor loopback veth net.Pipe net.http link/pipe link/loopback MTU KiB MB GB/s k/s us ms B p99
	IPv4 IPv6 TIME-WAIT SYN cookie HTTP/1.1 GET keep-alive SACK RACK CUBIC Reno GSO fifo net x/sys net/http Go sup × AMD EPYC GOMAXPROCS linux`)

// Every word that the table can hold has its Chinese, or is a name.
func TestTableInChinese(t *testing.T) {
	var all []result
	for _, r := range rows() {
		for _, f := range r.figures {
			name := r.name
			if f.name != "" {
				name += ": " + f.name
			}
			for _, s := range []string{"estab", "gVisor", "loopback", "veth", "net.Pipe"} {
				x := result{Row: name, Unit: f.unit, Subject: s, Not: r.not[s], Values: []float64{1}, Bound: f.bound, Less: f.less, Zero: f.zero, AtLeast: f.ratios[s]}
				all = append(all, x)
			}
		}
	}
	i := 0
	for _, c := range gvisorConfigs { // each in a row of its own
		all[i*5+1].Config, all[i*5+1].Ratio, all[i*5+1].Zero = c.String(), 2, false
		i++
	}
	var b bytes.Buffer
	printMarkdown(&b, all)
	table, _, _ := strings.Cut(b.String(), "\n"+thisMachine().String())
	for _, line := range strings.Split(chinese(table), "\n") {
		rest := regexp.MustCompile(`</?sup>`).ReplaceAllString(line, " ")
		for _, word := range regexp.MustCompile(`[A-Za-z][A-Za-z0-9./-]*`).FindAllString(rest, -1) {
			known := false
			for _, n := range names {
				known = known || word == n
			}
			if !known {
				t.Errorf("%q stays English in %q", word, line)
			}
		}
	}
}
