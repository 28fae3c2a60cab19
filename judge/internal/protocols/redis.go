package protocols

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Redis is github.com/redis/go-redis against miniredis: a pool of connections,
// pipelines, transactions, large values, blocking reads and subscriptions.
func Redis(t *testing.T, n Net) {
	m := miniredis.NewMiniRedis()
	l := n.Listen(t)
	var served sync.WaitGroup
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() { serveRedis(m, c) })
		}
	}()
	c := redis.NewClient(&redis.Options{Addr: l.Addr().String(), PoolSize: 10, Dialer: n.Dial})
	ctx := limited(t)
	defer func() {
		c.Close()
		l.Close()
		over := make(chan struct{})
		go func() {
			served.Wait()
			close(over)
		}()
		select {
		case <-over:
		case <-time.After(patience):
			t.Error("the client has closed all its connections, and the server still has some")
		}
		m.Close()
	}()

	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := useRedis(ctx, c, i); err != nil {
				t.Errorf("user %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	sub := c.Subscribe(ctx, "news")
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := c.Publish(ctx, "news", i).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		msg, err := sub.ReceiveMessage(ctx)
		if err != nil || msg.Payload != fmt.Sprint(i) {
			t.Fatalf("message %d: %v, %v", i, msg, err)
		}
	}
}

// serveRedis hands a connection to miniredis, which takes its own end of a
// pipe only.
func serveRedis(m *miniredis.Miniredis, c net.Conn) {
	defer c.Close()
	p, err := m.Dial()
	if err != nil {
		return
	}
	defer p.Close()
	go func() {
		defer p.Close()
		io.Copy(p, c)
	}()
	io.Copy(c, p)
}

func useRedis(ctx context.Context, c *redis.Client, i int) error {
	key := fmt.Sprint("key", i)
	large := string(noiseBytes(byte(i), 200_000))
	if err := c.Set(ctx, key, large, time.Hour).Err(); err != nil {
		return err
	}
	if got, err := c.Get(ctx, key).Result(); err != nil || got != large {
		return fmt.Errorf("%d bytes came back, %v", len(got), err)
	}
	if err := c.Get(ctx, "no such key").Err(); err != redis.Nil {
		return fmt.Errorf("no such key: %v", err)
	}
	cmds, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for j := range 200 {
			p.RPush(ctx, key+"list", j)
		}
		return nil
	})
	if err != nil || len(cmds) != 200 {
		return fmt.Errorf("pipeline: %d answers, %v", len(cmds), err)
	}
	if _, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, "total")
		p.LTrim(ctx, key+"list", 1, -1)
		return nil
	}); err != nil {
		return fmt.Errorf("transaction: %w", err)
	}
	if v, err := c.BLPop(ctx, time.Minute, key+"list").Result(); err != nil || len(v) != 2 || v[1] != "1" {
		return fmt.Errorf("BLPOP: %v, %v", v, err)
	}
	return nil
}
