package etcdapi

import (
	"io"
	"log/slog"
	"os"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc/grpclog"

	"etcdlua/etcdapi/internal/zapslog"
)

// grpc's logger may only be set before grpc is used, and grpc is used as soon as anything connects or
// serves: so it happens when the package is loaded, and in no other place.
func init() {
	if os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL") == "" {
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	}
}

// clientLogger is clientv3's logger.
func clientLogger(logger *slog.Logger) *zap.Logger {
	return zap.New(zapslog.NewCore(logger, judgeClientLog))
}

// judgeClientLog hands clientv3's faults on as warnings. What it retries, and every request that fails
// (as an error that its caller gets), it logs as a warning: those are debug messages here.
func judgeClientLog(e zapcore.Entry) (slog.Level, bool) {
	switch {
	case e.Level < zapcore.InfoLevel:
		return 0, false // two lines for each request, formatted for nobody
	case e.Level < zapcore.WarnLevel, strings.HasPrefix(e.Message, "retrying"):
		return slog.LevelDebug, true
	default:
		return slog.LevelWarn, true
	}
}
