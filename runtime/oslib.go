package runtime

import (
	lua "github.com/yuin/gopher-lua"
)

// openOS makes os.exit an orderly end of the program, and takes away what a script
// must not do to its process.
func (h *Host) openOS() {
	os := h.state.GetGlobal("os").(*lua.LTable)
	os.RawSetString("setenv", lua.LNil)
	h.setAll("os", Methods{"exit": h.exit})
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
