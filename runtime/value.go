package runtime

import (
	"encoding/base64"
	"fmt"
	"time"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
)

// FromGo makes a plain Lua value of plain Go data: nil, bool, numbers, string,
// []byte, time.Duration (seconds), slices and maps of these. A whole number beyond
// 2^53, which Lua cannot hold, becomes a string of its digits.
func FromGo(L *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case nil:
		return lua.LNil
	case lua.LValue:
		return v
	case bool:
		return lua.LBool(v)
	case string:
		return lua.LString(v)
	case []byte:
		return lua.LString(v)
	case int:
		return wholeToLua(int64(v))
	case int64:
		return wholeToLua(v)
	case uint64:
		if v > maxExact {
			return lua.LString(fmt.Sprint(v))
		}
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	case time.Duration:
		return lua.LNumber(v.Seconds())
	case []string:
		return Strings(L, v)
	case []any:
		t := L.CreateTable(len(v), 0)
		for i, item := range v {
			t.RawSetInt(i+1, FromGo(L, item))
		}
		return t
	case map[string]any:
		t := L.CreateTable(0, len(v))
		for k, item := range v {
			t.RawSetString(k, FromGo(L, item))
		}
		return t
	}
	panic(fmt.Sprintf("runtime: FromGo: no Lua value for a %T", v))
}

func wholeToLua(n int64) lua.LValue {
	if n > maxExact || n < -maxExact {
		return lua.LString(fmt.Sprint(n))
	}
	return lua.LNumber(n)
}

// Strings makes a list of strings.
func Strings(L *lua.LState, list []string) *lua.LTable {
	t := L.CreateTable(len(list), 0)
	for i, s := range list {
		t.RawSetInt(i+1, lua.LString(s))
	}
	return t
}

// LogFields turns a table of a script into fields for a logger, in the table's order.
func LogFields(L *lua.LState, t *lua.LTable) []any {
	var fields []any
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) { // ForEach has a random order
		fields = append(fields, k.String(), LogValue(L, v))
	}
	return fields
}

// LogValue turns a Lua value into what a logger can print: bytes that are no text as
// base64, an object as its text, a table as its entries.
func LogValue(L *lua.LState, v lua.LValue) any {
	switch v := v.(type) {
	case lua.LNumber:
		if n, ok := wholeNumber(v); ok {
			return n
		}
		return float64(v)
	case lua.LBool:
		return bool(v)
	case lua.LString:
		if !utf8.ValidString(string(v)) {
			return "base64:" + base64.StdEncoding.EncodeToString([]byte(v))
		}
		return string(v)
	case *lua.LTable:
		return logTable(L, v, 0)
	}
	return L.ToStringMeta(v).String()
}

// maxLogDepth bounds what a table that contains itself costs.
const maxLogDepth = 6

func logTable(L *lua.LState, t *lua.LTable, depth int) any {
	if depth == maxLogDepth {
		return "…"
	}
	out := map[string]any{}
	t.ForEach(func(k, v lua.LValue) {
		if inner, ok := v.(*lua.LTable); ok {
			out[k.String()] = logTable(L, inner, depth+1)
			return
		}
		out[k.String()] = LogValue(L, v)
	})
	return out
}
