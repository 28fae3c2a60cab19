package estabtest_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"estab"
	"estab/estabtest"
)

// A round trip takes twice the delay, and opening takes one.
func TestDelay(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		go echo(listen(t, n.Host("server"), ":7"))
		start := time.Now()
		c := dial(t, n.Host("client"), "server:7")
		about(t, "Dial", time.Since(start), 60*ms)
		start = time.Now()
		write(t, c, "hello")
		read(t, c, "hello")
		about(t, "an echo", time.Since(start), 60*ms)
	}, estabtest.Link{Delay: 30 * ms})
}

// Both families, by address and by name; names of others are unknown, and an
// alias stands for several hosts.
func TestNames(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		a, b := n.Host("a"), n.Host("B.example")
		go echo(listen(t, b, ":7"))
		for _, address := range []string{
			"b.example:7", "B.Example.:7", net.JoinHostPort(b.Addrs()[0].String(), "7"), net.JoinHostPort(b.Addrs()[1].String(), "7"),
		} {
			c := dial(t, a, address)
			write(t, c, "x")
			read(t, c, "x")
			c.Close()
		}
		if c, err := a.Dial("tcp6", "b.example:7"); err != nil || c.RemoteAddr().(*net.TCPAddr).IP.To4() != nil {
			t.Errorf("tcp6: %v", err)
		}
		var dns *net.DNSError
		if _, err := a.Dial("tcp", "c.example:7"); !errors.As(err, &dns) || !dns.IsNotFound {
			t.Errorf("an unknown name: %v", err)
		}
		n.Alias("service", "a", "B.example")
		addrs, err := n.LookupNetIP(t.Context(), "ip4", "service")
		if err != nil || len(addrs) != 2 || addrs[1] != b.Addrs()[0] {
			t.Errorf("alias: %v, %v", addrs, err)
		}
		n.Alias("service")
		if _, err := n.LookupNetIP(t.Context(), "ip", "service"); err == nil {
			t.Error("the alias is still there")
		}
		if n.Host("a") != a {
			t.Error("the same name is another host")
		}
	})
}

// A test that forgets everything ends all the same: servers, clients and idle
// connections.
func TestNoCloseNeeded(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		go http.Serve(listen(t, n.Host("server"), ":80"), http.NotFoundHandler())
		client := http.Client{Transport: &http.Transport{DialContext: n.Host("client").DialContext}}
		resp, err := client.Get("http://server/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	})
}

// Outside of a bubble everything works in real time.
func TestRealTime(t *testing.T) {
	n := estabtest.New(t, estabtest.Link{Delay: ms, Loss: 0.01})
	go echo(listen(t, n.Host("server"), ":7"))
	c := dial(t, n.Host("client"), "server:7")
	text := strings.Repeat("real time ", 20000)
	go func() {
		io.WriteString(c, text)
		c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || string(got) != text {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	for _, f := range n.Conns() {
		t.Log(f)
	}
}

// Configure, DialFunc and ListenFunc reach what is beneath.
func TestSettings(t *testing.T) {
	configured := ""
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		l, err := n.Host("server").ListenFunc(estab.ListenConfig{MSS: 700})("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		go echo(l)
		c, err := n.Host("client").DialFunc(estab.Dialer{Congestion: "reno"})(t.Context(), "tcp", "server:80")
		if err != nil {
			t.Fatal(err)
		}
		info, err := c.(*estabtest.Conn).Info()
		if err != nil || info.Congestion != "reno" || info.PathMSS > 700 {
			t.Errorf("%v, %v", info, err)
		}
		if configured != "server client " {
			t.Errorf("configured: %q", configured)
		}
	}, estabtest.Configure(func(host string, c *estab.Config) { configured += host + " " }))
}

// Mistakes are found, and said in a line.
func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		want string
		call func(t testing.TB)
	}{
		{"Loss 2", func(t testing.TB) { estabtest.New(t, estabtest.Link{Loss: 2}) }},
		{"Jitter", func(t testing.TB) { estabtest.New(t, estabtest.Link{Jitter: ms}) }},
		{"Reorder needs", func(t testing.TB) { estabtest.New(t, estabtest.Link{Reorder: 0.1}) }},
		{"Burst 0.5", func(t testing.TB) { estabtest.New(t, estabtest.Link{Loss: 0.1, Burst: 0.5}) }},
		{"say either", func(t testing.TB) { estabtest.New(t, estabtest.Link{Delay: ms, Netem: "delay 1ms"}) }},
		{`"dealy"`, func(t testing.TB) { estabtest.New(t, estabtest.Link{Netem: "dealy 1ms"}) }},
		{"MTU 20", func(t testing.TB) { estabtest.New(t, estabtest.Link{MTU: 20}) }},
		{"needs a name", func(t testing.TB) { estabtest.New(t).Host("") }},
		{"not a host", func(t testing.TB) { n := estabtest.New(t); n.Router("r"); n.Host("r") }},
		{"taken", func(t testing.TB) { n := estabtest.New(t); n.Host("r"); n.Router("r") }},
		{`called "b"`, func(t testing.TB) { n := estabtest.New(t); n.Host("a"); n.Partition("a", "b") }},
		{`called "b"`, func(t testing.TB) { n := estabtest.New(t); n.Host("a"); n.SetLink("a", "b", estabtest.Link{}) }},
		{"the same", func(t testing.TB) { n := estabtest.New(t); n.Host("a"); n.SetLink("a", "a", estabtest.Link{}) }},
		{"no link joins", func(t testing.TB) {
			n := estabtest.New(t)
			n.Host("a")
			n.Router("r")
			n.SetPath("a", "r", estabtest.Link{})
		}},
		{"want a host", func(t testing.TB) { n := estabtest.New(t); n.Host("a"); n.Flood("a", 1, second) }},
	} {
		if got := fatal(t, test.call); !strings.Contains(got, test.want) {
			t.Errorf("got %q, want %q in it", got, test.want)
		}
	}
}
