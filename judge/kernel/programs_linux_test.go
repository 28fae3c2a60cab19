package kernel

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"estab/link"
)

// wires are those over which whole programs are tried, and how much they carry.
func wires() []wireCase {
	cases := []wireCase{
		{"clean", "", 16 << 20, 100},
		{"bad", "delay 10ms loss 1% reorder 5%", 1 << 20, 10},
	}
	if long() {
		cases[0] = wireCase{"clean", "", 1 << 30, 1000}
		cases[1].size, cases[1].requests = 16<<20, 100
	}
	return cases
}

type wireCase struct {
	name, impair string
	size         int64
	requests     int // small ones, each on a connection of its own
}

// each runs f over each wire, for each family.
func (c wireCase) each(t *testing.T, f func(w *world, family int)) {
	t.Run(c.name, func(t *testing.T) {
		families(t, setting{impair: link.Impairment{Out: c.impair, In: c.impair, Seed: 7}}, f)
	})
}

// curl, on the kernel, loads from net/http's server on estab and uploads to it.
func TestCurl(t *testing.T) {
	t.Parallel()
	for _, c := range wires() {
		c.each(t, func(w *world, family int) {
			t := w.t
			l := w.estabListen(family)
			srv := &http.Server{Handler: noiseAndSums()}
			go srv.Serve(l)
			defer srv.Close()
			url := "http://" + l.Addr().String()
			dir := t.TempDir()

			down := filepath.Join(dir, "down")
			w.must("curl", "-sSfg", "-m", seconds(lifetime()), "-o", down, fmt.Sprintf("%s/noise/%d", url, c.size))
			if got := fileDigest(t, down); got != digest(1, c.size) {
				t.Errorf("down: %s", got)
			}
			out := w.must("curl", "-sSfg", "-m", seconds(lifetime()), "-T", down, url+"/sum")
			if out != digest(1, c.size) {
				t.Errorf("up: %s", out)
			}
			// Many small ones, each on a connection of its own, 50 at a time.
			var list strings.Builder
			for i := range c.requests {
				fmt.Fprintf(&list, "url = %s/noise/%d\noutput = /dev/null\n", url, 1+i)
			}
			urls := filepath.Join(dir, "urls")
			if err := os.WriteFile(urls, []byte(list.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			out = w.must("curl", "-sSfg", "-m", seconds(lifetime()), "--parallel", "--parallel-max", "50", "-H", "Connection: close",
				"-w", "got %{http_code} %{size_download}\n", "-K", urls)
			if n := strings.Count(out, "got 200 "); n != c.requests {
				t.Errorf("%d of %d small ones: %s", n, c.requests, out)
			}
		})
	}
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

func fileDigest(t testing.TB, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// nginx, on the kernel, serves net/http's client on estab.
func TestNginx(t *testing.T) {
	t.Parallel()
	for _, c := range wires() {
		c.each(t, func(w *world, family int) {
			t := w.t
			addr := w.nginx(family, c.size)
			client := &http.Client{Transport: &http.Transport{DialContext: w.host.DialContext}, Timeout: lifetime()}
			defer client.CloseIdleConnections()
			h := newDigest()
			if err := fetch(client, "http://"+addr+"/noise", h); err != nil {
				t.Fatal(err)
			}
			if h.sum() != digest(1, c.size) {
				t.Error("what has arrived is not what is served")
			}
			single := &http.Client{Transport: &http.Transport{DialContext: w.host.DialContext, DisableKeepAlives: true}, Timeout: patience}
			var wg sync.WaitGroup
			var mu sync.Mutex
			next := 0
			for range 50 {
				wg.Go(func() {
					for {
						mu.Lock()
						i := next
						next++
						mu.Unlock()
						if i >= c.requests {
							return
						}
						if err := fetch(single, "http://"+addr+"/small", io.Discard); err != nil {
							t.Errorf("request %d: %v", i, err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func fetch(c *http.Client, url string, to io.Writer) error {
	r, err := c.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, r.Status)
	}
	_, err = io.Copy(to, r.Body)
	return err
}

// nginx starts one in the namespace that serves two files, and stops it after
// the test.
func (w *world) nginx(family int, size int64) (addr string) {
	t := w.t
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "noise"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, noise(1, size)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := os.WriteFile(filepath.Join(dir, "small"), []byte("small"), 0o644); err != nil {
		t.Fatal(err)
	}
	addr = netip.AddrPortFrom(kernelAddrs[family].Addr(), 8080).String()
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`
daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events { worker_connections 512; }
http {
	access_log off; sendfile on; keepalive_timeout 5;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	server { listen %[2]s; root %[1]s; }
}
`, dir, addr)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := w.command("nginx", "-c", conf, "-e", "stderr")
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-exited
	})
	eventually(t, "nginx listens", func() bool {
		select {
		case <-exited:
			t.Fatalf("nginx has ended:\n%s", log.String())
		default:
		}
		var c net.Conn
		var err error
		w.inside(func() { c, err = (&net.Dialer{}).DialContext(context.Background(), "tcp", addr) })
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return addr
}
