package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Status is where a task stands.
type Status string

// The states of a task, as t:status() names them.
const (
	Running   Status = "running"
	Done      Status = "done"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// Task is one strand of Lua: a goroutine with a Lua thread and a context of its
// own. Fields are guarded by the turn; done is closed when the task has ended.
type Task struct {
	host    *Host
	thread  *lua.LState
	ctx     *Context
	scope   *scope
	wake    chan struct{}
	done    chan struct{}
	status  Status
	results []lua.LValue
	err     error
	joiners int            // who waits for it: then a failure is theirs
	ended   []chan<- *Task // told when it has ended; each has room
	awaits  *loading       // the file that it waits for in require
	origin  string         // file:line that spawned it, and its name, for tracebacks
	quiet   bool           // its failure is handed on by its maker and does not end the program
	system  bool           // does not keep the program alive
}

// SpawnOptions say what a task is.
type SpawnOptions struct {
	Name   string // shown in tracebacks: "watch /a/", "timer"; default "task"
	Quiet  bool   // a failure does not end the program: the maker looks at it
	System bool   // does not keep the program alive (a pulled iterator's reader)
}

// Spawn starts fn with args as a task. It belongs to the scope that L is in. The
// turn stays with the caller: the task first runs when the caller waits.
func (h *Host) Spawn(L *lua.LState, o SpawnOptions, fn lua.LValue, args ...lua.LValue) *Task {
	t := h.newTask(o, contextOf(L).scope.home(), o.origin(L))
	go t.run(fn, args)
	return t
}

// SpawnGo starts f as a task: f runs on the task's goroutine with the turn held and
// L the task's thread, and may call [Host.Wait] and [Host.Call].
func (h *Host) SpawnGo(L *lua.LState, o SpawnOptions, f func(L *lua.LState) error) *Task {
	t := h.newTask(o, contextOf(L).scope.home(), o.origin(L))
	go t.runGo(f)
	return t
}

func (o SpawnOptions) origin(L *lua.LState) string {
	name := o.Name
	if name == "" {
		name = "task"
	}
	return name + " spawned at " + where(L)
}

// newTask makes a task that belongs to owner, nil for the program.
func (h *Host) newTask(o SpawnOptions, owner *scope, origin string) *Task {
	t := &Task{
		host: h, wake: make(chan struct{}, 1), done: make(chan struct{}), status: Running,
		quiet: o.Quiet, system: o.System, origin: origin,
	}
	parent := h.root
	if owner != nil {
		parent = owner.ctx.inner
	}
	t.scope = &scope{owner: owner}
	t.ctx = newContext(parent, t, t.scope)
	t.scope.ctx = t.ctx
	t.thread = h.newThread()
	t.thread.SetContext(t.ctx)
	if owner != nil {
		if owner.children == nil {
			owner.children = map[*Task]struct{}{}
		}
		owner.children[t] = struct{}{}
	}
	h.tasks[t] = struct{}{}
	if !t.system {
		h.live++
	}
	h.turn.ask(t)
	return t
}

func (t *Task) run(fn lua.LValue, args []lua.LValue) {
	t.runGo(func(*lua.LState) error {
		results, err := t.host.callOn(t.thread, fn, args)
		t.results = results
		return err
	})
}

func (t *Task) runGo(f func(L *lua.LState) error) {
	h := t.host
	<-t.wake // it was queued when it was made
	finished := false
	defer func() { // also when Goexit ends it, in a broken host
		if !finished {
			close(t.done)
		}
		h.turn.give()
	}()
	t.thread.G.CurrentThread = t.thread
	err := t.guarded(f)
	if h.broken() { // the state is not to be touched any more
		return
	}
	h.endScope(t.scope, t.thread)
	t.finish(err)
	finished = true
}

// guarded is the outer recover of every entry into Lua.
func (t *Task) guarded(f func(L *lua.LState) error) (err error) {
	defer func() {
		r := recover()
		if api, ok := r.(*lua.ApiError); ok { // raised by f itself, outside any protected call
			err = &Raised{Value: api.Object}
		} else if r != nil {
			t.host.breakDown(r)
			err = t.host.fatal()
		}
	}()
	if t.ctx.stop() { // cancelled before it began
		return t.ctx.cause()
	}
	return f(t.thread)
}

// finish records how the task ended, tells whom it concerns, and leaves.
func (t *Task) finish(err error) {
	h := t.host
	switch {
	case err == nil:
		t.status = Done
	case t.ctx.stop():
		t.status, t.err = Cancelled, t.ctx.cause()
	default:
		t.status, t.err = Failed, err
	}
	if t.status == Failed && t.joiners == 0 && !t.quiet {
		h.stopWith(&taskFailure{err: err, origin: t.origin})
	}
	if t.scope.owner != nil {
		delete(t.scope.owner.children, t)
	}
	delete(h.tasks, t)
	if !t.system {
		h.live--
	}
	t.ctx.cancel(errTaskEnded) // releases what was derived from it
	if t.status == Done {
		h.recycle(t.thread)
	}
	t.thread = nil
	close(t.done)
	for _, c := range t.ended {
		c <- t
	}
	h.checkIdle()
}

var errTaskEnded = errors.New("the task has ended")

// Cancel stops the task with code cancelled. Any goroutine may call it.
func (t *Task) Cancel() {
	t.ctx.cancel(&Error{Code: CodeCancelled, Message: "the task was cancelled"})
}

// CancelCause stops the task with a cause of the caller's. Any goroutine.
func (t *Task) CancelCause(cause error) { t.ctx.cancel(cause) }

// Done is closed when the task has ended. Any goroutine.
func (t *Task) Done() <-chan struct{} { return t.done }

// Status returns where the task stands.
func (t *Task) Status() Status { return t.status }

// Join waits until the task has ended, and returns what its function returned or
// the error that ended it. The failure of a task that is being joined is the joiner's.
func (h *Host) Join(L *lua.LState, t *Task) ([]lua.LValue, error) {
	if contextOf(L).task == t {
		return nil, Errorf(CodeInvalidArgument, "task:join", "a task cannot join itself").
			WithHint("join it from another task")
	}
	t.joiners++
	err := h.Wait(L, func(ctx context.Context) error {
		select {
		case <-t.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	t.joiners--
	if err != nil {
		return nil, err
	}
	return t.results, t.err
}

// taskFailure is the end of a program by a task that nobody joined.
type taskFailure struct {
	err    error
	origin string
}

func (f *taskFailure) Error() string { return f.err.Error() }
func (f *taskFailure) Unwrap() error { return f.err }

// Traceback renders where err came from: the Lua traceback, and which task it was.
// It returns "" when nothing is known.
func Traceback(err error) string {
	var b strings.Builder
	var r *Raised
	if errors.As(err, &r) && r.Trace != "" {
		fmt.Fprintf(&b, "traceback:\n%s", r.Trace)
	}
	var f *taskFailure
	if errors.As(err, &f) && f.origin != mainOrigin {
		fmt.Fprintf(&b, "\tin %s\n", f.origin)
	}
	return b.String()
}

const mainOrigin = "main"

// CurrentTask returns the task that L runs in.
func CurrentTask(L *lua.LState) *Task { return contextOf(L).task }
