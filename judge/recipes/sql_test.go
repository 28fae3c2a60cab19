package recipes

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/stdlib"

	"estab/estabtest"
)

// servePostgres is a PostgreSQL of few words: it lets everybody in and answers
// every query with one row, "1". It counts the queries.
func servePostgres(t *testing.T, h *estabtest.Host, queries *atomic.Int64) {
	t.Helper()
	l, err := h.Listen("tcp", ":5432")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				talkPostgres(c, queries)
			}()
		}
	}()
}

func talkPostgres(c net.Conn, queries *atomic.Int64) {
	b := pgproto3.NewBackend(c, c)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	b.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for b.Flush() == nil {
		msg, err := b.Receive()
		if err != nil {
			return
		}
		switch q := msg.(type) {
		case *pgproto3.Query: // the simple protocol, also of pings
			if q.String == "-- ping" {
				b.Send(&pgproto3.EmptyQueryResponse{})
			} else {
				queries.Add(1)
				b.Send(columns())
				sendRow(b)
			}
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		case *pgproto3.Parse:
			b.Send(&pgproto3.ParseComplete{})
		case *pgproto3.Bind:
			b.Send(&pgproto3.BindComplete{})
		case *pgproto3.Describe:
			b.Send(columns())
		case *pgproto3.Execute:
			queries.Add(1)
			sendRow(b)
		case *pgproto3.Sync:
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		default:
			return // Terminate, or what this server doesn't speak
		}
	}
}

func columns() *pgproto3.RowDescription {
	return &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{
		{Name: []byte("n"), DataTypeOID: 23, DataTypeSize: 4, TypeModifier: -1},
	}}
}

func sendRow(b *pgproto3.Backend) {
	b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("1")}})
	b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
}

// openPostgres is a pool on a host.
func openPostgres(t *testing.T, h *estabtest.Host, mode pgx.QueryExecMode, opts ...stdlib.OptionOpenDB) *sql.DB {
	t.Helper()
	cfg, err := pgx.ParseConfig("postgres://user@db.internal:5432/db?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	cfg.DialFunc = h.DialContext
	cfg.LookupFunc = func(ctx context.Context, host string) ([]string, error) { return []string{host}, nil } // the dialer does
	cfg.DefaultQueryExecMode = mode
	db := stdlib.OpenDB(*cfg, opts...)
	t.Cleanup(func() { db.Close() })
	return db
}

func selectOne(ctx context.Context, db *sql.DB) error {
	var n int
	return db.QueryRowContext(ctx, "SELECT 1").Scan(&n)
}

// A pool of database connections after the server's restart. The driver asks
// connections that were idle for more than a second whether they live, before
// it uses them, and nobody notices the restart but for the time that it takes.
// If it doesn't ask, one query fails for each dead connection, because nobody
// knows whether it was carried out.
func TestSQLRestart(t *testing.T) {
	for _, test := range []struct {
		name   string
		opts   []stdlib.OptionOpenDB
		failed int
	}{
		{"asks", nil, 0},
		{"doesn't ask", []stdlib.OptionOpenDB{
			stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }),
		}, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := estabtest.New(t, estabtest.Link{Delay: 10 * time.Millisecond, Loss: 0.01})
				server := n.Host("db.internal")
				var queries atomic.Int64
				servePostgres(t, server, &queries)
				db := openPostgres(t, n.Host("app"), pgx.QueryExecModeExec, test.opts...)
				db.SetMaxIdleConns(5)
				done := make(chan error)
				for range 5 {
					go func() { done <- selectOne(t.Context(), db) }()
				}
				for range 5 {
					if err := <-done; err != nil {
						t.Fatal(err)
					}
				}
				if open := db.Stats().OpenConnections; open != 5 {
					t.Errorf("%d connections in the pool", open)
				}

				time.Sleep(time.Minute)
				server.Restart()
				servePostgres(t, server, &queries)
				before, failed := queries.Load(), 0
				for range 10 {
					if err := selectOne(t.Context(), db); err != nil {
						failed++
					}
				}
				if arrived := int(queries.Load() - before); failed != test.failed || arrived != 10-failed {
					t.Errorf("%d of 10 queries failed, %d came to the server", failed, arrived)
				}
			})
		})
	}
}

// In a partition a query ends with its context, and with nothing else; the
// pool recovers when the partition heals.
func TestSQLPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := estabtest.New(t, estabtest.Link{Delay: 10 * time.Millisecond})
		var queries atomic.Int64
		servePostgres(t, n.Host("db.internal"), &queries)
		db := openPostgres(t, n.Host("app"), pgx.QueryExecModeExec)
		if err := selectOne(t.Context(), db); err != nil {
			t.Fatal(err)
		}

		n.Partition("app", "db.internal")
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		err := selectOne(ctx, db)
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took < 3*time.Second || took > 4*time.Second {
			t.Errorf("in the partition: %v after %v", err, took)
		}
		n.Heal("app", "db.internal")
		if err := selectOne(t.Context(), db); err != nil {
			t.Errorf("after the healing: %v", err)
		}
	})
}

// A server that takes a query and vanishes. Nobody knows whether it was carried
// out, so the driver must not let database/sql repeat it. (What the simple
// protocol of pgx does is found out here, not demanded.)
func TestSQLTakenButNotAnswered(t *testing.T) {
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		synctest.Test(t, func(t *testing.T) {
			n := estabtest.New(t, estabtest.Link{Delay: 10 * time.Millisecond})
			l, err := n.Host("db.internal").Listen("tcp", ":5432")
			if err != nil {
				t.Fatal(err)
			}
			var taken atomic.Int64
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						talkPostgres(&mute{Conn: c.(*estabtest.Conn), queries: &taken}, &taken)
						c.Close()
					}()
				}
			}()
			db := openPostgres(t, n.Host("app"), mode)
			if err := selectOne(t.Context(), db); err == nil {
				t.Error("an answer from nowhere")
			}
			t.Logf("%v: one call, and the server took %d queries", mode, taken.Load())
			if mode == pgx.QueryExecModeExec && taken.Load() != 1 {
				t.Error("it was repeated")
			}
		})
	}
}

// mute is a connection that breaks instead of carrying the first answer to a
// query.
type mute struct {
	*estabtest.Conn
	queries *atomic.Int64
	before  int64
	armed   bool
}

func (m *mute) Read(b []byte) (int, error) {
	m.before, m.armed = m.queries.Load(), true
	return m.Conn.Read(b)
}

func (m *mute) Write(b []byte) (int, error) {
	if m.armed && m.queries.Load() > m.before {
		m.SetLinger(0)
		m.Close()
	}
	return m.Conn.Write(b)
}
