package etcdapi

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// limit bounds a request in time on this side of the wire only. A context's deadline would travel with
// the request, and the server would start and stop a timer for it too: that costs a get a twentieth of
// its rate. When time is up the context is cancelled, which ends the request on the server all the same.
type limit struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

var errTimeUp = errors.New("time is up")

// newLimit starts the time; end stops it.
func newLimit(ctx context.Context, d time.Duration) limit {
	ctx, cancel := context.WithCancelCause(ctx)
	return limit{ctx, cancel, time.AfterFunc(d, func() { cancel(errTimeUp) })}
}

func (l limit) end() {
	l.timer.Stop()
	l.cancel(nil)
}

// explain is for the error of a request that ran under l: time that was up is not a cancel.
func (l limit) explain(err error) error {
	if err == nil || context.Cause(l.ctx) != errTimeUp {
		return err
	}
	return status.Error(codes.DeadlineExceeded, description(err))
}
