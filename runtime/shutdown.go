package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// checkIdle ends the program when nothing is left that could run.
func (h *Host) checkIdle() {
	if h.live == 0 && h.root.Err() == nil {
		select {
		case <-h.idle:
		default:
			close(h.idle)
		}
	}
}

// shutdown ends everything, in the reverse order of its beginning: tasks, their
// cleanup, on_exit, what modules registered.
func (h *Host) shutdown(cause error) error {
	h.stopRoot(errProgramEnded) // counts only when the program ran out of tasks
	grace, cancel := h.Clock.WithTimeout(context.Background(), h.opts.Grace)
	defer cancel()

	// Cleanup of the program gets a part of the grace time even when a task is stuck.
	unwind, cancelUnwind := h.Clock.WithTimeout(grace, h.opts.Grace*2/3)
	defer cancelUnwind()
	stuck := h.awaitTasks(unwind)
	if !h.broken() {
		h.runOnExit(grace)
	}
	if stuck != nil {
		stuck = h.awaitTasks(grace)
	}
	if stuck == nil && h.exited != nil {
		cause = h.exited
	}
	h.closersMu.Lock()
	fns := h.closeFns
	h.closersMu.Unlock()
	for i := len(fns) - 1; i >= 0; i-- {
		fns[i](grace)
	}
	if stuck != nil {
		return errors.Join(cause, stuck)
	}
	h.flush() // no task is left that could do it
	return cause
}

var errProgramEnded = &Error{Code: CodeCancelled, Message: "the program has ended"}

// awaitTasks waits until every task has ended, or says which ones have not.
func (h *Host) awaitTasks(ctx context.Context) error {
	for {
		t, ok := h.anyTask(ctx)
		if !ok {
			return h.newStuckError()
		}
		if t == nil {
			return nil
		}
		select {
		case <-t.done:
			if h.broken() { // its tasks leave without signing off
				h.forget(t)
			}
		case <-ctx.Done():
			return h.newStuckError()
		}
	}
}

// anyTask returns a task that has not ended; ok is false when the turn cannot be had.
func (h *Host) anyTask(ctx context.Context) (t *Task, ok bool) {
	self := &Task{host: h, wake: make(chan struct{}, 1)}
	if !h.turn.takeBefore(ctx, self) {
		return nil, false
	}
	defer h.turn.give()
	for t := range h.tasks {
		return t, true
	}
	return nil, true
}

func (h *Host) forget(t *Task) {
	self := &Task{host: h, wake: make(chan struct{}, 1)}
	h.turn.take(self)
	delete(h.tasks, t)
	h.turn.give()
}

// runOnExit runs the functions given to task.on_exit on a task of their own.
func (h *Host) runOnExit(grace context.Context) {
	t := h.newCleanupTask(grace)
	go t.runGo(func(L *lua.LState) error {
		for len(h.onExit) > 0 {
			fn := h.onExit[len(h.onExit)-1]
			h.onExit = h.onExit[:len(h.onExit)-1]
			h.runCleanup(fn, t, grace)
		}
		h.flush()
		return nil
	})
	select {
	case <-t.done:
	case <-grace.Done():
	}
}

// newCleanupTask makes a task that is not under the cancelled root.
func (h *Host) newCleanupTask(parent context.Context) *Task {
	t := &Task{host: h, wake: make(chan struct{}, 1), done: make(chan struct{}), status: Running, system: true, quiet: true}
	t.scope = &scope{}
	t.ctx = newContext(parent, t, t.scope)
	t.scope.ctx = t.ctx
	t.thread = h.newThread()
	t.thread.SetContext(t.ctx)
	t.origin = "cleanup"
	h.turn.ask(t)
	return t
}

// runCleanup runs one cleanup function in a nested scope of its own, on a fresh
// thread and context, whatever became of the task; it has until grace ends. Its
// error is logged: it must not hide how the task ended.
func (h *Host) runCleanup(fn *lua.LFunction, task *Task, grace context.Context) {
	s := &scope{nested: true}
	s.ctx = newContext(grace, task, s)
	defer s.ctx.cancel(errScopeEnded)
	th := h.newThread()
	th.SetContext(s.ctx)
	saved := th.G.CurrentThread
	th.G.CurrentThread = th
	_, err := h.callOn(th, fn, nil)
	h.endScope(s, th)
	th.G.CurrentThread = saved
	if err != nil && grace.Err() != nil {
		h.Log.Error("a cleanup function did not end within the grace time", "grace", h.opts.Grace, "traceback", Traceback(err))
	} else if err != nil {
		h.Log.Error("a cleanup function failed", "error", err.Error(), "traceback", Traceback(err))
	}
}

// StuckError lists the tasks that did not end within the grace time.
type StuckError struct{ Tasks []string }

func (e *StuckError) Error() string {
	s := fmt.Sprintf("%d task(s) did not end within the grace time", len(e.Tasks))
	for _, t := range e.Tasks {
		s += "\n" + t
	}
	return s
}

// newStuckError describes the tasks that are left. A task that waits can be shown
// with its Lua frames, as long as the turn can be had; the one that holds it cannot.
func (h *Host) newStuckError() error {
	ctx, cancel := h.Clock.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	e := &StuckError{}
	self := &Task{host: h, wake: make(chan struct{}, 1)}
	if !h.turn.takeBefore(ctx, self) {
		holder, _ := h.turn.look()
		e.Tasks = append(e.Tasks, holder.origin+": inside a host function that has not returned")
		return e
	}
	defer h.turn.give()
	for t := range h.tasks {
		e.Tasks = append(e.Tasks, t.origin+":\n"+stackText(t.thread, 0))
	}
	if len(e.Tasks) == 0 {
		return nil
	}
	return e
}
