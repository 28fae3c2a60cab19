package estabtest_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"estab/estabtest"
)

// t is what go test passes to a test.
var t *testing.T

// A client meets a partition of ten minutes, which takes no time, and an answer
// that is late.
func Example() {
	synctest.Test(t, func(t *testing.T) {
		n := estabtest.New(t, estabtest.Link{Delay: 30 * time.Millisecond, Loss: 0.02})
		ln, err := n.Host("db.internal").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		go http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "hello")
		}))
		client := &http.Client{Transport: &http.Transport{DialContext: n.Host("app").DialContext}}

		n.Partition("app", "db.internal")
		time.AfterFunc(time.Minute, func() { n.Heal("app", "db.internal") })
		start := time.Now()
		resp, err := client.Get("http://db.internal/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if took := time.Since(start); took < time.Minute {
			t.Errorf("an answer through a partition, after %v", took)
		}
		io.Copy(io.Discard, resp.Body)
	})
}
