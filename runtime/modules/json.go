package modules

import (
	_ "embed" // the types file
	"errors"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed json.lua
var jsonTypes string

const (
	// maxJSONDepth bounds how deep arrays and objects nest: reading and writing recurse.
	maxJSONDepth = 1000
	// maxJSONSize bounds a text that is written: shared tables make it grow beyond any data.
	maxJSONSize = 256 << 20
	// maxExact is the largest whole number that a Lua number tells from its neighbours.
	maxExact = 1 << 53
)

// jsonModule holds the two values that JSON has and Lua has not.
type jsonModule struct {
	null  *lua.LUserData // null
	array *lua.LTable    // the metatable that marks a table as an array
}

type null struct{}

func openJSON(h *runtime.Host) lua.LValue {
	m := newJSON(h)
	t := h.NewModule("json", runtime.Methods{"encode": m.encode, "decode": m.decode, "array": m.markArray})
	t.RawSetString("null", m.null)
	return t
}

func newJSON(h *runtime.Host) *jsonModule {
	kind := runtime.NewType[null](h, "null", nil)
	kind.String = func(null) string { return "null" }
	marked := &lua.LTable{Metatable: lua.LNil}
	marked.RawSetString("__name", lua.LString("json.array"))
	return &jsonModule{null: kind.New(null{}), array: marked}
}

type jsonOptions struct {
	Indent indentation `lua:"indent"`
}

// indentation is a number of spaces, or the spaces and tabs themselves.
type indentation string

// UnpackLua reads it; see [runtime.Unpacker].
func (i *indentation) UnpackLua(_ *lua.LState, v lua.LValue) error {
	switch v := v.(type) {
	case lua.LNumber:
		if n := int(v); lua.LNumber(n) == v && n >= 0 && n <= 16 {
			*i = indentation(strings.Repeat(" ", n))
			return nil
		}
	case lua.LString:
		if strings.Trim(string(v), " \t") == "" {
			*i = indentation(v)
			return nil
		}
	}
	return errIndent
}

var errIndent = errors.New("must be a number of spaces from 0 to 16, or a string of spaces and tabs")

func (m *jsonModule) encode(L *lua.LState) int {
	var v lua.LValue
	var o jsonOptions
	runtime.Unpack(L, "json.encode", "value", &v, "opts?", &o)
	text, err := m.write(L, v, string(o.Indent))
	if err != nil {
		runtime.Raise(L, err)
	}
	L.Push(lua.LString(text))
	return 1
}

func (m *jsonModule) decode(L *lua.LState) int {
	var text string
	runtime.Unpack(L, "json.decode", "text", &text)
	v, err := m.read(L, text)
	if err != nil {
		runtime.Raise(L, err)
	}
	L.Push(v)
	return 1
}

func (m *jsonModule) markArray(L *lua.LState) int {
	const name = "json.array"
	var t *lua.LTable
	runtime.Unpack(L, name, "t?", &t)
	if t == nil {
		t = L.NewTable()
	}
	if t.Metatable != lua.LNil && t.Metatable != m.array {
		runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: the table has a metatable, which the mark of an array would replace", name)
	}
	t.Metatable = m.array
	L.Push(t)
	return 1
}
