package modules

import (
	_ "embed" // the types file
	"os"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed env.lua
var envTypes string

func openEnv(h *runtime.Host) lua.LValue {
	return h.NewModule("env", runtime.Methods{"get": envGet, "all": envAll})
}

// environment is where this module reaches out.
func environment() []string { return os.Environ() }

func envGet(L *lua.LState) int {
	const name = "env.get"
	var variable string
	var def lua.LValue = lua.LNil
	runtime.Unpack(L, name, "name", &variable, "default?", &def)
	if variable == "" || strings.ContainsAny(variable, "=\x00") {
		runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: name %q cannot be the name of a variable", name, variable)
	}
	found := def
	for _, entry := range environment() {
		if value, ok := strings.CutPrefix(entry, variable+"="); ok {
			found = lua.LString(value)
		}
	}
	L.Push(found)
	return 1
}

func envAll(L *lua.LState) int {
	runtime.Unpack(L, "env.all")
	all := L.NewTable()
	for _, entry := range environment() {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			all.RawSetString(name, lua.LString(value))
		}
	}
	L.Push(all)
	return 1
}
