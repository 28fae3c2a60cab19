//go:build !linux

package kernel

import (
	"errors"
	"runtime"

	"estab/script"
)

var errNotLinux = errors.New("scripts are played on a kernel under Linux only, not on " + runtime.GOOS)

// Run is not possible here.
func Run(script.MachineConfig, func(script.Machine) error) error { return errNotLinux }

// Prepare does nothing here.
func Prepare(int) (undo func()) { return func() {} }

// Allowed says why scripts can't be played on this system.
func Allowed() error { return errNotLinux }

// Rootless is not possible here.
func Rootless() (status int, err error) { return 0, errNotLinux }
