package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"etcdlua/etcdapi/internal/zapslog"
)

// partOfStopping are errors that etcd logs at every normal stop, partOfStarting at the first start on a
// new folder: it cannot set a storage version before the first entry has been applied, and tries again.
var (
	partOfStopping = []string{
		"setting up serving from embedded etcd failed",
		"failed to publish local member to cluster through raft",
	}
	partOfStarting = []string{"failed to update storage version"}
)

// judge keeps faults loud and the rest quiet: a warning of etcd's is a fact about a configuration that
// we chose, or about a busy machine, and the user of a throw-away server can do nothing about either.
func (s *Server) judge(e zapcore.Entry) (slog.Level, bool) {
	if e.Level < zapcore.ErrorLevel {
		return slog.LevelDebug, true
	}
	expected := partOfStarting
	if s.stopping.Err() != nil {
		expected = slices.Concat(partOfStarting, partOfStopping)
	}
	if slices.ContainsFunc(expected, func(m string) bool { return strings.HasPrefix(e.Message, m) }) {
		return slog.LevelDebug, true
	}
	return slog.LevelError, true
}

// zapLogger is etcd's logger: ours underneath, and a fatal entry does not end the process.
func (s *Server) zapLogger() *zap.Logger {
	return zap.New(zapslog.NewCore(s.log, s.judge), zap.WithFatalHook(fatalHook{s}))
}

type fatalHook struct{ s *Server }

func (h fatalHook) OnWrite(e *zapcore.CheckedEntry, fields []zapcore.Field) {
	message := e.Message
	for _, f := range fields {
		if err, ok := f.Interface.(error); ok && f.Type == zapcore.ErrorType {
			message = fmt.Sprintf("%s: %v", message, err)
		}
	}
	h.s.fatal(message)
}

// interruptUnary ends a request that is still running when the server stops: etcd would wait five
// seconds for it.
func (s *Server) interruptUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	return handle(ctx, req)
}

// interruptStream does the same for watches and keep-alives. The client hears "server stopped", which
// makes it look for the server again, and not "cancelled", which would end its watch.
func (s *Server) interruptStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if s.noRanges && info.FullMethod == pb.KV_RangeStream_FullMethodName {
		return status.Error(codes.Unimplemented, "unknown method RangeStream for service etcdserverpb.KV")
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	err := handle(srv, streamWithContext{stream, ctx})
	if s.stopping.Err() != nil {
		return rpctypes.ErrGRPCStopped
	}
	return err
}

type streamWithContext struct {
	grpc.ServerStream
	ctx context.Context
}

func (s streamWithContext) Context() context.Context { return s.ctx }
