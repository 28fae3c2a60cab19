package main

import (
	"errors"
	"fmt"
	"io/fs"

	"estab/script/kernel"
)

// childStatus is the exit status of a child process that has done, and said, all
// there was to do.
type childStatus int

func (s childStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// enterKernel makes sure that scripts can be played on this computer's kernel.
// Where we have not the rights, a child process in a user namespace of its own
// does all that this process was asked for; then the error is its status.
func enterKernel(flag string, jobs int) error {
	kernel.Prepare(jobs)
	err := kernel.Allowed()
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) {
		status, rootless := kernel.Rootless()
		if rootless == nil {
			return childStatus(status)
		}
		err = fmt.Errorf("%w (%v)", err, rootless)
	}
	return usagef("%s: %w", flag, err)
}
