package runtime

import (
	"fmt"
	"math"
	goruntime "runtime"
	"runtime/metrics"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openBase opens Lua's own libraries and changes what breaks the contract for
// scripts. io and what blocks in os are in iolib.go and oslib.go.
func (h *Host) openBase() {
	for _, lib := range []struct {
		name string
		open lua.LGFunction
	}{
		{lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}, {lua.StringLibName, lua.OpenString},
		{lua.MathLibName, lua.OpenMath}, {lua.CoroutineLibName, lua.OpenCoroutine},
		{lua.OsLibName, lua.OpenOs}, {lua.DebugLibName, lua.OpenDebug},
	} {
		h.state.Push(h.state.NewFunction(lib.open))
		h.state.Push(lua.LString(lib.name))
		h.state.Call(1, 0)
	}
	for _, name := range []string{"module", "newproxy", "_printregs", "_GOPHER_LUA_VERSION"} {
		h.state.SetGlobal(name, lua.LNil)
	}
	h.next = h.state.GetGlobal("next").(*lua.LFunction)
	h.tostring = h.state.GetGlobal("tostring").(*lua.LFunction)
	h.openGlobals()
	h.openCoroutine()
	h.openStrings()
	h.openPackage()
	h.openDebug()
	h.openOS()
	h.openIO()
}

func (h *Host) setAll(table string, functions Methods) {
	t := h.state.Get(lua.GlobalsIndex).(*lua.LTable)
	if table != "" {
		t = t.RawGetString(table).(*lua.LTable)
	}
	for name, f := range functions {
		t.RawSetString(name, h.NewFunction(f))
	}
}

func (h *Host) openGlobals() {
	stockPairs := h.state.GetGlobal("pairs").(*lua.LFunction)
	h.setAll("", Methods{
		"print": h.print, "assert": luaAssert, "error": luaError, "pcall": h.pcall, "xpcall": h.xpcall,
		"collectgarbage": collectGarbage, "require": h.require,
		"load": h.load, "loadstring": h.load, "loadfile": h.loadFile, "dofile": h.doFile,
	})
	// The stock closure keeps its upvalue; only objects take the other way.
	h.state.SetGlobal("pairs", h.state.NewFunction(func(L *lua.LState) int {
		v := L.CheckAny(1)
		if f, ok := L.GetMetaField(v, "__pairs").(*lua.LFunction); ok {
			L.Push(f)
			L.Push(v)
			L.Call(1, 3)
			return 3
		}
		L.CheckTable(1)
		L.Push(stockPairs)
		L.Push(v)
		L.Call(1, 3)
		return 3
	}))
	h.setAll("table", Methods{"pack": tablePack, "unpack": h.state.GetGlobal("unpack").(*lua.LFunction).GFunction})
	h.state.GetGlobal("math").(*lua.LTable).RawSetString("huge", lua.LNumber(math.Inf(1)))
}

func (h *Host) print(L *lua.LState) int {
	var b strings.Builder
	for i := 1; i <= L.GetTop(); i++ {
		if i > 1 {
			b.WriteByte('\t')
		}
		b.WriteString(L.ToStringMeta(L.Get(i)).String())
	}
	b.WriteByte('\n')
	_, _ = h.Stdout().Write([]byte(b.String())) // a failure ends the program
	return 0
}

// luaAssert keeps a message that is an object, and adds no position, as Lua does.
func luaAssert(L *lua.LState) int {
	if L.GetTop() == 0 {
		L.ArgError(1, "value expected")
	}
	if L.ToBool(1) {
		return L.GetTop()
	}
	if L.GetTop() < 2 || L.Get(2) == lua.LNil {
		L.RaiseError("assertion failed!")
	}
	L.Error(L.Get(2), 0)
	return 0
}

// luaError adds the position of a Lua function at level to a string, and keeps
// anything else as it is.
func luaError(L *lua.LState) int {
	v, level := L.Get(1), L.OptInt(2, 1)
	if s, ok := v.(lua.LString); ok && level > 0 {
		if d, found := L.GetStack(level); found {
			if at := position(L, d); at != "" {
				v = lua.LString(at + ": " + string(s))
			}
		}
	}
	L.Error(v, 0)
	return 0
}

func (h *Host) pcall(L *lua.LState) int {
	n := L.GetTop()
	if n == 0 {
		L.ArgError(1, "value expected")
	}
	return h.shieldedCall(L, L.Get(1), 2, h.quiet)
}

// xpcall takes a callable handler and further arguments for the function.
func (h *Host) xpcall(L *lua.LState) int {
	handler, ok := toFunction(L, L.Get(2))
	if !ok {
		L.ArgError(2, "a handler function is expected, not "+describe(L, L.Get(2)))
	}
	return h.shieldedCall(L, L.Get(1), 3, L.NewFunction(func(L *lua.LState) int {
		h.closeUpvalues(L)
		L.SetTop(1)
		L.Insert(handler, 1)
		L.Call(1, 1)
		return 1
	}))
}

// shieldedCall calls fn with L's arguments from first on, and returns what pcall does.
func (h *Host) shieldedCall(L *lua.LState, fn lua.LValue, first int, handler *lua.LFunction) int {
	f, isFunction := fn.(*lua.LFunction)
	if !isFunction && L.GetMetaField(fn, "__call").Type() != lua.LTFunction {
		L.Push(lua.LFalse)
		L.Push(lua.LString("attempt to call a " + fn.Type().String() + " value"))
		return 2
	}
	th := h.enterShield(L, contextOf(L))
	th.Push(fn)
	n := L.GetTop()
	for i := first; i <= n; i++ {
		th.Push(L.Get(i))
	}
	err := h.protect(th, max(n-first+1, 0), handler)
	L.SetTop(0)
	if err != nil {
		h.leaveShield(L, th, err)
		v := err.(*Raised).Value
		if s, ok := v.(lua.LString); ok && isFunction && f.IsG && strings.HasPrefix(string(s), " ") {
			// A Go function that pcall called itself has no Lua frame to name: name pcall's.
			v = lua.LString(where(L) + ":" + string(s))
		}
		L.Push(lua.LFalse)
		L.Push(v)
		return 2
	}
	L.Push(lua.LTrue)
	for i, top := 1, th.GetTop(); i <= top; i++ {
		L.Push(th.Get(i))
	}
	h.leaveShield(L, th, nil)
	return L.GetTop()
}

var heapMetric = "/memory/classes/heap/objects:bytes"

// collectGarbage answers "count" in KiB of the whole process's live heap.
func collectGarbage(L *lua.LState) int {
	switch what := L.OptString(1, "collect"); what {
	case "collect":
		goruntime.GC()
		L.Push(lua.LNumber(0))
	case "count":
		sample := []metrics.Sample{{Name: heapMetric}}
		metrics.Read(sample)
		L.Push(lua.LNumber(float64(sample[0].Value.Uint64()) / 1024))
	case "step", "stop", "restart", "setpause", "setstepmul": // Go's collector needs none of it
		L.Push(lua.LNumber(0))
	default:
		L.ArgError(1, fmt.Sprintf("invalid option '%s'", what))
	}
	return 1
}

func tablePack(L *lua.LState) int {
	n := L.GetTop()
	t := L.CreateTable(n, 1)
	for i := 1; i <= n; i++ {
		t.RawSetInt(i, L.Get(i))
	}
	t.RawSetString("n", lua.LNumber(n))
	L.Push(t)
	return 1
}

// maxRepeat bounds one call of string.rep.
const maxRepeat = 256 << 20

func (h *Host) openStrings() {
	str := h.state.GetGlobal("string").(*lua.LTable)
	stockRep := str.RawGetString("rep").(*lua.LFunction).GFunction
	stockFormat := str.RawGetString("format").(*lua.LFunction).GFunction
	h.setAll("string", Methods{
		"rep": func(L *lua.LState) int {
			if n := L.CheckNumber(2); float64(len(L.CheckString(1)))*float64(n) > maxRepeat {
				Raisef(L, CodeLimitExceeded, "string.rep", "string.rep: the result would be longer than %d bytes", maxRepeat)
			}
			return stockRep(L)
		},
		"format": func(L *lua.LState) int {
			readyFormat(L)
			return stockFormat(L)
		},
	})
}

func (h *Host) openPackage() {
	h.loaded = h.state.NewTable()
	pkg := h.state.NewTable()
	pkg.RawSetString("loaded", h.loaded)
	h.state.SetGlobal("package", pkg)
}

// openDebug keeps an object that traceback is given, and renders tracebacks as errors do.
func (h *Host) openDebug() {
	h.setAll("debug", Methods{"traceback": func(L *lua.LState) int {
		th, at := L, 1
		if other, ok := L.Get(1).(*lua.LState); ok {
			th, at = other, 2
		}
		msg := L.Get(at)
		if msg != lua.LNil && !lua.LVCanConvToString(msg) {
			L.Push(msg)
			return 1
		}
		level := L.OptInt(at+1, 1)
		if th != L {
			level = L.OptInt(at+1, 0)
		}
		text := "stack traceback:\n" + strings.TrimRight(stackText(th, max(level, 0)), "\n")
		if msg != lua.LNil {
			text = msg.String() + "\n" + text
		}
		L.Push(lua.LString(text))
		return 1
	}})
}
