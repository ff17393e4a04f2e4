package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	goruntime "runtime"
	"strconv"
	"time"

	lua "github.com/yuin/gopher-lua"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
	"etcdlua/runtime/modules/etcd"
)

func connect(ctx context.Context, endpoint string) (*etcdapi.Client, error) {
	return etcdapi.Open(ctx, etcdapi.Config{Endpoints: []string{endpoint}, Logger: slog.New(slog.DiscardHandler)})
}

func newClientv3(endpoint string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
}

// withClients runs f beside a server of its own, with both clients connected.
func (b *bench) withClients(f func(s *scripts, c *clientv3.Client) error, serverArgs ...string) error {
	return b.withServer(func(endpoint string) error {
		ours, err := connect(b.ctx, endpoint)
		if err != nil {
			return err
		}
		defer ours.Close()
		theirs, err := newClientv3(endpoint)
		if err != nil {
			return err
		}
		defer theirs.Close()
		return f(&scripts{ctx: b.ctx, client: ours, endpoint: endpoint}, theirs)
	}, serverArgs...)
}

// scripts runs scripts as the binary does: a host each, the module etcd on one client. A script says
// with bench.start and bench.stop what of it is measured.
type scripts struct {
	ctx      context.Context
	client   *etcdapi.Client
	endpoint string
	onStart  func() // called by bench.start, when time has begun
	seen     func() // called by bench.seen

	begun time.Time
	took  time.Duration
	noted map[string]float64
}

// run runs a script and returns how many seconds passed between bench.start and bench.stop.
func (s *scripts) run(src string, args ...string) (float64, error) {
	script, err := runtime.Compile("bench.lua", "", []byte(src))
	if err != nil {
		return 0, err
	}
	s.took, s.noted = 0, map[string]float64{}
	h := runtime.New(runtime.Options{
		Args: args, Stdout: os.Stderr, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Modules: []runtime.Module{etcd.Module(s.client), s.module()},
	})
	defer h.Close()
	if err := h.Run(s.ctx, script); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, runtime.Traceback(err))
	}
	if s.took == 0 {
		return 0, errors.New("the script did not stop the clock")
	}
	return s.took.Seconds(), nil
}

// side is a side of the table that runs a script.
func (s *scripts) side(name, src string, args ...string) side {
	return ours(name, func() (float64, error) { return s.run(src, args...) })
}

func (s *scripts) module() runtime.Module {
	return runtime.Module{Name: "bench", Open: func(h *runtime.Host) lua.LValue {
		return h.NewModule("bench", runtime.Methods{
			"start":  s.start,
			"stop":   func(*lua.LState) int { s.took = time.Since(s.begun); return 0 },
			"seen":   func(*lua.LState) int { s.seen(); return 0 },
			"memory": memory,
			"note":   s.note,
		})
	}}
}

func (s *scripts) start(*lua.LState) int {
	s.begun = time.Now()
	if s.onStart != nil {
		s.onStart()
	}
	return 0
}

func (s *scripts) note(L *lua.LState) int {
	s.noted[L.CheckString(1)] = float64(L.CheckNumber(2))
	return 0
}

// memory returns the bytes of heap that are alive, and those of stacks.
func memory(L *lua.LState) int {
	heap, stack := liveMemory()
	L.Push(lua.LNumber(heap))
	L.Push(lua.LNumber(stack))
	return 2
}

func liveMemory() (heap, stack uint64) {
	goruntime.GC()
	goruntime.GC() // the first one only empties the pools
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}

// timed runs f and returns the seconds that it took.
func timed(f func() error) (float64, error) {
	begun := time.Now()
	err := f()
	return time.Since(begun).Seconds(), err
}

func text(n int) string { return strconv.Itoa(n) }
