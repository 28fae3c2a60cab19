package kernel

import (
	"errors"
	"io"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// tapped is a setting whose wire is watched.
func tapped(s setting) (setting, *tap) {
	p := &tap{}
	s.impair.Observe = p.observe
	return s, p
}

// greet lets each end have the other's attention, and waits until nothing of
// that is under way.
func greet(w *world, e ends) {
	t := w.t
	t.Helper()
	deadline(t, e.kernel, e.estab)
	mustWrite(t, e.kernel, "from the kernel")
	mustRead(t, e.estab, "from the kernel")
	mustWrite(t, e.estab, "from estab")
	mustRead(t, e.kernel, "from estab")
	eventually(t, "all is acknowledged", func() bool {
		i, err := e.estab.Info()
		return err == nil && i.SendQueue == 0 && i.Timer != "delack" && kernelInfo(t, e.kernel).Unacked == 0
	})
}

// A close in four segments: FIN, its ACK, and, when the other end has closed
// too, FIN and ACK. Neither end sends anything else.
func TestFourSegments(t *testing.T) {
	t.Parallel()
	for _, estabFirst := range []bool{false, true} {
		first, second := "kernel", "estab"
		if estabFirst {
			first, second = second, first
		}
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			s, p := tapped(watched(setting{sysctls: steadyWait}))
			for role, name := range roles {
				t.Run(name, func(t *testing.T) {
					// One world after the other: they share the tap.
					for family, ip := range []string{"ip4", "ip6"} {
						t.Run(ip, func(t *testing.T) {
							run(t, s, func(w *world) {
								fourSegments(w, p, w.connect(family, role), estabFirst, first, second)
							})
						})
					}
				})
			}
		})
	}
}

func fourSegments(w *world, p *tap, e ends, estabFirst bool, first, second string) {
	t := w.t
	greet(w, e)
	h := w.history(e.estab.LocalAddr(), e.estab.RemoteAddr())
	a, b := closers(e, estabFirst)
	p.cut()
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	mustEOF(t, b)
	states := map[bool][2]string{false: {"FIN-WAIT-2", "CLOSE-WAIT"}, true: {"CLOSE-WAIT", "FIN-WAIT-2"}}[estabFirst]
	eventually(t, "FIN-WAIT-2 and CLOSE-WAIT", func() bool { return w.state(e) == states[0] && estabState(e) == states[1] })
	if err := b.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	mustEOF(t, a)
	end := map[bool]string{false: "CLOSE-WAIT LAST-ACK CLOSED", true: "FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT"}[estabFirst]
	eventually(t, end, func() bool { return strings.HasSuffix(h.path(), end) })
	want := strings.Join([]string{first + " FIN,ACK 0", second + " ACK 0", second + " FIN,ACK 0", first + " ACK 0"}, "\n")
	eventually(t, "the last ACK", func() bool { return strings.Count(p.story(), "\n") >= 3 })
	if got := p.story(); got != want && !repeated(got) {
		t.Errorf("the close was\n%s\nnot\n%s", got, want)
	}
}

// repeated reports whether a FIN was sent twice: somebody has waited for a
// processor longer than for a time-out, and the count tells nothing.
func repeated(story string) bool {
	return strings.Count(story, "kernel FIN") > 1 || strings.Count(story, "estab FIN") > 1
}

// A close in three segments: the kernel, which delays its ACK of estab's FIN
// for up to 40 ms, sends it along with its own FIN, and that takes estab from
// FIN-WAIT-1 to TIME-WAIT at once. (estab acknowledges a FIN without delay, so
// the other way round it is always four.)
func TestThreeSegments(t *testing.T) {
	t.Parallel()
	s, p := tapped(watched(setting{sysctls: steadyWait}))
	want := "estab FIN,ACK 0\nkernel FIN,ACK 0\nestab ACK 0"
	for family, name := range []string{"ip4", "ip6"} {
		t.Run(name, func(t *testing.T) {
			run(t, s, func(w *world) {
				t := w.t
				got := ""
				// The kernel's application has 40 ms to close; it may have to wait
				// longer for a processor, and then it is four.
				for i := 0; i < 20 && got != want; i++ {
					e := w.connect(family, i%2)
					greet(w, e)
					h := w.history(e.estab.LocalAddr(), e.estab.RemoteAddr())
					if err := setInt(e.kernel, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0); err != nil {
						t.Fatal(err)
					}
					closed := make(chan error, 1)
					go func() {
						_, err := io.Copy(io.Discard, e.kernel)
						closed <- errors.Join(err, e.kernel.CloseWrite())
					}()
					p.cut()
					if err := e.estab.CloseWrite(); err != nil {
						t.Fatal(err)
					}
					if err := <-closed; err != nil {
						t.Fatal(err)
					}
					mustEOF(t, e.estab)
					eventually(t, "TIME-WAIT", func() bool { return strings.HasSuffix(h.path(), "TIME-WAIT") })
					eventually(t, "the kernel has nothing left", func() bool { s := w.state(e); return s == "" || s == "CLOSED" })
					got = p.story()
				}
				if got != want {
					t.Errorf("the last of 20 closes was\n%s\nnot\n%s", got, want)
				}
			})
		})
	}
}

// A process of the kernel's is killed with data that it has not read: the
// kernel resets the connection, and estab's user learns it at the next call.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	both(t, watched(setting{}), func(w *world, e ends) {
		t := w.t
		greet(w, e)
		h := w.history(e.estab.LocalAddr(), e.estab.RemoteAddr())
		// The process that holds the socket, once we have closed ours.
		f, err := e.kernel.File()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sleep", "600")
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		if err := cmd.Start(); err != nil {
			t.Skip(err)
		}
		if err := errors.Join(f.Close(), e.kernel.Close()); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, e.estab, "never read")
		eventually(t, "the kernel has it", func() bool { i, err := e.estab.Info(); return err == nil && i.SendQueue == 0 })
		if s := w.kernelState(e.estab.RemoteAddr(), e.estab.LocalAddr()); s != "ESTABLISHED" {
			t.Errorf("before the kill the kernel is in %s", s)
		}
		cmd.Process.Kill()
		cmd.Wait()
		if n, err := e.estab.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read: %d, %v", n, err)
		}
		if _, err := e.estab.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write: %v", err)
		}
		eventually(t, "estab is CLOSED", func() bool { return strings.HasSuffix(h.path(), "ESTABLISHED CLOSED") })
		if s := w.kernelState(e.estab.RemoteAddr(), e.estab.LocalAddr()); s != "" {
			t.Errorf("afterwards the kernel is in %s", s)
		}
	})
}

// The kernel holds TIME-WAIT as the one who dialled. Its own rule lets it dial
// again from the same socket if timestamps tell the two connections apart, and
// not otherwise. estab, which has forgotten the pair, takes the SYN as any
// other.
func TestKernelRedials(t *testing.T) {
	t.Parallel()
	for _, timestamps := range []string{"1", "0"} {
		t.Run("timestamps="+timestamps, func(t *testing.T) {
			t.Parallel()
			s := watched(setting{sysctls: map[string]string{"net.ipv4.tcp_timestamps": timestamps, "net.ipv4.tcp_rfc1337": "1"}})
			families(t, s, func(w *world, family int) {
				t := w.t
				l := w.estabListen(family)
				var local net.Addr
				for round := range 3 {
					c, err := w.kernelDialFrom(local, l.Addr())
					if round > 0 && timestamps == "0" {
						if !errors.Is(err, syscall.EADDRNOTAVAIL) {
							t.Errorf("round %d: %v", round, err)
						}
						return
					}
					if err != nil {
						t.Fatalf("round %d: %v", round, err)
					}
					s, err := l.Accept()
					if err != nil {
						t.Fatal(err)
					}
					deadline(t, c, s)
					local = c.LocalAddr()
					h := w.history(s.LocalAddr(), s.RemoteAddr())
					mustWrite(t, c, "question")
					mustRead(t, s, "question")
					c.Close()
					mustEOF(t, s)
					s.Close()
					eventually(t, "the kernel's TIME-WAIT, estab CLOSED", func() bool {
						return w.kernelState(local, l.Addr()) == "TIME-WAIT" && strings.HasSuffix(h.path(), "LAST-ACK CLOSED")
					})
				}
			})
		})
	}
}
