package runtime

import (
	lua "github.com/yuin/gopher-lua"
)

// Module is what a script can require by name, and reach as a global. Types is its
// reference: the LuaLS file beside the code. Open is called once per host, with the
// turn held and outside of any task, and returns the module's value.
type Module struct {
	Name  string
	Types string
	Open  func(h *Host) lua.LValue
}

// NewModule makes a module's table from its functions. A call with a colon
// (etcd:get(…)) is refused by the argument check, which knows the table by this.
func (h *Host) NewModule(name string, functions Methods) *lua.LTable {
	t := h.state.CreateTable(0, len(functions))
	for fn, f := range functions {
		t.RawSetString(fn, h.NewFunction(f))
	}
	h.dotted[t] = name
	return t
}

// NewFunction makes a Lua function of f. A Go panic in f ends the program.
func (h *Host) NewFunction(f lua.LGFunction) *lua.LFunction {
	return h.state.NewFunction(h.guardPanics(f))
}

func (h *Host) openModules(list []Module) {
	for _, m := range list {
		v := m.Open(h)
		h.modules[m.Name] = v
		if m.Name != "" {
			h.state.SetGlobal(m.Name, v)
		}
	}
}

// SetGlobal makes v a global of the scripts.
func (h *Host) SetGlobal(name string, v lua.LValue) { h.state.SetGlobal(name, v) }
