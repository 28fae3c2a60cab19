package netns

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// childVar marks the process that Test starts.
const childVar = "ESTAB_NETNS_CHILD"

// Test runs f, which is all of test t, in a fresh network namespace. Without
// the right to make one it runs this test alone in a child process, in a user
// namespace where that right exists; where that isn't allowed either, it skips
// t and says why.
func Test(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	err := Run(func() error {
		f(t)
		return nil
	})
	switch {
	case err == nil:
	case !errors.Is(err, unix.EPERM):
		t.Fatal(err)
	case os.Getenv(childVar) != "":
		t.Skipf("no network namespace, not even in a user namespace: %v", err)
	default:
		inUserNamespace(t)
	}
}

// inUserNamespace runs the test again in a child process that is root in a
// user namespace of its own. (A process with several threads, as every Go
// program is, can't enter one itself: user_namespaces(7).)
func inUserNamespace(t *testing.T) {
	t.Helper()
	name := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.Command("/proc/self/exe", "-test.run="+name, "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), childVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit):
		t.Skipf("not permitted to make network namespaces: run as root, or allow user namespaces: %v", err)
	case err != nil:
		t.Fatalf("in a user namespace: %v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP: "+t.Name()):
		t.Skipf("in a user namespace:\n%s", out)
	default:
		t.Logf("in a user namespace:\n%s", out)
	}
}
