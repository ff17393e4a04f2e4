package runtime

import (
	"context"
	"math"
	"os"
	"syscall"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// openOS makes os.exit an orderly end of the program, lets what blocks wait, and takes
// away what a script must not do to its process.
func (h *Host) openOS() {
	os := h.state.GetGlobal("os").(*lua.LTable)
	os.RawSetString("setenv", lua.LNil)
	h.setAll("os", Methods{
		"exit": h.exit, "execute": h.osExecute, "remove": h.osRemove, "rename": h.osRename, "tmpname": h.osTmpname,
		"getenv": osGetenv, "time": h.osTime, "date": h.osDate, "clock": osClock, "difftime": osDifftime,
	})
}

// exit ends the program with a code, after cleanup. It does not return.
func (h *Host) exit(L *lua.LState) int {
	code := 0
	switch v := L.Get(1).(type) {
	case lua.LBool:
		if !v {
			code = 1
		}
	case lua.LNumber:
		code = int(v)
	case *lua.LNilType:
	default:
		Raisef(L, CodeInvalidArgument, "os.exit", "os.exit: code must be a number or a boolean, not %s", describe(L, v))
	}
	h.exited = &exitError{code: code} // it wins over whatever ends the program already
	h.stopWith(h.exited)
	contextOf(L).stop()
	return 0 // the next instruction is never reached
}

// osExecute runs a command line in a shell, with the program's own streams, and returns
// its exit code, 128 and the signal's number when a signal ended it. Without a command
// it says whether there is a shell.
func (h *Host) osExecute(L *lua.LState) int {
	const name = "os.execute"
	var line *string
	Unpack(L, name, "command?", &line)
	if line == nil {
		_, err := os.Stat("/bin/sh")
		L.Push(lua.LNumber(map[bool]int{true: 1}[err == nil]))
		return 1
	}
	var code int
	deliver := func() {}
	err := h.Wait(L, func(ctx context.Context) (err error) {
		p := h.shell(ctx, *line)
		deliver = h.shareStreams(p)
		code, err = p.Run(name)
		return err
	})
	deliver()
	if err != nil {
		Raise(L, err)
	}
	L.Push(lua.LNumber(code))
	return 1
}

// pushFileError pushes what Lua's io and os return on failure: nil, message, number.
func pushFileError(L *lua.LState, path string, err error) int {
	text := reason(err)
	if text[0] >= 'a' && text[0] <= 'z' { // as C's strerror has it, and scripts compare
		text = string(text[0]-'a'+'A') + text[1:]
	}
	if path != "" {
		text = path + ": " + text
	}
	L.Push(lua.LNil)
	L.Push(lua.LString(text))
	L.Push(lua.LNumber(errnoOf(err)))
	return 3
}

// diskCall runs what changes the disk and returns true, or nil, message, number.
func (h *Host) diskCall(L *lua.LState, path string, f func() error) int {
	failed := h.Wait(L, func(context.Context) error { return f() })
	contextOf(L).raiseStopped(L)
	if failed != nil {
		return pushFileError(L, path, failed)
	}
	L.Push(lua.LTrue)
	return 1
}

// raiseStopped raises the cause of a cancel, if there was one.
func (c *Context) raiseStopped(L *lua.LState) {
	if c.stop() {
		Raise(L, c.cause())
	}
}

func (h *Host) osRemove(L *lua.LState) int {
	var path string
	Unpack(L, "os.remove", "path", &path)
	return h.diskCall(L, path, func() error { return os.Remove(path) })
}

func (h *Host) osRename(L *lua.LState) int {
	var from, to string
	Unpack(L, "os.rename", "from", &from, "to", &to)
	return h.diskCall(L, from, func() error { return os.Rename(from, to) })
}

// osTmpname makes an empty file and returns its name. As in Lua, the script removes it.
func (h *Host) osTmpname(L *lua.LState) int {
	Unpack(L, "os.tmpname")
	var path string
	err := h.Wait(L, func(context.Context) error {
		f, err := os.CreateTemp("", "lua_")
		if err != nil {
			return err
		}
		path = f.Name()
		return f.Close()
	})
	if err != nil {
		Raise(L, FileError("os.tmpname", os.TempDir(), err))
	}
	L.Push(lua.LString(path))
	return 1
}

func osGetenv(L *lua.LState) int {
	var name string
	Unpack(L, "os.getenv", "name", &name)
	value, ok := os.LookupEnv(name)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LString(value))
	return 1
}

// osClock returns the processor time that the program has used, in seconds.
func osClock(L *lua.LState) int {
	Unpack(L, "os.clock")
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		Raise(L, Errorf(CodeIO, "os.clock", "os.clock: %v", err))
	}
	total := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	L.Push(lua.LNumber(total.Seconds()))
	return 1
}

func osDifftime(L *lua.LState) int {
	var to, from float64
	Unpack(L, "os.difftime", "t2", &to, "t1?", &from)
	L.Push(lua.LNumber(to - from))
	return 1
}

// osTime returns the time now, or that of a table of date fields, in whole seconds.
// Fields may be out of their range: month = 14 is February of the next year.
func (h *Host) osTime(L *lua.LState) int {
	var t *lua.LTable
	Unpack(L, "os.time", "date?", &t)
	if t == nil {
		L.Push(lua.LNumber(h.Clock.Now().Unix()))
		return 1
	}
	field := func(name string, def int) int {
		v := t.RawGetString(name)
		if v == lua.LNil && def >= 0 {
			return def
		}
		n, ok := lua.LVAsNumber(v), lua.LVCanConvToString(v)
		if !ok || math.Trunc(float64(n)) != float64(n) || math.Abs(float64(n)) > math.MaxInt32 {
			Raisef(L, CodeInvalidArgument, "os.time", "os.time: field %s of the date must be a whole number, not %s", name, describe(L, v))
		}
		return int(n)
	}
	when := time.Date(field("year", -1), time.Month(field("month", -1)), field("day", -1),
		field("hour", 12), field("min", 0), field("sec", 0), 0, time.Local)
	if t.RawGetString("isdst") == lua.LTrue && !when.IsDST() {
		when = when.Add(-time.Hour) // the hour was meant in summer time
	}
	L.Push(lua.LNumber(when.Unix()))
	return 1
}
