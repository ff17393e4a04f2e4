package runtime

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"runtime/debug"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// maxShields bounds how deep pcall may nest in a task: each level costs Go stack,
// which ends the process when it runs out. Lua's own C has the same bound (LUAI_MAXCCALLS).
const maxShields = 190

// keptShields is how many idle shield threads a host keeps for the next pcall.
const keptShields = 16

// A protected call runs on a thread of its own, a shield. gopher-lua's PCall on the
// caller's thread detaches every upvalue of every outer frame when an error is
// raised without a handler (a closure and its maker then see different variables),
// and detaches none when there is one (a closure that escaped then reads stack that
// was given to others). On a fresh thread "all frames" are the frames that died.

// callShielded calls fn on a shield under context c and returns its results or a *Raised.
func (h *Host) callShielded(L *lua.LState, c *Context, fn lua.LValue, args []lua.LValue) ([]lua.LValue, error) {
	th := h.enterShield(L, c)
	results, err := h.callOn(th, fn, args)
	h.leaveShield(L, th, err)
	return results, err
}

func (h *Host) enterShield(L *lua.LState, c *Context) *lua.LState {
	checkDepth(L)
	var th *lua.LState
	if n := len(h.shields); n > 0 {
		th, h.shields = h.shields[n-1], h.shields[:n-1]
	} else {
		th = h.newThread()
		h.isShield[th] = struct{}{}
	}
	th.Parent = L
	th.SetContext(c)
	L.G.CurrentThread = th
	return th
}

// leaveShield puts the shield back for the next call, unless it is not clean: after a
// stack overflow there was no room to close its upvalues.
func (h *Host) leaveShield(L, th *lua.LState, err error) {
	r, failed := err.(*Raised)
	clean := !failed || !r.overflow
	L.G.CurrentThread = L
	th.Parent = nil
	if clean && len(h.shields) < keptShields && !h.broken() {
		th.SetTop(0)
		th.RemoveContext()
		h.shields = append(h.shields, th)
		return
	}
	delete(h.isShield, th)
}

// checkDepth raises when threads are nested too deep below L's task: every shield and
// every resumed coroutine stands on Go stack.
func checkDepth(L *lua.LState) {
	n := 0
	for th := L.Parent; th != nil; th = th.Parent {
		n++
	}
	if n >= maxShields {
		L.RaiseError("stack overflow (pcall or coroutines nested %d deep)", maxShields)
	}
}

// callOn calls fn on an idle thread and takes its results off it.
func (h *Host) callOn(th *lua.LState, fn lua.LValue, args []lua.LValue) ([]lua.LValue, error) {
	th.Push(fn)
	for _, a := range args {
		th.Push(a)
	}
	if err := h.protect(th, len(args), h.tracer); err != nil {
		return nil, err
	}
	n := th.GetTop()
	results := make([]lua.LValue, n)
	for i := range results {
		results[i] = th.Get(i + 1)
	}
	th.SetTop(0)
	return results, nil
}

// protect is the one place that calls PCall. The function and nargs arguments are on
// th, an otherwise idle thread. The error is a *Raised. The handler must close the
// upvalues. In a host that a Go panic broke, it ends the goroutine.
func (h *Host) protect(th *lua.LState, nargs int, handler *lua.LFunction) error {
	if th.Parent != nil {
		th.Insert(h.trampoline, 1)
		nargs++
	}
	err := call(th, nargs, handler)
	if err == nil {
		return nil
	}
	if h.broken() {
		goruntime.Goexit()
	}
	var api *lua.ApiError
	if !errors.As(err, &api) {
		return &Raised{Value: lua.LString(err.Error())}
	}
	r := &Raised{Value: api.Object}
	if message, ok := overflowOf(api); ok {
		r.Value, r.overflow = message, true
	}
	if h.trace.value == api.Object && api.Object != lua.LNil {
		r.Trace, r.text, h.trace = h.trace.text, h.trace.message, trace{}
	}
	if c, ok := th.Context().(*Context); ok && c.closed != nil {
		if e := c.cause(); e != nil {
			r.Value = h.causeValue(e, r)
		}
	}
	return r
}

// call is PCall, which lets an error out when the registers are used up: it has no room
// for the handler then.
func call(th *lua.LState, nargs int, handler *lua.LFunction) (err error) {
	defer func() {
		r := recover()
		api, ok := r.(*lua.ApiError)
		if r != nil && !ok {
			panic(r)
		}
		if ok {
			err = api
		}
	}()
	return th.PCall(nargs, lua.MultRet, handler)
}

// overflowOf returns Lua's message when err says that the calls or the registers of a
// thread are used up, which gopher-lua says in words of its own.
func overflowOf(err *lua.ApiError) (message lua.LString, ok bool) {
	text := err.Object.String()
	if err.Type == lua.ApiErrorPanic && strings.HasPrefix(text, "lua callstack overflow") {
		return lua.LString(firstPosition(err.StackTrace) + "stack overflow"), true
	}
	if at, found := strings.CutSuffix(text, "registry overflow"); found && err.Object.Type() == lua.LTString {
		return lua.LString(at + "stack overflow"), true
	}
	return "", false
}

// newTrampoline makes the function that stands below what a shield calls. The VM takes a
// Lua function that returns from the lowest frame of a thread with a parent for the end
// of a coroutine: it would hand the results to the parent, and kill the thread.
func newTrampoline(L *lua.LState) *lua.LFunction {
	return L.NewFunction(func(L *lua.LState) int {
		L.Call(L.GetTop()-1, lua.MultRet)
		return L.GetTop()
	})
}

// causeValue replaces the VM's bare "context canceled" by the cause of the cancel.
func (h *Host) causeValue(cause error, r *Raised) lua.LValue {
	var e *Error
	if errors.As(cause, &e) {
		return h.errorValue(e)
	}
	return lua.LString(cause.Error())
}

// trace is the traceback of the error that is on its way, kept beside the value
// because strings and tables have no room for it.
type trace struct {
	value   lua.LValue
	text    string
	message string // what __tostring of a raised table returned
}

// newTracer makes the error handler of entries: it notes the traceback while the
// failing frames still stand. A trace noted deeper in is kept for the same value.
func (h *Host) newTracer(L *lua.LState) *lua.LFunction {
	return L.NewFunction(func(L *lua.LState) int {
		v := L.Get(1)
		h.closeUpvalues(L)
		text := stackText(L, 1)
		if h.trace.value == v && v != lua.LNil {
			text = h.trace.text + text
		}
		h.trace = trace{value: v, text: text, message: h.messageOf(L, v)}
		L.SetTop(1)
		return 1
	})
}

// messageOf asks a raised table that has a __tostring for its text; "" is none. It runs Lua.
func (h *Host) messageOf(L *lua.LState, v lua.LValue) string {
	if v.Type() != lua.LTTable || L.GetMetaField(v, "__tostring") == lua.LNil {
		return ""
	}
	saved := h.trace
	results, err := h.callShielded(L, contextOf(L), h.tostring, []lua.LValue{v})
	h.trace = saved
	if err != nil {
		return ""
	}
	return results[0].String()
}

// closeUpvalues closes the open upvalues of all frames of L, a shield or a task's
// thread in which an error is being handled. PCall with a handler leaves them open
// on a stack that it then clears. The empty PCall takes off the mark "has a handler";
// raising then closes them all.
func (h *Host) closeUpvalues(L *lua.LState) {
	L.Push(h.noop)
	_ = L.PCall(0, 0, nil)
	top := L.GetTop()
	func() {
		defer func() { _ = recover() }() // of what is raised below, on purpose
		L.Error(lua.LTrue, 0)
	}()
	L.SetTop(top)
}

// newQuietHandler makes the handler of a plain pcall: no traceback is asked for.
func (h *Host) newQuietHandler(L *lua.LState) *lua.LFunction {
	return L.NewFunction(func(L *lua.LState) int {
		h.closeUpvalues(L)
		L.SetTop(1)
		return 1
	})
}

// firstPosition returns the "file:line: " of the innermost Lua frame in a stock traceback.
func firstPosition(trace string) string {
	_, trace, _ = strings.Cut(trace, "stack traceback:") // past Go's own
	for line := range strings.Lines(trace) {
		pos, _, found := strings.Cut(strings.TrimSpace(line), " in ")
		if found && !strings.HasPrefix(pos, "[G]") {
			return pos + " "
		}
	}
	return ""
}

// goPanic is a Go panic in a host function or in the VM.
type goPanic struct {
	value any
	stack string
}

func (p *goPanic) Error() string { return fmt.Sprintf("Go panic: %v\n%s", p.value, p.stack) }

// breakDown marks the host as broken: a Go panic happened, the Lua state may be half
// changed, nothing of it runs again. The first panic is the one that is reported.
func (h *Host) breakDown(r any) {
	p, ok := r.(*goPanic)
	if !ok {
		p = &goPanic{value: r, stack: string(debug.Stack())}
	}
	if h.panicked.CompareAndSwap(nil, p) {
		h.stopWith(p)
	}
}

func (h *Host) broken() bool { return h.panicked.Load() != nil }

func (h *Host) fatal() error { return h.panicked.Load() }

// guardPanics wraps a host function so that its Go panic is noted before any pcall
// or coroutine on the way can turn it into a Lua error.
func (h *Host) guardPanics(f lua.LGFunction) lua.LGFunction {
	return func(L *lua.LState) int {
		done := false
		defer func() {
			if done {
				return
			}
			r := recover()
			if r == nil { // Goexit
				return
			}
			if _, ok := r.(*lua.ApiError); !ok && r != "lua callstack overflow" {
				h.breakDown(r)
			}
			panic(r)
		}()
		n := f(L)
		done = true
		return n
	}
}

// CallHandler calls fn with args on L, the idle thread of the task that calls it, and
// throws its results away. The error is a *Raised. It is for tasks made with
// [Host.SpawnGo] that call a function again and again.
func (h *Host) CallHandler(L *lua.LState, fn *lua.LFunction, args ...lua.LValue) error {
	L.Push(fn)
	for _, a := range args {
		L.Push(a)
	}
	err := h.protect(L, len(args), h.tracer)
	L.SetTop(0)
	return err
}
