package estabtest

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"estab/internal/trace"
)

// capture is the file in which ESTAB_PCAP keeps what passes; nil: none.
type capture struct {
	file *os.File
	buf  *bufio.Writer
	pcap *trace.Pcapng
	err  error
}

// openCapture begins a capture if the environment asks for one. Its name is
// that of the test.
func openCapture(t testing.TB) *capture {
	t.Helper()
	dir := os.Getenv(pcapVariable)
	if dir == "" {
		return nil
	}
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, r) {
			return '-'
		}
		return r
	}, t.Name())
	err := os.MkdirAll(dir, 0o777)
	var c capture
	if err == nil {
		c.file, err = os.Create(filepath.Join(dir, name+".pcapng"))
	}
	if err == nil {
		c.buf = bufio.NewWriter(c.file)
		c.pcap, err = trace.NewPcapng(c.buf, "estabtest", trace.Interface{Name: "network"})
	}
	if err != nil {
		t.Fatalf("estabtest: %s: %v", pcapVariable, err)
	}
	return &c
}

// capture writes a packet as its sender gave it to the network, with who it
// is from, who for, and what became of it.
func (n *Network) capture(k *packet, data []byte, fate string) {
	to := "nobody"
	if k.to != nil {
		to = k.to.name
	}
	comment := k.from.name + " > " + to
	if fate != "" {
		comment += ": " + fate
	}
	at := n.base.Add(time.Duration(n.now()))
	if err := n.pcap.pcap.Packet(0, at, trace.Outbound, data, comment); err != nil && n.pcap.err == nil {
		n.pcap.err = err
	}
}

func (c *capture) close(t testing.TB) {
	if c == nil {
		return
	}
	if err := errors.Join(c.err, c.buf.Flush(), c.file.Close()); err != nil {
		t.Errorf("estabtest: %s: %v", pcapVariable, err)
	}
}
