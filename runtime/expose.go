package runtime

import (
	lua "github.com/yuin/gopher-lua"
	luar "layeh.com/gopher-luar"
)

// Expose makes a Go value a global of the scripts through gopher-luar: structs,
// maps, slices and functions as they are. It is for Go programs that embed the
// runtime. Numbers beyond 2^53 are rounded, a []byte is a list of numbers, functions
// have no optional arguments: a module made with [Host.NewModule] has none of these
// bounds. Call it before [Host.Run].
func (h *Host) Expose(name string, value any) {
	v := luar.New(h.state, value)
	if f, ok := v.(*lua.LFunction); ok {
		f.GFunction = h.guardPanics(f.GFunction)
	}
	h.state.SetGlobal(name, v)
}
