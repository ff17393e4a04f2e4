package runtime

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// Options are what a host needs from its program. The zero value of each field has
// the default that its comment names.
type Options struct {
	Args    []string     // the script's args
	Stdin   io.Reader    // default: empty
	Stdout  io.Writer    // default: discarded
	Stderr  io.Writer    // default: discarded
	Flush   bool         // write each line of output at once (a terminal); default: when the script waits
	Log     *slog.Logger // default: discarded
	Grace   time.Duration
	Modules []Module // what scripts can require, beside task, which is always there
}

// defaultGrace is how long cleanup may take when a program ends.
const defaultGrace = 10 * time.Second

// Host runs one program: a Lua state, its tasks, its modules. Make it with [New],
// give it one script with [Host.Run], then it is spent. Its methods need the turn
// unless they say otherwise.
type Host struct {
	Clock Clock
	Log   *slog.Logger

	opts  Options
	turn  turn
	state *lua.LState // holds the globals; no task runs on it

	root     context.Context
	stopRoot context.CancelCauseFunc
	panicked atomic.Pointer[goPanic]

	tasks  map[*Task]struct{}
	live   int           // tasks that keep the program alive
	idle   chan struct{} // closed when none is left
	onExit []*lua.LFunction
	exited *exitError // os.exit was called

	closersMu sync.Mutex
	closeFns  []func(ctx context.Context)

	busy     map[*lua.LState]struct{} // coroutines that wait inside a host call
	isShield map[*lua.LState]struct{}
	shields  []*lua.LState // idle ones
	spare    []*lua.LState // idle threads of tasks
	trace    trace

	dir     string // the script's folder
	out     *bufio.Writer
	modules map[string]lua.LValue
	loaded  *lua.LTable            // what require has returned, as package.loaded
	loading map[string]*loading    // files that are being run by require
	dotted  map[*lua.LTable]string // the tables of modules

	errorType     *Type[*Error]
	tracer, quiet *lua.LFunction
	noop          *lua.LFunction
	trampoline    *lua.LFunction
	next          *lua.LFunction
	tostring      *lua.LFunction
	watch         watchdog
}

// New makes a host with its globals and modules. Nothing runs yet; [Host.Close]
// frees it.
func New(o Options) *Host {
	h := &Host{
		opts: withDefaults(o), idle: make(chan struct{}),
		tasks: map[*Task]struct{}{}, busy: map[*lua.LState]struct{}{}, isShield: map[*lua.LState]struct{}{},
		modules: map[string]lua.LValue{}, loading: map[string]*loading{}, dotted: map[*lua.LTable]string{},
	}
	h.Log = h.opts.Log
	h.out = bufio.NewWriterSize(h.opts.Stdout, 64<<10)
	h.state = lua.NewState(threadOptions)
	h.state.G.Registry.RawSetString(hostKey, &lua.LUserData{Value: h})
	h.tracer, h.quiet, h.noop = h.newTracer(h.state), h.newQuietHandler(h.state), h.state.NewFunction(func(*lua.LState) int { return 0 })
	h.trampoline = newTrampoline(h.state)
	h.errorType = h.newErrorType()
	h.openBase()
	h.openModules(append([]Module{TaskModule}, h.opts.Modules...))
	h.state.SetGlobal("args", Strings(h.state, h.opts.Args))
	return h
}

func withDefaults(o Options) Options {
	if o.Stdin == nil {
		o.Stdin = eof{}
	}
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Stderr == nil {
		o.Stderr = io.Discard
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	return o
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// threadOptions are those of every Lua thread. A thread starts small (a parked task
// is some 12.5 KiB with its goroutine) and grows: 215 registers to 2^18, so that unpack
// and concat of many thousand values work; 2,040 calls deep. Both figures just fill a
// size class of Go's allocator, header included: one register more costs 640 bytes a
// task, and eight calls more 256.
var threadOptions = lua.Options{
	CallStackSize: 2040, MinimizeStackMemory: true, SkipOpenLibs: true, IncludeGoStackTrace: true,
	RegistrySize: 215, RegistryGrowStep: 512, RegistryMaxSize: 1 << 18,
}

// keptThreads is how many idle threads of ended tasks a host keeps for the next ones.
const keptThreads = 16

// newThread returns an idle thread: that of a task that has ended, or a new one, which
// costs ten times as much.
func (h *Host) newThread() *lua.LState {
	if n := len(h.spare); n > 0 {
		th := h.spare[n-1]
		h.spare = h.spare[:n-1]
		return th
	}
	th, _ := h.state.NewThread() // the base state has no context, so there is nothing to cancel
	return th
}

// recycle keeps the thread of a task that ended well for another.
func (h *Host) recycle(th *lua.LState) {
	if len(h.spare) < keptThreads {
		th.SetTop(0)
		th.RemoveContext()
		h.spare = append(h.spare, th)
	}
}

// Stdin, Stdout and Stderr are the program's streams. Write to Stdout with the turn.
func (h *Host) Stdin() io.Reader { return h.opts.Stdin }

// Stdout is buffered; [Host.Wait] flushes it.
func (h *Host) Stdout() io.Writer { return outWriter{h} }

// Stderr is not buffered.
func (h *Host) Stderr() io.Writer { return h.opts.Stderr }

// outWriter notices that nobody reads the output any more, and ends the program.
type outWriter struct{ h *Host }

func (w outWriter) Write(p []byte) (int, error) {
	n, err := w.h.out.Write(p)
	if err == nil && w.h.opts.Flush {
		err = w.h.out.Flush()
	}
	if err != nil {
		w.h.stopWith(&OutputError{err})
	}
	return n, err
}

func (h *Host) flush() {
	if h.out.Buffered() == 0 {
		return
	}
	if err := h.out.Flush(); err != nil {
		h.stopWith(&OutputError{err})
	}
}

// OutputError ends a program whose standard output could not be written.
type OutputError struct{ Err error }

func (e *OutputError) Error() string { return "cannot write to standard output: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *OutputError) Unwrap() error { return e.Err }

// exitError ends a program because os.exit said so.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("os.exit(%d)", e.code) }

// ExitCode reports the code that os.exit was given, when err is the end that it made.
func ExitCode(err error) (code int, ok bool) {
	var x *exitError
	if errors.As(err, &x) {
		return x.code, true
	}
	return 0, false
}

// PanicStack returns the Go stack when err is the end of a program by a Go panic.
func PanicStack(err error) (stack string, ok bool) {
	var p *goPanic
	if errors.As(err, &p) {
		return p.stack, true
	}
	return "", false
}

// stopWith ends the program with a cause; the first one counts. Any goroutine.
func (h *Host) stopWith(cause error) { h.stopRoot(cause) }

// OnClose registers f to run after the tasks have ended and before Lua is closed,
// newest first, with a context that has the rest of the grace time: for leases and
// connections that must outlive a cancelled script. Any goroutine.
func (h *Host) OnClose(f func(ctx context.Context)) {
	h.closersMu.Lock()
	defer h.closersMu.Unlock()
	h.closeFns = append(h.closeFns, f)
}

// Background returns the context of the whole program, for what outlives the call
// that starts it. Any goroutine, while the program runs.
func (h *Host) Background() context.Context { return h.root }

// OnExit registers a Lua function to run when the program ends, newest first.
func (h *Host) OnExit(fn *lua.LFunction) { h.onExit = append(h.onExit, fn) }

// Run runs the script until no task is left, os.exit is called, ctx ends or a task
// fails that nobody joins. It returns nil, or the cause of the end: an error that
// left Lua is a *[Raised] (see [Traceback]), an end by ctx is ctx's cause. It waits
// until all cleanup is done, at most the grace time after the end; what is still
// stuck then is told by a *[StuckError] joined to the cause.
func (h *Host) Run(ctx context.Context, s *Script) error {
	h.root, h.stopRoot = context.WithCancelCause(ctx)
	defer h.stopRoot(nil)
	stopWatchdog := h.startWatchdog()
	defer stopWatchdog()

	h.dir = s.Dir
	main := h.newTask(SpawnOptions{}, nil, mainOrigin)
	go main.run(h.state.NewFunctionFromProto(s.proto), nil)
	select {
	case <-h.idle:
	case <-h.root.Done():
	}
	return h.shutdown(context.Cause(h.root))
}

// Close frees the Lua state. Call it after Run has returned.
func (h *Host) Close() {
	h.state.Close()
}
