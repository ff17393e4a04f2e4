// Package embedded runs an etcd server inside this process: for trying things, for tests, and for
// programs that want to run without one.
//
// A throw-away server (no DataDir) is ready within a few hundredths of a second, does not sync its
// writes and leaves nothing behind. One with a DataDir syncs every write as any etcd does. It listens
// on the loopback interface only, is a cluster of one member, and has no peer port: another member
// cannot join it.
//
// Close the clients first, then the server. Close does not need that to be quick: it ends what is
// still running on the server, watches too, as a member that is stopped does.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	goruntime "runtime"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

const (
	portAttempts = 20
	readyWithin  = 30 * time.Second // a folder with a long log needs its time
	closeWithin  = 10 * time.Second // etcd itself gives open requests five
)

// Server is an etcd server in this process. Its methods may be called from any goroutine.
type Server struct {
	log       *slog.Logger
	dir       string
	throwAway bool
	endpoint  string
	etcd      *embed.Etcd
	noRanges  bool // Options.NoRangeStream

	stopping context.Context // done once Close has begun
	stop     context.CancelFunc
	errc     chan error // one fault at most; closed when the server has stopped
	faultc   chan error // what etcd called fatal, see fatal
	watched  sync.WaitGroup

	closeOnce sync.Once
	closeErr  error
}

// Start starts a server and waits until it answers. The server outlives ctx, which bounds only the
// start. Whoever starts it closes it. A start that fails leaves no goroutine, port or folder behind,
// other than a DataDir; except that etcd does not clean up after itself where it finds that folder spoilt.
func Start(ctx context.Context, o Options) (*Server, error) {
	host, port, err := listenHost(o.Listen)
	if err != nil {
		return nil, err
	}
	s := &Server{log: o.Logger, noRanges: o.NoRangeStream, errc: make(chan error, 1), faultc: make(chan error, 1)}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.dir, s.throwAway, err = dataDir(o.DataDir); err != nil {
		return nil, err
	}
	smallSegments()
	s.stopping, s.stop = context.WithCancel(context.Background())
	if err := s.listen(ctx, host, port); err != nil {
		s.stop()
		s.removeThrowAway()
		return nil, err
	}
	s.watched.Go(s.watch)
	return s, nil
}

// listen starts etcd on the port, or on a free one: on another when somebody was faster.
func (s *Server) listen(ctx context.Context, host, port string) error {
	if port != "0" {
		return s.start(ctx, host, port)
	}
	for attempt := 1; ; attempt++ {
		free, err := freePort(host)
		if err != nil {
			return err
		}
		err = s.start(ctx, host, free)
		if !errors.Is(err, syscall.EADDRINUSE) || attempt == portAttempts {
			return err
		}
	}
}

// start runs etcd's own start on a goroutine of its own: what etcd calls fatal ends only that one.
// etcd's start cannot be interrupted, so one that ctx ends is waited for.
func (s *Server) start(ctx context.Context, host, port string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	type result struct {
		etcd *embed.Etcd
		err  error
	}
	resultc := make(chan result, 1)
	go func() {
		r := result{err: errors.New("etcd gave up")}
		defer func() {
			if p := recover(); p != nil {
				r.err = fmt.Errorf("etcd panicked: %v", p)
			}
			resultc <- r
		}()
		r.etcd, r.err = embed.StartEtcd(s.config(host, port))
	}()
	r := <-resultc
	if r.err != nil {
		return s.explain(host, port, r.err)
	}
	select {
	case <-r.etcd.Server.ReadyNotify():
	case err := <-s.faultc:
		closeEtcd(r.etcd)
		return s.explain(host, port, err)
	case <-ctx.Done():
		s.stop() // what etcd says from here on is part of stopping
		closeEtcd(r.etcd)
		return s.explain(host, port, fmt.Errorf("not ready: %w", context.Cause(ctx)))
	}
	s.etcd = r.etcd
	s.endpoint = "http://" + net.JoinHostPort(host, port)
	return nil
}

// explain adds what was being done, and what etcd said before it gave up.
func (s *Server) explain(host, port string, err error) error {
	select {
	case fault := <-s.faultc:
		err = fault
	default:
	}
	addr := net.JoinHostPort(host, port)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("embedded etcd: %s is taken by another program (%w); choose another address, or port 0 for a free one", addr, err)
	}
	return fmt.Errorf("embedded etcd on %s with its data in %s: %w", addr, s.dir, err)
}

// Endpoint is the address to give to a client: "http://127.0.0.1:PORT".
func (s *Server) Endpoint() string { return s.endpoint }

// DataDir is the folder that holds the data; a throw-away one exists until Close.
func (s *Server) DataDir() string { return s.dir }

// Err gives the error with which the server died by itself, at most one, and is closed when the
// server has stopped, for whatever reason.
func (s *Server) Err() <-chan error { return s.errc }

// watch hands on the fault of a server that dies by itself.
func (s *Server) watch() {
	defer close(s.errc)
	for {
		var err error
		select {
		case <-s.stopping.Done():
			return
		case <-s.etcd.Server.StopNotify():
			err = errors.New("it stopped")
		case err = <-s.etcd.Err():
		case err = <-s.faultc:
		}
		if err != nil && s.stopping.Err() == nil {
			s.errc <- fmt.Errorf("embedded etcd at %s died: %w", s.endpoint, err)
			return
		}
	}
}

// Close stops the server and waits until it has stopped, a throw-away folder removed: in a millisecond
// or two when its clients are closed, and never longer than ten seconds. Calling it again is harmless.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		s.stop()
		s.watched.Wait()
		s.closeErr = errors.Join(closeEtcd(s.etcd), s.removeThrowAway())
	})
	return s.closeErr
}

// closeEtcd bounds a stop that may wait for ever after a fault.
func closeEtcd(e *embed.Etcd) error {
	donec := make(chan struct{})
	go func() {
		defer close(donec)
		e.Close()
	}()
	select {
	case <-donec:
		return nil
	case <-time.After(closeWithin):
		return fmt.Errorf("embedded etcd did not stop within %v", closeWithin)
	}
}

func (s *Server) removeThrowAway() error {
	if !s.throwAway {
		return nil
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("data of the embedded etcd in %s stays behind: %w", s.dir, err)
	}
	return nil
}

// fatal is what runs instead of os.Exit where etcd calls something fatal: the fault is handed on and
// the goroutine that met it ends. The program decides what to do about it.
func (s *Server) fatal(message string) {
	select {
	case s.faultc <- errors.New(message):
	default:
	}
	goruntime.Goexit()
}
