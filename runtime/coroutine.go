package runtime

import (
	"reflect"
	goruntime "runtime"

	lua "github.com/yuin/gopher-lua"
)

// Coroutines are gopher-lua's own, made safe for the turn:
//
//   - A coroutine runs under the context of whoever resumes it. Stock NewThread
//     derives a child of its maker's, which would be the wrong one and never released.
//   - One that waits inside a host call of another task, or for one that it resumed
//     itself, cannot be resumed: its stack is in use.
//   - A yield that would cross a Go function (pcall, a metamethod, an iterator,
//     table.sort) is refused; stock gopher-lua goes on with nil instead.

func (h *Host) openCoroutine() {
	co := h.state.GetGlobal("coroutine").(*lua.LTable)
	stock := func(name string) lua.LGFunction { return co.RawGetString(name).(*lua.LFunction).GFunction }
	create, wrap, resume, yield := stock("create"), stock("wrap"), stock("resume"), stock("yield")

	set := func(name string, f lua.LGFunction) { co.RawSetString(name, h.state.NewFunction(f)) }
	set("create", func(L *lua.LState) int {
		L.CheckFunction(1)
		n := create(L)
		L.Get(-1).(*lua.LState).RemoveContext()
		return n
	})
	set("resume", func(L *lua.LState) int {
		th := L.CheckThread(1)
		if why := h.refuseResume(L, th); why != "" {
			L.Push(lua.LFalse)
			L.Push(lua.LString(why))
			return 2
		}
		return h.resumeWith(L, th, resume)
	})
	set("wrap", func(L *lua.LState) int {
		L.CheckFunction(1)
		wrap(L)
		inner := L.Get(-1).(*lua.LFunction)
		th := inner.Upvalues[0].Value().(*lua.LState)
		th.RemoveContext()
		stockWrapped := inner.GFunction
		inner.GFunction = func(L *lua.LState) int {
			if why := h.refuseResume(L, th); why != "" {
				L.RaiseError("%s", why)
			}
			return h.resumeWith(L, th, stockWrapped)
		}
		return 1
	})
	set("yield", func(L *lua.LState) int {
		h.checkYield(L)
		return yield(L)
	})
	set("status", func(L *lua.LState) int {
		L.Push(lua.LString(h.statusOf(L, L.CheckThread(1))))
		return 1
	})
	set("running", func(L *lua.LState) int {
		if th := h.coroutineOf(L); th != nil {
			L.Push(th)
			return 1
		}
		L.Push(lua.LNil)
		return 1
	})
	set("isyieldable", func(L *lua.LState) int {
		L.Push(lua.LBool(h.coroutineOf(L) == L && crossing(L) == ""))
		return 1
	})
}

// resumeWith runs a stock resume under the context of the resuming thread.
func (h *Host) resumeWith(L, th *lua.LState, resume lua.LGFunction) int {
	checkDepth(L)
	th.SetContext(L.Context())
	returned := false
	defer func() {
		th.RemoveContext()
		if !returned {
			h.endRaised(th, recover())
		}
	}()
	n := resume(L)
	returned = true
	if h.broken() { // gopher-lua turned a Go panic into an error of the coroutine
		goruntime.Goexit()
	}
	L.G.CurrentThread = L
	return n
}

// endRaised ends a wrapped coroutine that raises an error into its caller, which stock
// would go on with at the next call, and notes its frames for the traceback. It panics
// with r again.
func (h *Host) endRaised(th *lua.LState, r any) {
	th.Dead, th.Parent = true, nil
	if r == nil { // Goexit, in a broken host
		return
	}
	if api, ok := r.(*lua.ApiError); ok {
		text := stackText(th, 0)
		if h.trace.value == api.Object { // from a coroutine inside this one
			text = h.trace.text + text
		}
		h.trace = trace{value: api.Object, text: text}
	}
	panic(r)
}

// refuseResume says why th cannot be resumed from L: stock only sees the coroutine that
// runs on top, and would run another active one over its own stack.
func (h *Host) refuseResume(L, th *lua.LState) string {
	if _, busy := h.busy[th]; busy {
		return "cannot resume a coroutine that waits in another task"
	}
	if th.Dead {
		return "cannot resume dead coroutine"
	}
	if isActive(L, th) {
		return "cannot resume non-suspended coroutine"
	}
	return ""
}

// isActive reports whether th is L or one of those that wait for L to yield or end.
func isActive(L, th *lua.LState) bool {
	for a := L; a != nil; a = a.Parent {
		if a == th {
			return true
		}
	}
	return false
}

// statusOf is what coroutine.status returns in L.
func (h *Host) statusOf(L, th *lua.LState) string {
	_, busy := h.busy[th]
	switch {
	case th.Dead:
		return "dead"
	case h.coroutineOf(L) == th:
		return "running"
	case busy || isActive(L, th): // it waits for something that is no yield
		return "normal"
	}
	return "suspended"
}

// coroutineOf returns the coroutine that L runs in, looking through shields; nil in
// the body of a task, which is no coroutine and cannot be resumed.
func (h *Host) coroutineOf(L *lua.LState) *lua.LState {
	body := contextOf(L).task.thread
	for th := L; th != nil && th != body; th = th.Parent {
		if _, shield := h.isShield[th]; !shield && th.Parent != nil {
			return th
		}
	}
	return nil
}

func (h *Host) checkYield(L *lua.LState) {
	co := h.coroutineOf(L)
	if co == nil {
		L.RaiseError("attempt to yield from outside a coroutine (to let other tasks run: task.yield)")
	}
	if co != L {
		L.RaiseError("attempt to yield across pcall: call pcall outside of the coroutine, or resume it (coroutine.resume returns its error)")
	}
	if through := crossing(L); through != "" {
		L.RaiseError("attempt to yield across %s", through)
	}
}

// The opcodes by which Lua calls without Go in between. A metamethod or an iterator
// is called by another instruction, through a second run of the VM on Go's stack.
const (
	opCall     = lua.OP_CALL
	opTailCall = lua.OP_TAILCALL
)

// crossing says what Go stands between a yield in L and the bottom of the coroutine; "" for nothing.
func crossing(L *lua.LState) string {
	for level := 1; ; level++ {
		d, ok := L.GetStack(level)
		if !ok {
			return ""
		}
		fn, err := L.GetInfo("f", d, lua.LNil)
		if err != nil {
			return ""
		}
		f := fn.(*lua.LFunction)
		if f.IsG {
			return "a Go function (a callback of table.sort, gsub, or the like)"
		}
		if pc := programCounter(d); pc > 0 {
			if op := int(f.Proto.Code[pc-1] >> 26); op != opCall && op != opTailCall {
				return "a metamethod or an iterator"
			}
		}
	}
}

// programCounter reads the frame's next instruction. gopher-lua keeps frames to
// itself; reading a field by its name needs no unsafe, and a test notices when it goes.
func programCounter(d *lua.Debug) int {
	frame := reflect.ValueOf(d).Elem().FieldByName("frame")
	if frame.IsNil() {
		return 0
	}
	return int(frame.Elem().FieldByName("Pc").Int())
}
