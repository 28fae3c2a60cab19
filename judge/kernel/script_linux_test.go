package kernel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"estab/internal/netns"
	"estab/script"
	onkernel "estab/script/kernel"
)

// suite is where google's scripts lie, if they do.
const suite = "../../../shared/packetdrill/google"

// ownScripts are ours, which Linux passes too; --loose, for its windows are others.
const ownScripts = "../../script/testdata"

// scripts runs f where scripts can be played on the kernel, or skips the test.
func scripts(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	defer onkernel.Prepare(2)()
	netns.Test(t, func(t *testing.T) {
		err := onkernel.Allowed()
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		f(t)
	})
}

// explained are google's scripts that Linux itself does not pass, or not on every
// computer: docs/packetdrill.md says why.
var explained = map[string]bool{
	"fr-4pkt-fack-last-byte.pkt":             true, // the kernel's tick
	"fr-4pkt-fack-last-mss.pkt":              true, // its version
	"shutdown-rdwr-send-queue-ack-close.pkt": true, // the kernel's tick
	"shutdown-rdwr-write-queue-close.pkt":    true, // its version
	"slow-start-after-win-update.pkt":        true, // the kernel's tick
	"slow-start-fq-ack-per-2pkt.pkt":         true, // fq
	"sack-shift-sacked-7-3-4-8-9-fack.pkt":   true, // the kernel's tick
	"sack-shift-sacked-7-5-6-8-9-fack.pkt":   true, // the kernel's tick
	"sack-shift-sacked-2-6-8-3-9-nofack.pkt": true, // the kernel's tick
}

// TestGoogle plays google's sample of packetdrill scripts against the kernel they
// were written for. That judges our player: what fails there, fails here.
func TestGoogle(t *testing.T) {
	files, err := script.Find(suite)
	if err != nil {
		t.Skip(err)
	}
	scripts(t, func(t *testing.T) {
		passed, busy := 0, 0
		for _, path := range files {
			reports, err := script.RunFile(path, script.Options{Machine: onkernel.Run, Retries: 4})
			if err != nil {
				t.Fatal(err)
			}
			r := &reports[0]
			switch {
			case r.Verdict == script.Passed:
				passed++
			case explained[filepath.Base(path)]:
				t.Logf("%s, as explained: %s:%d: %s", r.Verdict, filepath.Base(path), r.Line, r.Reason)
			case r.Failure != nil && r.Failure.Late != nil:
				busy++
				t.Logf("only its time, after %d tries: %s:%d: %s", r.Tries, filepath.Base(path), r.Line, r.Reason)
			default:
				t.Errorf("%s", r)
			}
		}
		t.Logf("%d of %d passed, %d failed by their times alone", passed, len(files), busy)
		if passed+busy < 30 || passed < 20 {
			t.Errorf("%d passed", passed)
		}
	})
}

// TestOwn plays scripts of ours against Linux: about opening, closing, resets,
// what is not acceptable. Where the two differ, docs/packetdrill.md says who
// follows the RFC.
func TestOwn(t *testing.T) {
	tolerance := 200 * time.Millisecond // they are not about times
	o := script.Options{
		Machine: onkernel.Run, Loose: true, Retries: 2, Override: &tolerance,
		Families: []script.Family{script.IPv4, script.IPv6},
	}
	if _, err := os.Stat(ownScripts); err != nil {
		t.Fatal(err)
	}
	scripts(t, func(t *testing.T) {
		for _, name := range strings.Fields(`
			rfc1191/frag-needed rfc1191/port-unreachable rfc2018/receiver rfc5961/challenge-limit rfc5961/syn-challenge
			rfc7323/window-scale rfc9293/3.10.7-arrives/ack-of-nothing-sent rfc9293/3.10.7-arrives/no-ack
			rfc9293/3.10.7-arrives/out-of-order rfc9293/3.10.7-arrives/out-of-window rfc9293/3.5-open/again rfc9293/3.5-open/active
			rfc9293/3.5-open/active-blocking rfc9293/3.5-open/old-duplicate-syn rfc9293/3.5-open/refused
			rfc9293/3.5-open/rst-without-ack rfc9293/3.5-open/two-connections rfc9293/3.5.2-reset/after-the-end
			rfc9293/3.5.2-reset/closed rfc9293/3.5.2-reset/half-open-ack rfc9293/3.5.2-reset/half-open-rst
			rfc9293/3.5.2-reset/listen rfc9293/3.6-close/last-ack-old-ack rfc9293/3.6-close/linger-zero
			rfc9293/3.6-close/listener-with-half-open rfc9293/3.6-close/remote-first rfc9293/3.6-close/syn-sent
			rfc9293/3.6-close/text-after-close rfc9293/3.6-close/three-segments rfc9293/3.6-close/unread-text-reset
			rfc9293/3.7.1-mss/default rfc9293/3.7.1-mss/set-by-user rfc9293/3.9-user/blocking-read`) {
			reports, err := script.RunFile(filepath.Join(ownScripts, name+".pkt"), o)
			if err != nil {
				t.Fatal(err)
			}
			for i := range reports {
				if reports[i].Verdict != script.Passed {
					t.Errorf("%s", &reports[i])
				}
			}
		}
	})
}

// TestWrong: the kernel fails a script that states what it does not do; so a pass
// means something.
func TestWrong(t *testing.T) {
	files, err := script.Find(suite + "/close")
	if err != nil {
		t.Skip(err)
	}
	tolerance := time.Second // times are not what is wrong
	stated := regexp.MustCompile(`(?m)^[^/\n]* > +[SFRP.]+`)
	scripts(t, func(t *testing.T) {
		altered := 0
		for _, path := range files {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range stated.FindAllIndex(src, -1) {
				changed := slices.Concat(src[:at[1]], []byte("U"), src[at[1]:])
				reports, err := script.RunSource(path, changed, script.Options{Machine: onkernel.Run, Override: &tolerance})
				if err != nil {
					t.Fatal(err)
				}
				if r := &reports[0]; r.Verdict != script.Failed || !strings.Contains(r.Reason, "the flags are") {
					t.Errorf("%s with %q: %s: %s", filepath.Base(path), changed[at[0]:at[1]+1], r.Verdict, r.Reason)
				}
				altered++
			}
		}
		if altered < 8 {
			t.Errorf("only %d lines were altered", altered)
		}
	})
}
