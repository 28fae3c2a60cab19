package protocols

import (
	"context"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// GRPC runs gRPC's own interoperability tests (google.golang.org/grpc/interop)
// over TLS: unary and streaming both ways, cancelled, timed out, with metadata
// and errors, and again many at once. Where one of them fails it ends the
// process and says why.
func GRPC(t *testing.T, n Net) {
	cert, pool := certificate(t)
	l := n.Listen(t)
	srv := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&cert)))
	testgrpc.RegisterTestServiceServer(srv, interop.NewTestServer())
	go srv.Serve(l)
	defer srv.Stop()
	cc, err := grpc.NewClient("passthrough:///"+l.Addr().String(),
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, serverName)),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return n.Dial(ctx, "tcp", addr) }))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	ctx := limited(t)
	tc := testgrpc.NewTestServiceClient(cc)
	calls := []func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption){
		interop.DoEmptyUnaryCall, interop.DoLargeUnaryCall, interop.DoClientStreaming, interop.DoServerStreaming,
		interop.DoPingPong, interop.DoEmptyStream, interop.DoTimeoutOnSleepingServer, interop.DoCancelAfterBegin,
		interop.DoCancelAfterFirstResponse, interop.DoCustomMetadata, interop.DoStatusCodeAndMessage, interop.DoSpecialStatusMessage,
	}
	for _, call := range calls {
		call(ctx, tc)
	}
	interop.DoUnimplementedService(ctx, testgrpc.NewUnimplementedServiceClient(cc))
	interop.DoUnimplementedMethod(ctx, cc)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() { calls[i%6](ctx, tc) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		t.Error(err)
	}
}
