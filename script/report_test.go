package script

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReport: what is printed of a script that fails, and of one that does not
// apply, is the one in the file beside it.
func TestReport(t *testing.T) {
	for _, path := range scriptFiles(t, "testdata/report") {
		reports, err := RunFile(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := reports[0].String() + "\n"
		golden := strings.TrimSuffix(path, ".pkt") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: the report is\n%s\nwant\n%s", path, got, want)
		}
	}
}

// TestReportJSON: a report is data, too.
func TestReportJSON(t *testing.T) {
	r := playText(t, served+"+0 write(4, ..., 10) = 10\n+.1 > P. 1:11(10) ack 1\n", Options{Families: []Family{IPv6}})
	b, err := json.Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Name, Family, Verdict, Reason, Source string
		Line, Column                          int
		Failure                               struct {
			Expected, Got, Ladder string
			LateNanoseconds       int64
		}
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if v.Name != "test.pkt" || v.Family != "ipv6" || v.Verdict != "failed" || v.Line != 10 || v.Column != 5 ||
		v.Source != "+.1 > P. 1:11(10) ack 1" || v.Failure.LateNanoseconds != -1e8 || !strings.Contains(v.Failure.Ladder, "line 10") {
		t.Errorf("%s", b)
	}
}

// TestFamilies: a script is played in each family, but in its own if it names
// one.
func TestFamilies(t *testing.T) {
	all := Options{Families: []Family{IPv4, IPv6, IPv4Mapped}}
	for _, c := range []struct {
		src  string
		want string
	}{
		{served, "ipv4 ipv6 ipv4-mapped"},
		{"--ip_version=ipv6\n" + served, "ipv6"},
		{"--ip_version=ipv4-mapped-ipv6\n" + served, "ipv4-mapped"},
	} {
		reports, err := RunSource("x.pkt", []byte(c.src), all)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range reports {
			got = append(got, reports[i].Family.String())
			if reports[i].Verdict != Passed {
				t.Error(reports[i].String())
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%.20q is played in %v, want %s", c.src, got, c.want)
		}
	}
	for _, f := range all.Families {
		if g, ok := ParseFamily(f.String()); !ok || g != f {
			t.Errorf("%v is read as %v", f, g)
		}
	}
}

// TestPcap: a capture has every packet, each with the line that was played.
func TestPcap(t *testing.T) {
	var b bytes.Buffer
	o := Options{Pcap: func(name string, f Family) io.Writer {
		if name != "test.pkt" || f != IPv4 {
			t.Errorf("%s, %v", name, f)
		}
		return &b
	}}
	playText(t, served+"+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n", o)
	for _, want := range []string{"line 5: +0 < S 0:0(0) win 32792", "line 7: +.1 < . 1:1(0)", "line 9: +0 write(4, ..., 10) = 10"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the capture has no comment %q", want)
		}
	}
	if n := strings.Count(b.String(), "line "); n != 4 {
		t.Errorf("%d packets have a comment, want 4", n)
	}
}

// TestFind: files as they are, folders with what is in them, and clear words
// about what is not there.
func TestFind(t *testing.T) {
	files, err := Find("testdata/report", "doc.go")
	if err != nil || len(files) < 2 || files[len(files)-1] != "doc.go" {
		t.Errorf("%v, %v", files, err)
	}
	empty := t.TempDir()
	for path, want := range map[string]string{
		"no/such": "no/such: no such file or directory",
		empty:     "no scripts (*.pkt) in this folder",
	} {
		if _, err := Find(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	large := filepath.Join(empty, "large.pkt")
	if err := os.WriteFile(large, make([]byte, defaultMaxBytes+1), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		large: "1048577 bytes are no script", empty: "not a file", "gone.pkt": "gone.pkt: no such file",
	} {
		if _, err := RunFile(path, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
