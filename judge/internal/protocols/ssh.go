package protocols

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// SSH is golang.org/x/crypto/ssh at both ends: a login, commands at the same
// time with input, output and an exit status, and a connection that is
// forwarded through it.
func SSH(t *testing.T, n Net) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	l := n.Listen(t)
	defer l.Close()
	go serveSSH(l, signer)
	addr := l.Addr().String()
	nc, err := n.Dial(limited(t), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(patience))
	conn, chans, reqs, err := ssh.NewClientConn(nc, addr, &ssh.ClientConfig{
		User: "someone", Auth: []ssh.AuthMethod{ssh.Password("secret")}, HostKeyCallback: ssh.FixedHostKey(signer.PublicKey()),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := ssh.NewClient(conn, chans, reqs)
	defer c.Close()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := runCommand(c, byte(i)); err != nil {
				t.Errorf("command %d: %v", i, err)
			}
		})
	}
	wg.Go(func() {
		fc, err := c.Dial("tcp", "anywhere.test:7")
		if err != nil {
			t.Error(err)
			return
		}
		defer fc.Close()
		go func() {
			io.Copy(fc, noise(99, 1<<20))
			fc.(interface{ CloseWrite() error }).CloseWrite()
		}()
		if !same(fc, 99, 1<<20) {
			t.Error("not what was forwarded came back")
		}
	})
	wg.Wait()
	bad := &ssh.ClientConfig{User: "someone", Auth: []ssh.AuthMethod{ssh.Password("wrong")}, HostKeyCallback: ssh.FixedHostKey(signer.PublicKey())}
	nc, err = n.Dial(limited(t), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	if _, _, _, err := ssh.NewClientConn(nc, addr, bad); err == nil {
		t.Error("the wrong password is let in")
	}
}

// runCommand runs one that echoes its input and ends with a status.
func runCommand(c *ssh.Client, seed byte) error {
	s, err := c.NewSession()
	if err != nil {
		return err
	}
	defer s.Close()
	var out bytes.Buffer
	s.Stdin, s.Stdout = noise(seed, 500_000), &out
	err = s.Run(fmt.Sprintf("echo %d", seed))
	if exit, ok := err.(*ssh.ExitError); !ok || exit.ExitStatus() != int(seed)+1 {
		return fmt.Errorf("ended with %v", err)
	}
	if !same(&out, seed, 500_000) {
		return fmt.Errorf("not what was sent came back")
	}
	return nil
}

func serveSSH(l net.Listener, key ssh.Signer) {
	cfg := &ssh.ServerConfig{PasswordCallback: func(m ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if m.User() != "someone" || string(password) != "secret" {
			return nil, fmt.Errorf("no")
		}
		return nil, nil
	}}
	cfg.AddHostKey(key)
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer nc.Close()
			_, chans, reqs, err := ssh.NewServerConn(nc, cfg)
			if err != nil {
				return
			}
			go ssh.DiscardRequests(reqs)
			for nch := range chans {
				ch, reqs, err := nch.Accept()
				if err != nil {
					return
				}
				if nch.ChannelType() == "session" {
					go serveSession(ch, reqs)
				} else { // direct-tcpip, to an echo
					go ssh.DiscardRequests(reqs)
					go func() {
						io.Copy(ch, ch)
						ch.Close()
					}()
				}
			}
		}()
	}
}

// serveSession runs the command "echo N": it echoes its input and ends with
// status N+1.
func serveSession(ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer ch.Close()
	for r := range reqs {
		if r.Type != "exec" {
			r.Reply(false, nil)
			continue
		}
		r.Reply(true, nil)
		var command struct{ Line string }
		var status int
		ssh.Unmarshal(r.Payload, &command)
		fmt.Sscanf(command.Line, "echo %d", &status)
		io.Copy(ch, ch)
		ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status + 1)}))
		return
	}
}
