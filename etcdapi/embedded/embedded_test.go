package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"etcdlua/etcdapi/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ctxFor(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// start starts a server that logs into the test's log from warnings on.
func start(t *testing.T, o embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(ctxFor(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func connect(t *testing.T, s *embedded.Server) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Endpoint()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestThrowAway(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var log bytes.Buffer
	s, err := embedded.Start(ctxFor(t), embedded.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, s)
	if _, err := c.Put(ctxFor(t), "k", "v"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.DataDir()); err != nil {
		t.Error(err)
	}
	c.Close()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err, open := <-s.Err(); open {
		t.Errorf("a server that was closed has died: %v", err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if log.Len() != 0 {
		t.Errorf("a start and a stop are quiet, and not: %s", &log)
	}
}

func TestDataDirIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := start(t, embedded.Options{DataDir: dir})
	c := connect(t, s)
	if _, err := c.Put(ctxFor(t), "k", "v"); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, embedded.Options{DataDir: dir})
	resp, err := connect(t, again).Get(ctxFor(t), "k")
	if err != nil || len(resp.Kvs) != 1 || string(resp.Kvs[0].Value) != "v" {
		t.Errorf("%v, %v", resp, err)
	}
	if again.DataDir() != dir {
		t.Errorf("data in %s", again.DataDir())
	}
}

// TestDataDirInUse: etcd itself would wait for ever.
func TestDataDirInUse(t *testing.T) {
	dir := t.TempDir()
	start(t, embedded.Options{DataDir: dir})
	_, err := embedded.Start(ctxFor(t), embedded.Options{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "another etcd") || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
}

// TestSpoiltDataDir: what etcd calls fatal is an error of the start, and not the end of the process. It
// happens in a process of its own, for etcd leaves goroutines behind.
func TestSpoiltDataDir(t *testing.T) {
	const variable = "TEST_SPOILT_DATA_DIR"
	if dir := os.Getenv(variable); dir != "" {
		_, err := embedded.Start(ctxFor(t), embedded.Options{DataDir: dir, Logger: slog.New(slog.DiscardHandler)})
		fmt.Println("the start says:", err)
		os.Exit(0)
	}
	dir := t.TempDir()
	s := start(t, embedded.Options{DataDir: dir})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "member", "wal", "*.wal"))
	if err != nil || len(logs) == 0 {
		t.Fatal(logs, err)
	}
	if err := os.WriteFile(logs[0], bytes.Repeat([]byte("spoilt"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(ctxFor(t), os.Args[0], "-test.run=^TestSpoiltDataDir$")
	child.Env = append(os.Environ(), variable+"="+dir)
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the start says: embedded etcd on") || !strings.Contains(string(out), dir) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestDataDirIsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Start(ctxFor(t), embedded.Options{DataDir: file}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file as a folder: %v", err)
	}
}

func TestListen(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:2379", ":2379", "192.0.2.1:2379", "[::]:0", "example.com:1"} {
		if _, err := embedded.Start(ctxFor(t), embedded.Options{Listen: listen}); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v", listen, err)
		}
	}
	for _, listen := range []string{"127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:-1"} {
		if _, err := embedded.Start(ctxFor(t), embedded.Options{Listen: listen}); err == nil || !strings.Contains(err.Error(), listen) {
			t.Errorf("%s: %v", listen, err)
		}
	}
	s := start(t, embedded.Options{Listen: "localhost:0"})
	if !strings.HasPrefix(s.Endpoint(), "http://localhost:") || strings.HasSuffix(s.Endpoint(), ":0") {
		t.Errorf("at %s", s.Endpoint())
	}
	if _, err := connect(t, s).Get(ctxFor(t), "k"); err != nil {
		t.Error(err)
	}
}

// TestPortTaken: the start says so, and leaves nothing behind.
func TestPortTaken(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = embedded.Start(ctxFor(t), embedded.Options{Listen: l.Addr().String(), Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestManyAtOnce: free ports and throw-away folders do not collide, nor do the clusters' ids.
func TestManyAtOnce(t *testing.T) {
	var group sync.WaitGroup
	ids := make(chan uint64, 8)
	for range cap(ids) {
		group.Go(func() {
			s, err := embedded.Start(ctxFor(t), embedded.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			c, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Endpoint()}, Logger: zap.NewNop()})
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			resp, err := c.Put(ctxFor(t), "k", "v")
			if err != nil {
				t.Error(err)
				return
			}
			ids <- resp.Header.ClusterId
		})
	}
	group.Wait()
	close(ids)
	seen := map[uint64]bool{}
	for id := range ids {
		if seen[id] {
			t.Errorf("two clusters have the id %x", id)
		}
		seen[id] = true
	}
}

// TestCloseWithClientsOpen: a watch, a keep-alive and a request that waits do not hold the stop up, and a
// watch hears that the member has gone, not that it was cancelled.
func TestCloseWithClientsOpen(t *testing.T) {
	s := start(t, embedded.Options{})
	c := connect(t, s)
	ctx, cancel := context.WithCancel(ctxFor(t))
	defer cancel()
	watch := c.Watch(ctx, "k", clientv3.WithCreatedNotify())
	if created := <-watch; !created.Created {
		t.Fatalf("%+v", created)
	}
	lease, err := c.Grant(ctx, 60)
	if err != nil {
		t.Fatal(err)
	}
	beats, err := c.KeepAlive(ctx, lease.ID)
	if err != nil {
		t.Fatal(err)
	}
	<-beats
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(4 * time.Second): // etcd by itself takes five
		t.Error("the stop waits for clients")
		<-closed
	}
	select {
	case resp, open := <-watch:
		t.Errorf("the watch ended with its server: %+v, open %v", resp, open)
	default:
	}
}

func TestStartIsCancelled(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if s, err := embedded.Start(ctx, embedded.Options{Logger: slog.New(slog.DiscardHandler)}); !errors.Is(err, context.Canceled) {
		if err == nil {
			s.Close()
		}
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDiesByItself: what ends the server without Close is told.
func TestDiesByItself(t *testing.T) {
	s, err := embedded.Start(ctxFor(t), embedded.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	embedded.Kill(s)
	if err := <-s.Err(); err == nil || !strings.Contains(err.Error(), s.Endpoint()) {
		t.Errorf("%v", err)
	}
	if _, open := <-s.Err(); open {
		t.Error("two faults")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestFatalFault: what ends etcd's own process ends only its goroutine here, and is told.
func TestFatalFault(t *testing.T) {
	s := start(t, embedded.Options{Logger: slog.New(slog.DiscardHandler)})
	if embedded.Fatal(s, "the disk is gone") {
		t.Error("whoever met a fatal fault went on")
	}
	if err := <-s.Err(); err == nil || !strings.Contains(err.Error(), "failed to save: the disk is gone") {
		t.Errorf("%v", err)
	}
}

func TestSegmentsAreSmall(t *testing.T) {
	start(t, embedded.Options{})
	if wal.SegmentSizeBytes > 8<<20 {
		t.Errorf("a log takes %d bytes from the start", wal.SegmentSizeBytes)
	}
}
