package recipes

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"estab/estabtest"
)

// serveGRPC runs a server with nothing but the health service.
func serveGRPC(t *testing.T, h *estabtest.Host) {
	t.Helper()
	l, err := h.Listen("tcp", ":50051")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
		MinTime: 5 * time.Second, PermitWithoutStream: true,
	}))
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	t.Cleanup(s.Stop)
	go s.Serve(l)
}

func newGRPC(t *testing.T, h *estabtest.Host, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append(opts,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return h.DialContext(ctx, "tcp", address)
		}),
	)
	cc, err := grpc.NewClient("passthrough:///server:50051", opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close() })
	return cc
}

// A gRPC stream over a partition. Without keep-alive of its own the client
// waits for as long as it is told to, for it sends nothing that could remain
// unanswered; with it, the stream ends after Time plus Timeout. In either case
// the client connects again by itself once the partition has healed.
func TestGRPCKeepalive(t *testing.T) {
	for _, test := range []struct {
		name string
		opts []grpc.DialOption
		code codes.Code
		took time.Duration
	}{
		{"without", nil, codes.DeadlineExceeded, 20 * time.Hour},
		{"with", []grpc.DialOption{grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 10 * time.Second, Timeout: 5 * time.Second,
		})}, codes.Unavailable, 15 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := estabtest.New(t, estabtest.Link{Delay: 30 * time.Millisecond})
				serveGRPC(t, n.Host("server"))
				cc := newGRPC(t, n.Host("client"), test.opts...)
				client := grpc_health_v1.NewHealthClient(cc)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Hour)
				defer cancel()
				stream, err := client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := stream.Recv(); err != nil {
					t.Fatal(err)
				}

				time.Sleep(time.Second) // until nothing is under way
				n.Partition("client", "server")
				start := time.Now()
				_, err = stream.Recv()
				if took := time.Since(start); status.Code(err) != test.code || took < test.took-2*time.Second || took > test.took+time.Second {
					t.Errorf("the stream ended after %v: %v", took, err)
				}

				n.Heal("client", "server")
				tries := 0
				for err = context.Canceled; err != nil && tries < 10; tries++ {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
					_, err = client.Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.WaitForReady(true))
					cancel()
				}
				if err != nil || tries > 2 { // the first may find out that the old connection is dead
					t.Errorf("after the healing: %d calls, %v", tries, err)
				}
			})
		})
	}
}

// A server that restarts: the client notices when it is told (the reset that
// answers its next words), and connects again.
func TestGRPCRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := estabtest.New(t, estabtest.Link{Delay: 30 * time.Millisecond})
		server := n.Host("server")
		serveGRPC(t, server)
		cc := newGRPC(t, n.Host("client"))
		client := grpc_health_v1.NewHealthClient(cc)
		check := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
			return err
		}
		if err := check(); err != nil {
			t.Fatal(err)
		}
		server.Restart()
		serveGRPC(t, server)
		if cc.GetState() != connectivity.Ready {
			t.Errorf("the client knows of the restart: %v", cc.GetState())
		}
		if err := check(); status.Code(err) != codes.Unavailable {
			t.Errorf("the first call after the restart: %v", err) // nobody knows whether it was carried out
		}
		if err := check(); err != nil {
			t.Errorf("the second: %v", err)
		}
	})
}
