package runtime

import (
	"context"
	"time"
)

// Clock is the one source of time and timers of the runtime: sleeps, deadlines,
// backoffs and schedules all come here, so that time can be made virtual in one
// place. Its methods may be called from any goroutine. The zero value is the
// system's clock.
type Clock struct{}

// Now returns the current time with its monotonic reading.
func (Clock) Now() time.Time { return time.Now() }

// Since returns the time that has passed since t.
func (Clock) Since(t time.Time) time.Duration { return time.Since(t) }

// Sleep waits for d, or until ctx ends, and returns ctx's cause then.
func (Clock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// AfterFunc runs f on its own goroutine after d. The caller stops the timer.
func (Clock) AfterFunc(d time.Duration, f func()) *time.Timer { return time.AfterFunc(d, f) }

// NewTicker ticks every d. The caller stops it.
func (Clock) NewTicker(d time.Duration) *time.Ticker { return time.NewTicker(d) }

// WithTimeout derives a context that ends after d. The caller cancels it.
func (Clock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}
