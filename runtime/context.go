package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// checkEvery is how many VM instructions pass between two looks at the real
// context and at the watchdog's flag. A power of two; 1,024 are some 10 µs.
const checkEvery = 1 << 10

// Context is the context of a Lua thread, and the VM's instruction hook: the VM
// calls Done once for every instruction. Done therefore does next to nothing: it
// counts, and looks at the real context every 1,024 instructions. It returns nil
// until it has seen a cancel, so no context may be derived from it: waits and RPCs
// get the real one ([Host.Wait] hands it over).
//
// It belongs to one task and, but for what its comment says, is touched with the
// turn held.
type Context struct {
	inner  context.Context
	cancel context.CancelCauseFunc // from any goroutine
	task   *Task
	scope  *scope
	count  uint64
	closed chan struct{}
}

var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done is the instruction hook; see [Context].
func (c *Context) Done() <-chan struct{} {
	c.count++
	if c.closed == nil && c.count&(checkEvery-1) != 0 {
		return nil
	}
	if c.closed == nil {
		c.task.host.onCheck(c)
		c.stop()
	}
	return c.closed
}

// stop makes a cancel of the real context visible to the VM; it reports whether
// there was one.
func (c *Context) stop() bool {
	if c.closed == nil && c.inner.Err() != nil {
		c.closed = closedChan
	}
	return c.closed != nil
}

// Err returns the cause once the VM was told, else nil.
func (c *Context) Err() error {
	if c.closed == nil {
		return nil
	}
	return c.cause()
}

// Deadline and Value are those of the real context.
func (c *Context) Deadline() (time.Time, bool) { return c.inner.Deadline() }

// Value returns a value of the real context.
func (c *Context) Value(key any) any { return c.inner.Value(key) }

// cause says why it was cancelled, always as an *Error or an exit.
func (c *Context) cause() error {
	err := context.Cause(c.inner)
	var e *Error
	var x *exitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e), errors.As(err, &x):
		return err
	}
	return &Error{Code: CodeCancelled, Message: fmt.Sprintf("the task was cancelled: %v", err), Err: err}
}

// Instructions returns how many VM instructions ran under c.
func (c *Context) Instructions() uint64 { return c.count }

// contextOf returns the context of a thread that runs inside a task.
func contextOf(L *lua.LState) *Context {
	c, ok := L.Context().(*Context)
	if !ok {
		panic("runtime: a function that needs a task was called outside of one")
	}
	return c
}

// HostOf returns the host that L belongs to.
func HostOf(L *lua.LState) *Host {
	if c, ok := L.Context().(*Context); ok {
		return c.task.host
	}
	return L.G.Registry.RawGetString(hostKey).(*lua.LUserData).Value.(*Host)
}

// hostKey is where the Lua registry keeps the host, for code that runs before the first task.
const hostKey = "etcdlua.host"
