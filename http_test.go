package estab_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"estab"
	"estab/estabtest"
)

// selfSigned makes a certificate for the server's address.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "estab"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IPAddresses: []net.IP{net.ParseIP(addrB)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// An unmodified net/http server and client work over a host, in clear, over
// TLS, and with HTTP/2.
func TestHTTP(t *testing.T) {
	// net/http's HTTP/2 holds a mutex while it writes, and in a bubble time
	// stands still while another goroutine waits for that: no Write may block.
	roomy := configure(func(c *estab.Config) { c.SendBuffer = 4 << 20 })
	for _, test := range []struct {
		name  string
		tls   bool
		h2    bool
		proto string
	}{{"http", false, false, "HTTP/1.1"}, {"https", true, false, "HTTP/1.1"}, {"http2", true, true, "HTTP/2.0"}} {
		t.Run(test.name, func(t *testing.T) {
			forShards(t, func(t *testing.T, network *estabtest.Network) {
				a, b := twoHosts(network)
				client, stop := serve(t, a, b, test.tls, test.h2)
				scheme := "http"
				if test.tls {
					scheme = "https"
				}
				var wg sync.WaitGroup
				for i := range 20 {
					wg.Go(func() { exchange(t, client, fmt.Sprintf("%s://%s:80/", scheme, addrB), test.proto, byte(i)) })
				}
				wg.Wait()
				client.CloseIdleConnections()
				stop()
				if err := a.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				a.Close()
				b.Close()
			}, roomy)
		})
	}
}

// serve runs an HTTP server on b that echoes bodies, and makes a client on a.
func serve(t *testing.T, a, b *estab.Host, secure, h2 bool) (*http.Client, func()) {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Write(body)
	})}
	server.ErrorLog = log.New(io.Discard, "", 0) // clients may close connections that they opened in vain
	transport := &http.Transport{DialContext: a.DialContext, ForceAttemptHTTP2: h2}
	done := make(chan error, 1)
	l := listen(t, b, addrB+":80")
	if secure {
		cert, pool := selfSigned(t)
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
		if !h2 {
			server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
		}
		go func() { done <- server.ServeTLS(l, "", "") }()
	} else {
		go func() { done <- server.Serve(l) }()
	}
	return &http.Client{Transport: transport}, func() {
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	}
}

// exchange sends a body and expects it back.
func exchange(t *testing.T, client *http.Client, url, proto string, seed byte) {
	body := pattern(seed, 0, 100000)
	resp, err := client.Post(url, "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Equal(got, body) || resp.Proto != proto {
		t.Errorf("%s: %d bytes, %v", resp.Proto, len(got), err)
	}
}
