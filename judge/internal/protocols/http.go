package protocols

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const serverName = "server.test"

// certificate makes one for serverName, and what trusts it.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: serverName}, DNSNames: []string{serverName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// site is a server of noise and an echo.
func site() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /noise/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.ParseInt(r.PathValue("n"), 10, 64)
		w.Header().Set("Trailer", "X-Done")
		io.Copy(w, noise(1, n))
		w.Header().Set("X-Done", "yes")
	})
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		rc.EnableFullDuplex() // HTTP/2 has it anyway
		w.WriteHeader(http.StatusOK)
		rc.Flush()
		io.Copy(w, r.Body)
	})
	return mux
}

// HTTP1 is net/http without TLS: many requests on few connections, chunked
// both ways, with trailers, at the same time.
func HTTP1(t *testing.T, n Net) {
	l := n.Listen(t)
	srv := &http.Server{Handler: site()}
	go srv.Serve(l)
	defer srv.Close()
	tr := &http.Transport{DialContext: n.Dial, MaxConnsPerHost: 4}
	defer tr.CloseIdleConnections()
	browse(t, &http.Client{Transport: tr, Timeout: patience}, "http://"+l.Addr().String(), "HTTP/1.1")
}

// HTTP2 is net/http over TLS 1.3.
func HTTP2(t *testing.T, n Net) {
	cert, pool := certificate(t)
	l := n.Listen(t)
	srv := &http.Server{Handler: site(), TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}}
	go srv.ServeTLS(l, "", "")
	defer srv.Close()
	tr := &http.Transport{
		DialContext: n.Dial, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: serverName, MinVersion: tls.VersionTLS13},
	}
	defer tr.CloseIdleConnections()
	browse(t, &http.Client{Transport: tr, Timeout: patience}, "https://"+l.Addr().String(), "HTTP/2.0")
}

// browse makes requests of all sizes, 20 at a time.
func browse(t *testing.T, c *http.Client, url, proto string) {
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for _, size := range []int64{0, 1, 1460, 100_000, 300_000 + int64(i)} {
				if err := get(c, fmt.Sprintf("%s/noise/%d", url, size), proto, size); err != nil {
					t.Errorf("GET %d bytes: %v", size, err)
					return
				}
				if err := post(c, url+"/echo", byte(i), size); err != nil {
					t.Errorf("POST %d bytes: %v", size, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func get(c *http.Client, url, proto string, size int64) error {
	r, err := c.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK || r.Proto != proto {
		return fmt.Errorf("%s %s, not %s", r.Proto, r.Status, proto)
	}
	if proto == "HTTP/2.0" && (r.TLS == nil || r.TLS.Version != tls.VersionTLS13) {
		return fmt.Errorf("not over TLS 1.3: %+v", r.TLS)
	}
	if !same(r.Body, 1, size) {
		return fmt.Errorf("other bytes than were sent")
	}
	if r.Trailer.Get("X-Done") != "yes" {
		return fmt.Errorf("trailer %v", r.Trailer)
	}
	return nil
}

func post(c *http.Client, url string, seed byte, size int64) error {
	r, err := c.Post(url, "application/octet-stream", noise(seed, size))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if !same(r.Body, seed, size) {
		return fmt.Errorf("not what was sent came back")
	}
	return nil
}

// TLS is crypto/tls itself: a full handshake and resumed ones, large records
// both ways at once, and a direction that is closed (close_notify) while the
// other goes on.
func TLS(t *testing.T, n Net) {
	cert, pool := certificate(t)
	raw := n.Listen(t)
	l := tls.NewListener(raw, &tls.Config{Certificates: []tls.Certificate{cert}})
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	cfg := &tls.Config{RootCAs: pool, ServerName: serverName, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	for i := range 5 {
		nc, err := n.Dial(limited(t), "tcp", raw.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c := tls.Client(nc, cfg)
		c.SetDeadline(time.Now().Add(patience))
		const size = 1 << 20
		go func() {
			io.Copy(c, noise(byte(i), size))
			c.CloseWrite()
		}()
		if !same(c, byte(i), size) {
			t.Errorf("connection %d: not what was sent came back", i)
		}
		if s := c.ConnectionState(); s.Version != tls.VersionTLS13 || s.DidResume != (i > 0) {
			t.Errorf("connection %d: version %x, resumed %v", i, s.Version, s.DidResume)
		}
		c.Close()
	}
	nc, err := n.Dial(limited(t), "tcp", raw.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	old := tls.Client(nc, &tls.Config{RootCAs: pool, ServerName: serverName, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := old.Handshake(); err == nil || !strings.Contains(err.Error(), "protocol version not supported") {
		t.Errorf("a client of TLS 1.1 gets %v, not the server's alert", err)
	}
}
