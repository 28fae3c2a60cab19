package kernel

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// childVar marks the process that Rootless starts.
const childVar = "ESTAB_KERNEL_CHILD"

// Rootless runs this program again, with the same arguments and files, as a child
// in a user namespace where it has the rights that Run needs (user_namespaces(7);
// a process with several threads can't enter one itself). It returns the child's
// exit status. In that child, and where the system does not allow it, it is an
// error.
func Rootless() (status int, err error) {
	if os.Getenv(childVar) != "" {
		return 0, errors.New("not even in a user namespace")
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), childVar+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	// An interrupt from the terminal reaches the child too; we wait for it.
	signal.Ignore(os.Interrupt)
	defer signal.Reset(os.Interrupt)
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("no user namespace: %w", err)
	}
	return 0, nil
}
