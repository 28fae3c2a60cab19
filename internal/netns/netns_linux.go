package netns

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Run calls f in a fresh network namespace, whose loopback is up, and then
// returns to the old one; so it does when f panics or ends its goroutine. It
// needs CAP_SYS_ADMIN; without, the error is unix.EPERM.
func Run(f func() error) error {
	runtime.LockOSThread()
	unlock := true
	defer func() {
		// A thread that could not return stays locked: it ends with its
		// goroutine, and nobody else finds himself in the wrong namespace.
		if unlock {
			runtime.UnlockOSThread()
		}
	}()

	old, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("netns: open the thread's own: %w", err)
	}
	defer unix.Close(old)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("netns: make a new one: %w", err)
	}
	defer func() { unlock = unix.Setns(old, unix.CLONE_NEWNET) == nil }()

	if err := setUp("lo"); err != nil {
		return fmt.Errorf("netns: bring lo up: %w", err)
	}
	return f()
}

// setUp brings an interface up.
func setUp(name string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFFLAGS, ifr); err != nil {
		return err
	}
	ifr.SetUint16(ifr.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, ifr)
}
