//go:build !linux

package tun

import (
	"errors"
	"runtime"
)

func open(Config) (dev device, name string, mtu int, err error) {
	return nil, "", 0, errors.New("tun: not supported on " + runtime.GOOS)
}
