package estab_test

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"

	"estab"
	"estab/link"
)

// Two hosts joined by a wire in memory: an HTTP server on one, a client on the
// other. Nothing here touches the network of the operating system.
func Example() {
	a, b := link.Pair(link.PairOptions{})
	client, err := estab.NewHost(estab.Config{Links: []estab.LinkConfig{
		{Link: a, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}},
	}})
	if err != nil {
		panic(err)
	}
	defer client.Close()
	server, err := estab.NewHost(estab.Config{Links: []estab.LinkConfig{
		{Link: b, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.2/24")}},
	}})
	if err != nil {
		panic(err)
	}
	defer server.Close()

	l, err := server.Listen("tcp", ":80")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello from", r.Host)
	}))

	get := http.Client{Transport: &http.Transport{DialContext: client.DialContext}}
	resp, err := get.Get("http://10.0.0.2/")
	if err != nil {
		panic(err)
	}
	body, _ := io.ReadAll(resp.Body)
	fmt.Print(string(body))
	// Output: hello from 10.0.0.2
}

// A host without links still has its loopback.
func ExampleHost_Dial() {
	host, err := estab.NewHost(estab.Config{})
	if err != nil {
		panic(err)
	}
	defer host.Close()
	l, err := host.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		s, err := l.Accept()
		if err != nil {
			return
		}
		io.WriteString(s, "hello")
		s.Close()
	}()
	c, err := host.Dial("tcp", l.Addr().String())
	if err != nil {
		panic(err)
	}
	b, err := io.ReadAll(c)
	fmt.Printf("%s, %v\n", b, err)
	// Output: hello, <nil>
}
