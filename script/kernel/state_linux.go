package kernel

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// State is part of script.Machine. It looks in the tables of the namespace
// (proc(5), /proc/net/tcp): TIME-WAIT, and what no program holds, is there too.
func (m *machine) State(local, remote uint16) (int, error) {
	for _, table := range [...]string{"tcp", "tcp6"} {
		f, err := os.Open("/proc/thread-self/net/" + table)
		if errors.Is(err, fs.ErrNotExist) {
			continue // no IPv6
		}
		if err != nil {
			return 0, err
		}
		st := 0
		for s := bufio.NewScanner(f); st == 0 && s.Scan(); {
			st = lineState(s.Text(), local, remote)
		}
		f.Close()
		if st != 0 {
			return st, nil
		}
	}
	return 0, nil
}

// lineState is the state in a line of the table, 0 if it is about another
// connection: number, local address:port, remote address:port, state, all in
// hexadecimal.
func lineState(line string, local, remote uint16) int {
	w := strings.Fields(line)
	if len(w) < 4 || port(w[1]) != int(local) || port(w[2]) != int(remote) {
		return 0
	}
	n, err := strconv.ParseUint(w[3], 16, 8)
	if err != nil {
		return 0
	}
	return int(n)
}

func port(address string) int {
	i := strings.LastIndexByte(address, ':')
	n, err := strconv.ParseUint(address[i+1:], 16, 16)
	if err != nil {
		return -1
	}
	return int(n)
}
