package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"estab/internal/netns"
	"estab/link/tun"
)

// onWire runs f with the kernel's network to itself, where TUN devices can be
// made, and skips the test where that isn't possible.
func onWire(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	netns.Test(t, func(t *testing.T) {
		d, err := tun.Open(tun.Config{})
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		f(t)
	})
}

// command is the command estab in the test's namespace, as a process of its
// own. It is to be made and started in the test's goroutine.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "estab") // by which TestMain knows what to be
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	return exec.Command(name, args...)
}

// result runs a command to its end.
func result(t *testing.T, cmd *exec.Cmd) (status int, stdout, stderr string) {
	t.Helper()
	var out, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &e
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), e.String()
}

// must runs a command that has to succeed and say nothing on stderr.
func must(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	status, stdout, stderr := result(t, cmd)
	if status != 0 || stderr != "" {
		t.Fatalf("%v: status %d\n%s%s", cmd.Args[1:], status, stdout, stderr)
	}
	return stdout
}

// fails runs a command that has to end with a status and one line.
func fails(t *testing.T, want int, line string, cmd *exec.Cmd) {
	t.Helper()
	status, stdout, stderr := result(t, cmd)
	if status != want || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, line) {
		t.Errorf("%v: status %d, want %d\nstdout: %s\nstderr: %swant a line with %q", cmd.Args[1:], status, want, stdout, stderr, line)
	}
}

// get is a request on a connection of its own, by the kernel.
func get(t *testing.T, addr, path string) (*http.Response, net.Conn) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, addr)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r, c
}

func body(t *testing.T, addr, path string) (status int, text string) {
	t.Helper()
	r, _ := get(t, addr, path)
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// noise is a file's worth of bytes.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// server is estab serve with its lines of JSON.
type server struct {
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	stderr bytes.Buffer
}

// serve starts it and waits until it serves.
func serve(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s := &server{cmd: command(t, append([]string{"serve", dir, "--json"}, args...)...)}
	s.cmd.Stderr = &s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.cmd.Wait()
	})
	s.lines = bufio.NewScanner(out)
	s.next(t, "serving")
	return s
}

// next is the next line, an object of that kind.
func (s *server) next(t *testing.T, event string) map[string]any {
	t.Helper()
	if !s.lines.Scan() {
		s.cmd.Wait()
		t.Fatalf("no line %q: %s", event, s.stderr.String())
	}
	var v map[string]any
	if err := json.Unmarshal(s.lines.Bytes(), &v); err != nil || v["event"] != event {
		t.Fatalf("%s, want the event %q", s.lines.Text(), event)
	}
	return v
}

// wait waits for the end, which has to be in order.
func (s *server) wait(t *testing.T) {
	t.Helper()
	if err := s.cmd.Wait(); err != nil || s.stderr.String() != "" {
		t.Errorf("%v: %s", err, s.stderr.String())
	}
}

// folder is one with files in it, and one that they must not lead out of.
func folder(t *testing.T) (dir string, big []byte) {
	t.Helper()
	outside, dir := filepath.Join(t.TempDir(), "secret"), t.TempDir()
	big = noise(8 << 20)
	for name, text := range map[string][]byte{outside: []byte("secret"), filepath.Join(dir, "small"): []byte("small"), filepath.Join(dir, "big"): big} {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "way-out")); err != nil {
		t.Fatal(err)
	}
	return dir, big
}

// estab serves a folder, IPv4 and IPv6, and nothing else; each request has its
// line. After Ctrl-C nobody is let in any more, and the transfer that is under
// way ends in order.
func TestServe(t *testing.T) {
	onWire(t, func(t *testing.T) {
		dir, big := folder(t)
		s := serve(t, dir, "--tun", "estab0", "--addr", "10.77.0.2/24,fd77::2/64")
		for _, addr := range []string{"10.77.0.2:80", "[fd77::2]:80"} {
			for path, want := range map[string]string{"/small": "small", "/big": string(big)} {
				if status, text := body(t, addr, path); status != 200 || text != want {
					t.Errorf("%s%s: status %d, %d bytes", addr, path, status, len(text))
				}
				l := s.next(t, "request")
				if l["path"] != path || l["status"] != 200.0 || l["bytes"] != float64(len(want)) || l["mss"] == nil {
					t.Errorf("%v", l)
				}
			}
		}
		for _, path := range []string{"/nothing", "/way-out", "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd"} {
			if status, text := body(t, "10.77.0.2:80", path); status < 400 || strings.Contains(text, "secret") {
				t.Errorf("%s: status %d, %q", path, status, text)
			}
			s.next(t, "request")
		}
		r, c := get(t, "10.77.0.2:80", "/big")
		s.cmd.Process.Signal(os.Interrupt)
		for refused := false; !refused; {
			c, err := net.Dial("tcp", "10.77.0.2:80")
			if err == nil {
				c.Close()
			}
			refused = errors.Is(err, syscall.ECONNREFUSED)
		}
		if b, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(b, big) {
			t.Errorf("after Ctrl-C: %d of %d bytes, %v", len(b), len(big), err)
		}
		c.Close()
		s.next(t, "request")
		if l := s.next(t, "stopped"); l["requests"] != 9.0 {
			t.Errorf("%v", l)
		}
		s.wait(t)
		if _, err := net.InterfaceByName("estab0"); err == nil {
			t.Error("the device is still there")
		}
	})
}

// A second Ctrl-C cuts off what is under way; the status says so.
func TestServeCutOff(t *testing.T) {
	onWire(t, func(t *testing.T) {
		dir := t.TempDir()
		f, err := os.Create(filepath.Join(dir, "endless"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(1<<40), f.Close()); err != nil {
			t.Fatal(err)
		}
		s := serve(t, dir)
		r, _ := get(t, "10.77.0.2:80", "/endless")
		if _, err := io.ReadFull(r.Body, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		s.cmd.Process.Signal(os.Interrupt)
		for refused := false; !refused; { // from now on it waits for the transfer
			c, err := net.Dial("tcp", "10.77.0.2:80")
			if err == nil {
				c.Close()
			}
			refused = errors.Is(err, syscall.ECONNREFUSED)
		}
		s.cmd.Process.Signal(os.Interrupt)
		s.next(t, "request")
		s.next(t, "stopped")
		s.cmd.Wait()
		if code := s.cmd.ProcessState.ExitCode(); code != 130 || s.stderr.String() != "estab serve: interrupted\n" {
			t.Errorf("status %d, %s", code, s.stderr.String())
		}
	})
}

// As text it says what to type on the other side, and how root makes a device
// for somebody else.
func TestServeText(t *testing.T) {
	onWire(t, func(t *testing.T) {
		dir, _ := folder(t)
		cmd := command(t, "serve", dir, "--tun", "wire7", "--addr", "192.168.7.1/24", "--port", "8080")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		lines := bufio.NewScanner(out)
		text := ""
		for !strings.HasSuffix(text, "Ctrl-C ends it.\n") && lines.Scan() {
			text += lines.Text() + "\n"
		}
		for _, want := range []string{
			"to the kernel at 192.168.7.2,", "over wire7 (MTU 1500)", "  curl -g 'http://192.168.7.1:8080/'\n",
			"ip tuntap add dev wire7 mode tun user ", "ip addr add 192.168.7.2/24 dev wire7",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
		if status, text := body(t, "192.168.7.1:8080", "/small"); status != 200 || text != "small" {
			t.Errorf("status %d, %q", status, text)
		}
		cmd.Process.Signal(syscall.SIGTERM)
		rest, err := io.ReadAll(out)
		if err := errors.Join(err, cmd.Wait()); err != nil {
			t.Error(err)
		}
		for lines.Scan() { // what it had read ahead
			text += lines.Text() + "\n"
		}
		text += string(rest)
		if !strings.Contains(text, "  GET /small  200  5 B in ") || !strings.Contains(text, "\n1 request, 5 B; ") {
			t.Errorf("the end is\n%s", text)
		}
	})
}

// estab fetches from a server in the kernel: a file, from stdout, over IPv6,
// over TLS with HTTP/2, by a name; with ladder, capture and JSON.
func TestFetch(t *testing.T) {
	onWire(t, func(t *testing.T) {
		big := noise(4 << 20)
		site := http.NewServeMux()
		site.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) { w.Write(big) })
		site.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/big", http.StatusFound) })
		site.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			w.Write(big[:1000])
		})
		plain := listen(t, &httptest.Server{Config: &http.Server{Handler: site}}, (*httptest.Server).Start)
		secure := listen(t, &httptest.Server{Config: &http.Server{Handler: site, ErrorLog: log.New(io.Discard, "", 0)}, EnableHTTP2: true}, (*httptest.Server).StartTLS)
		wire := []string{"--tun", "estab0", "--addr", "10.77.0.2/24,fd77::2/64"}
		fetch := func(args ...string) *exec.Cmd {
			return command(t, append(append([]string{"fetch"}, args...), wire...)...)
		}
		dir := t.TempDir()
		t.Chdir(dir)
		saved := func(name string, want []byte) {
			t.Helper()
			if b, err := os.ReadFile(name); err != nil || !bytes.Equal(b, want) {
				t.Errorf("%s: %d bytes, %v", name, len(b), err)
			}
		}

		out := must(t, fetch("http://10.77.0.1:"+plain+"/big", "--ladder", "--pcap", "big.pcapng"))
		saved("big", big)
		for _, want := range []string{"GET http://10.77.0.1:" + plain + "/big\nHTTP/1.1 200 OK, 4.0 MiB in ", fmt.Sprintf("SHA-256 %x\nsaved as big\n", sha(big)),
			"ESTABLISHED │◀", "SYN,ACK seq 0 ack 1", "FIN-WAIT-1", "TIME-WAIT", "FIN,ACK seq 4"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is not in\n%s", want, out)
			}
		}
		if i, err := os.Stat("big.pcapng"); err != nil || i.Size() < 4<<20 {
			t.Errorf("the capture: %v, %v", i, err)
		}
		fails(t, 2, "big: exists already: -o big overwrites it", fetch("http://10.77.0.1:"+plain+"/big"))
		must(t, fetch("http://[fd77::1]:"+plain+"/moved", "-o", "big"))
		saved("big", big)

		var j jsonFetch
		if err := json.Unmarshal([]byte(must(t, fetch("https://10.77.0.1:"+secure+"/big", "-k", "-o", "secure", "--json"))), &j); err != nil {
			t.Fatal(err)
		}
		if j.Proto != "HTTP/2.0" || j.Bytes != 4<<20 || j.SHA256 != fmt.Sprintf("%x", sha(big)) || j.File != "secure" || j.Info == nil || j.Info.MSS != 1448 {
			t.Errorf("%+v", j)
		}
		saved("secure", big)
		fails(t, 1, "certificate", fetch("https://10.77.0.1:"+secure+"/big", "-o", "unverified"))

		status, stdout, stderr := result(t, fetch("http://10.77.0.1:"+plain+"/big", "-o", "-"))
		if status != 0 || stdout != string(big) || !strings.Contains(stderr, "SHA-256") || strings.Contains(stderr, "\x1b") {
			t.Errorf("to stdout: status %d, %d bytes, %q", status, len(stdout), stderr)
		}

		dns := nameserver(t, [4]byte{10, 77, 0, 1})
		must(t, fetch("http://files.test:"+plain+"/big", "-o", "by-name", "--dns", "10.77.0.1:"+dns))
		saved("by-name", big)
		fails(t, 1, "lookup none.test on 10.77.0.1:"+dns+": no such host", fetch("http://none.test/x", "--dns", "10.77.0.1:"+dns))

		// What the network refuses is status 1, and leaves no file.
		fails(t, 1, ": 404 Not Found", fetch("http://10.77.0.1:"+plain+"/none"))
		fails(t, 1, "connect: connection refused", fetch("http://10.77.0.1:9/none"))
		fails(t, 1, "/broken: after 1000 B: unexpected EOF", fetch("http://10.77.0.1:"+plain+"/broken"))
		left, err := filepath.Glob("*")
		hidden, err2 := filepath.Glob(".*")
		if err := errors.Join(err, err2); err != nil || fmt.Sprint(left, hidden) != "[big big.pcapng by-name secure] []" {
			t.Errorf("left behind: %v %v, %v", left, hidden, err)
		}
	})
}

// listen starts a server of the kernel's in the namespace, for all addresses,
// and returns its port.
func listen(t *testing.T, s *httptest.Server, start func(*httptest.Server)) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	s.Listener = l
	start(s)
	t.Cleanup(s.Close)
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// nameserver answers questions for files.test over TCP (RFC 1035, RFC 7766).
func nameserver(t *testing.T, addr [4]byte) (port string) {
	t.Helper()
	l, err := net.Listen("tcp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for answerDNS(c, addr) == nil {
				}
			}()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

func answerDNS(c net.Conn, addr [4]byte) error {
	var n [2]byte
	if _, err := io.ReadFull(c, n[:]); err != nil {
		return err
	}
	q := make([]byte, binary.BigEndian.Uint16(n[:]))
	if _, err := io.ReadFull(c, q); err != nil {
		return err
	}
	end := 12
	for q[end] != 0 {
		end += int(q[end]) + 1
	}
	name, kind := string(q[12:end]), binary.BigEndian.Uint16(q[end+1:])
	a := append([]byte(nil), q[:end+5]...) // header and question
	a[2], a[3] = 0x84, 0                   // a response, authoritative
	clear(a[6:12])
	switch {
	case name != "\x05files\x04test":
		a[3] = 3 // no such name
	case kind == 1: // A
		a[7] = 1
		a = append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
		a = append(a, addr[:]...)
	}
	_, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...))
	return err
}

// What the user can mend is one line that says how, with status 2.
func TestWireBadInput(t *testing.T) {
	onWire(t, func(t *testing.T) {
		dir := t.TempDir()
		t.Chdir(dir)
		d, err := tun.Open(tun.Config{Name: "taken"})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		fails(t, 2, `--tun taken: interface "taken": device or resource busy: another program has it open`, command(t, "serve", ".", "--tun", "taken"))
		fails(t, 2, `--tun lo: interface "lo": invalid argument: the name is not valid, or`, command(t, "serve", ".", "--tun", "lo"))
		fails(t, 2, "--addr 10.77.0.2: want the prefix of its network with it, such as 10.77.0.2/24", command(t, "serve", ".", "--addr", "10.77.0.2"))
		fails(t, 2, "--addr 127.0.0.1/8: not a host's address", command(t, "serve", ".", "--addr", "127.0.0.1/8"))
		fails(t, 2, "--addr 10.77.0.2/32: that network has no room for the kernel", command(t, "serve", ".", "--addr", "10.77.0.2/32"))
		fails(t, 2, "--pcap: open no/such/folder", command(t, "serve", ".", "--pcap", "no/such/folder"))
		fails(t, 2, "none: no such file or directory", command(t, "serve", "none"))
		d.Close()
		d, err = tun.Open(tun.Config{Name: "taken", Addrs: prefixes("10.77.0.2/24")})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		fails(t, 2, "--addr 10.77.0.2/24: the kernel has that address itself, on taken", command(t, "fetch", "http://10.77.0.1/x"))

		// Root in a user namespace, but not of the network.
		cmd := command(t, "fetch", "http://10.77.1.1/x", "--tun", "mine", "--addr", "10.77.1.2/24", "--mtu", "1400")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		fails(t, 2, "--tun mine: not permitted; as root: ip tuntap add dev mine mode tun user NAME && ip addr add 10.77.1.1/24 dev mine && ip link set mine up mtu 1400", cmd)
		if left, _ := os.ReadDir("."); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

func sha(b []byte) [32]byte { return sha256.Sum256(b) }

func prefixes(list ...string) (ps []netip.Prefix) {
	for _, s := range list {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}
