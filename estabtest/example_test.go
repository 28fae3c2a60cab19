package estabtest_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"estab/estabtest"
)

// t stands for what go test passes to a test: an example gets none.
var t = new(testing.T)

// A client meets a partition of a minute, which takes no time, and gets its
// answer when a SYN is repeated after it.
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
		io.Copy(os.Stdout, resp.Body)
		fmt.Println(time.Since(start).Round(time.Second))
	})
	// Output:
	// hello
	// 1m3s
}
