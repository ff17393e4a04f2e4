package runtime

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// OpenFile opens a file as [os.OpenFile] does. Opening a named pipe waits for its other
// end: that wait ends with ctx. It is called without the turn, inside [Host.Wait]. Every
// file that a script opens by name comes from here.
func OpenFile(ctx context.Context, path string, flag int, perm fs.FileMode) (*os.File, error) {
	if info, err := os.Stat(path); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return os.OpenFile(path, flag, perm)
	}
	opened := make(chan struct{})
	var f *os.File
	var err error
	go func() {
		defer close(opened)
		f, err = os.OpenFile(path, flag, perm)
	}()
	select {
	case <-opened:
		return f, err
	case <-ctx.Done():
	}
	knock(path, flag, opened)
	if err == nil {
		_ = f.Close()
	}
	return nil, context.Cause(ctx)
}

// knock ends an open that waits at a named pipe, by opening the other end for a moment.
func knock(path string, flag int, opened <-chan struct{}) {
	other := os.O_WRONLY
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		other = os.O_RDONLY
	}
	for {
		if end, err := os.OpenFile(path, other|syscall.O_NONBLOCK, 0); err == nil {
			<-opened
			_ = end.Close()
			return
		}
		select { // the open had not reached the pipe yet
		case <-opened:
			return
		default:
			_ = Clock{}.Sleep(context.Background(), time.Millisecond)
		}
	}
}

// Interruptible runs a read or a write of f so that it ends with ctx, where the system can
// do that: pipes, terminals and sockets, which are what blocks. It is called without the turn.
func Interruptible(ctx context.Context, f *os.File, op func() (int, error)) (int, error) {
	if f.SetDeadline(time.Time{}) != nil {
		return op() // a plain file
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = f.SetDeadline(time.Unix(1, 0))
	})
	n, err := op()
	if !stop() {
		<-done
		_ = f.SetDeadline(time.Time{})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = context.Cause(ctx)
		}
	}
	return n, err
}

// ReadFile reads up to limit bytes of f; more raise limit_exceeded. It ends with ctx, and
// is called without the turn.
func ReadFile(ctx context.Context, f *os.File, limit int) ([]byte, error) {
	size := 512
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = int(min(info.Size(), int64(limit))) + 1 // one more to see the end
	}
	data := make([]byte, 0, size)
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := Interruptible(ctx, f, func() (int, error) { return f.Read(data[len(data):cap(data)]) })
		data = data[:len(data)+n]
		switch {
		case len(data) > limit:
			return nil, Errorf(CodeLimitExceeded, "", "%s holds more than %d bytes", f.Name(), limit).
				WithHint("read it in pieces with io.open")
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		}
	}
}
