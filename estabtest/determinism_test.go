package estabtest_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"estab/estabtest"
)

// story is everything that a test can see of a network: every segment of every
// connection with its time and its fate, and the ladders.
func story(n *estabtest.Network) string {
	var b strings.Builder
	for _, c := range n.Conns() {
		fmt.Fprintln(&b, c)
		for _, s := range c.Segments() {
			fmt.Fprintln(&b, s.Time.Nanoseconds(), s)
		}
		b.WriteString(c.Ladder())
	}
	return b.String()
}

// repeat runs a test over and over and counts the stories it tells.
func repeat(t *testing.T, times int, f func(t *testing.T) string) map[string]int {
	t.Helper()
	stories := map[string]int{}
	for range times {
		synctest.Test(t, func(t *testing.T) { stories[f(t)]++ })
		if t.Failed() {
			break
		}
	}
	return stories
}

func times(short, full int) int {
	if long() {
		return full
	}
	return short
}

// One goroutine at a time on each host, a bad path: the same segments at the
// same nanoseconds, whatever the scheduler does.
func TestSameStory(t *testing.T) {
	stories := repeat(t, times(50, 1000), func(t *testing.T) string {
		n := estabtest.New(t, estabtest.Link{
			Delay: 20 * time.Millisecond, Jitter: 3 * time.Millisecond, Loss: 0.02, Burst: 2,
			Duplicate: 0.01, Reorder: 0.01, Corrupt: 0.005, Rate: 20e6, Queue: 50,
		})
		ln, err := n.Host("server").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			body, _ := io.ReadAll(c)
			c.Write(bytes.ToUpper(body))
			c.Close()
		}()
		c, err := n.Host("client").Dial("tcp", "server:80")
		if err != nil {
			t.Fatal(err)
		}
		text := bytes.Repeat([]byte("a road not taken "), 10000)
		c.Write(text)
		c.(*estabtest.Conn).CloseWrite()
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, bytes.ToUpper(text)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		c.Close()
		time.Sleep(2 * time.Minute)
		n.NoConnectionLeft()
		return story(n)
	})
	if len(stories) != 1 {
		t.Errorf("%d different stories", len(stories))
	}
}

// Many hosts that do everything in the same instant: as long as each has one
// goroutine that runs at a time, the story is the same.
func TestSameStoryManyHosts(t *testing.T) {
	stories := repeat(t, times(20, 300), func(t *testing.T) string {
		n := estabtest.New(t, estabtest.Link{Delay: 10 * time.Millisecond, Loss: 0.05})
		const hosts, rounds = 6, 10
		done := make(chan struct{})
		ln, err := n.Host("hub").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		go answerOneByOne(ln, hosts*rounds)
		for i := range hosts {
			h := n.Host(fmt.Sprint("node", i))
			go func() {
				defer func() { done <- struct{}{} }()
				for range rounds {
					c, err := h.Dial("tcp", "hub:80")
					if err != nil {
						t.Error(err)
						return
					}
					io.WriteString(c, "ping")
					io.ReadAll(c)
					c.Close()
					time.Sleep(100 * time.Millisecond)
				}
			}()
		}
		for range hosts {
			<-done
		}
		time.Sleep(2 * time.Minute)
		n.NoConnectionLeft()
		return story(n)
	})
	if len(stories) != 1 {
		t.Errorf("%d different stories", len(stories))
	}
}

func answerOneByOne(ln net.Listener, conns int) {
	for range conns {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		b := make([]byte, 4)
		io.ReadFull(c, b)
		c.Write(bytes.ToUpper(b))
		c.Close()
	}
}

// What is not guaranteed, measured: a connection that is read and written by
// two goroutines at the same instant, as net/http does on both ends. What
// every call returns is the same all the same; how the bytes are cut into
// segments may differ.
func TestStoriesOfConcurrentPrograms(t *testing.T) {
	stories := repeat(t, times(20, 300), func(t *testing.T) string {
		n := estabtest.New(t, estabtest.Link{Delay: 20 * time.Millisecond, Loss: 0.01})
		ln, err := n.Host("server").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		go http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Write(body)
		}))
		client := http.Client{Transport: &http.Transport{DialContext: n.Host("client").DialContext}}
		text := strings.Repeat("a road not taken ", 10000)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				resp, err := client.Post("http://server/", "text/plain", strings.NewReader(text))
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				if got, err := io.ReadAll(resp.Body); err != nil || string(got) != text {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			})
		}
		wg.Wait()
		return story(n)
	})
	t.Logf("%d different stories", len(stories))
}
