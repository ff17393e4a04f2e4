// Package etcdtest gives tests an etcd that is real: embedded servers, clients of them, key prefixes
// that nobody else uses, and a proxy that breaks connections on demand.
//
// Everything that a function here starts is ended by the test's own cleanup, in the right order:
// clients and proxies before the servers.
package etcdtest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/embedded"
)

// Server is an embedded etcd that belongs to one test.
type Server = embedded.Server

// startWithin bounds everything that this package waits for.
const startWithin = 30 * time.Second

// Start starts an etcd of the test's own, empty, on a free port; the test's cleanup closes it. A start
// takes some 50 ms: a test that changes users, quotas or the server itself wants its own, and so may
// all others.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartWith(t, embedded.Options{})
}

// StartWith is Start with options. A nil Logger is the test's own log.
func StartWith(t testing.TB, o embedded.Options) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	if o.Logger == nil {
		o.Logger = Logger(t)
	}
	s, err := embedded.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close of the embedded etcd: %v", err)
		}
	})
	return s
}

// Endpoint is the endpoint of a server of the test's own.
func Endpoint(t testing.TB) string {
	t.Helper()
	return Start(t).Endpoint()
}

// Client is a client of a server of the test's own.
func Client(t testing.TB) *etcdapi.Client {
	t.Helper()
	return Connect(t, etcdapi.Config{Endpoints: []string{Endpoint(t)}})
}

// Connect opens a client with config; the test's cleanup closes it.
func Connect(t testing.TB, config etcdapi.Config) *etcdapi.Client {
	t.Helper()
	if config.Logger == nil {
		config.Logger = Logger(t)
	}
	if config.DialTimeout == 0 {
		config.DialTimeout = startWithin
	}
	c, err := etcdapi.Open(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close of the client: %v", err)
		}
	})
	return c
}

// Context is done when the test has run for half a minute, or ended: a test that hangs fails where it hangs.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	t.Cleanup(cancel)
	return ctx
}

var prefixes atomic.Int64

// Prefix is a key prefix that no other test of this process has.
func Prefix(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("/test/%s/%d/", strings.ReplaceAll(t.Name(), "/", "_"), prefixes.Add(1))
}

// Logger writes warnings and errors to the test's log, until the test has ended.
func Logger(t testing.TB) *slog.Logger {
	w := &testLog{t: t}
	t.Cleanup(func() { w.ended.Store(true) })
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type testLog struct {
	t     testing.TB
	ended atomic.Bool
}

func (w *testLog) Write(p []byte) (int, error) {
	if !w.ended.Load() {
		w.t.Logf("%s", strings.TrimSuffix(string(p), "\n"))
	}
	return len(p), nil
}

// Main runs a package's tests and fails when they leave a goroutine behind. Write it as the whole of
// TestMain.
func Main(m *testing.M) { goleak.VerifyTestMain(m) }

// Eventually waits until cond holds, and fails the test when it does not within half a minute.
func Eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(startWithin); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}
