package netns

import (
	"net"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

const self = "/proc/thread-self/ns/net"

func current(t *testing.T) string {
	t.Helper()
	name, err := os.Readlink(self)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// Inside there is only a loopback, and it works; afterwards the thread is back
// where it was.
func TestFreshNamespace(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	outside := current(t)
	Test(t, func(t *testing.T) {
		if current(t) == outside {
			t.Error("still in the old namespace")
		}
		ifs, err := net.Interfaces()
		if err != nil {
			t.Fatal(err)
		}
		if len(ifs) != 1 || ifs[0].Flags&net.FlagLoopback == 0 || ifs[0].Flags&net.FlagUp == 0 {
			t.Errorf("interfaces: %v", ifs)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	})
	if got := current(t); got != outside {
		t.Errorf("in %s afterwards, not in %s", got, outside)
	}
}

// The way back is also taken when the test ends in the middle.
func TestReturnsAfterSkip(t *testing.T) {
	done := make(chan struct{})
	var before, after string
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		before = current(t)
		defer func() { after = current(t) }()
		Run(func() error {
			runtime.Goexit()
			return nil
		})
	}()
	<-done
	if before != after || before == "" {
		t.Errorf("in %q afterwards, not in %q", after, before)
	}
}

// Without the right to make a network namespace a test still gets one, in a
// user namespace, or says why not.
func TestWithoutRights(t *testing.T) {
	if os.Getenv(childVar) == "" {
		inUserNamespace(t)
		return
	}
	if os.Getuid() != 0 {
		t.Errorf("uid %d in the user namespace", os.Getuid())
	}
	ran := false
	Test(t, func(t *testing.T) { ran = true })
	if !ran {
		t.Error("the test was not run")
	}
	if err := unix.Access("/proc/self/uid_map", unix.R_OK); err != nil {
		t.Error(err)
	}
}
