package runtime

import (
	"context"

	lua "github.com/yuin/gopher-lua"
)

// scope is a stretch of a task that ends as a whole: the task itself, or the fn of
// with_timeout (later of lock, elect and a step). A nested scope owns the tasks that
// are spawned in it: they are cancelled and joined when it ends. A task's own scope
// owns none; what it spawns belongs to the scope that the task itself belongs to.
// All fields are guarded by the turn.
type scope struct {
	ctx      *Context
	owner    *scope // for a task's own scope: the scope that it was spawned in; nil at the top
	nested   bool
	children map[*Task]struct{}
	finals   []*lua.LFunction
}

// home returns the scope that owns what is spawned in s; nil is the program.
func (s *scope) home() *scope {
	if s.nested {
		return s
	}
	return s.owner
}

// newContext makes a context for task under parent.
func newContext(parent context.Context, task *Task, s *scope) *Context {
	inner, cancel := context.WithCancelCause(parent)
	return &Context{inner: inner, cancel: cancel, task: task, scope: s}
}

// Scope is a nested stretch of a task, for modules that must stop what runs in a
// function: with_timeout, a lock.
type Scope struct {
	h *Host
	s *scope
}

// Cancel stops what runs in the scope with cause, an *Error. Any goroutine.
func (s *Scope) Cancel(cause error) { s.s.ctx.cancel(cause) }

// Cause returns why the scope was cancelled, nil while it was not. Any goroutine.
func (s *Scope) Cause() error { return context.Cause(s.s.ctx.inner) }

// RunScope calls fn with args in a scope of its own. begin is called before fn, with
// the turn held. When fn has ended, however it did, tasks spawned in the scope are
// cancelled and joined, and the functions given to task.finally in it are run; then
// RunScope returns what fn returned, or the error that it raised.
func (h *Host) RunScope(L *lua.LState, fn lua.LValue, args []lua.LValue, begin func(*Scope)) ([]lua.LValue, error) {
	s := h.newScope(L)
	if begin != nil {
		begin(&Scope{h: h, s: s})
	}
	results, err := h.callShielded(L, s.ctx, fn, args)
	h.endScope(s, L)
	s.ctx.cancel(errScopeEnded)
	contextOf(L).stop() // it may have been an outer cancel that ended fn: nothing more runs then
	return results, err
}

// newScope opens a nested scope; the caller ends it with endScope and its ctx.cancel.
func (h *Host) newScope(L *lua.LState) *scope {
	outer := contextOf(L)
	s := &scope{nested: true, owner: outer.scope}
	s.ctx = newContext(outer.inner, outer.task, s)
	return s
}

var errScopeEnded = &Error{Code: CodeCancelled, Message: "the scope that the task was spawned in has ended"}

// endScope cancels and joins the scope's tasks, then runs its finals, newest first.
func (h *Host) endScope(s *scope, L *lua.LState) {
	for t := range s.children {
		t.ctx.cancel(errScopeEnded)
	}
	for len(s.children) > 0 {
		for t := range s.children {
			h.giveAndAwait(L, t.done)
			break
		}
	}
	for len(s.finals) > 0 {
		fn := s.finals[len(s.finals)-1]
		s.finals = s.finals[:len(s.finals)-1]
		h.runWithGrace(fn, s.ctx)
	}
}

// runWithGrace runs a cleanup function with the whole grace time from now.
func (h *Host) runWithGrace(fn *lua.LFunction, c *Context) {
	grace, cancel := h.Clock.WithTimeout(context.WithoutCancel(c.inner), h.opts.Grace)
	defer cancel()
	h.runCleanup(fn, c.task, grace)
}

// giveAndAwait waits for c without heeding a cancel: a scope does not end before
// what it owns has ended.
func (h *Host) giveAndAwait(L *lua.LState, c <-chan struct{}) {
	_ = h.Wait(L, func(context.Context) error { <-c; return nil })
}

// Finally registers fn to run when the current scope ends, however it ends, on a
// fresh thread and a context that has the grace time.
func (h *Host) Finally(L *lua.LState, fn *lua.LFunction) {
	s := contextOf(L).scope
	s.finals = append(s.finals, fn)
}
