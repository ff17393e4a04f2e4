package runtime

import (
	"fmt"
	"sort"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Methods are the functions of an object or a module by name.
type Methods map[string]lua.LGFunction

// Type is a kind of object that scripts hold: a userdata around a Go value of type
// T with methods (called with a colon) and computed fields. One per host; made and
// used with the turn held.
type Type[T any] struct {
	Name   string
	Field  func(L *lua.LState, v T, name string) lua.LValue // a field that is not a method; nil or LNil: none
	Keys   []string                                         // names of the fields, in order, for pairs and json
	String func(v T) string                                 // for tostring; nil: "name: address"
	h      *Host
	meta   *lua.LTable
}

// NewType makes a type. Fields, String and Keys may be set until the first object is made.
func NewType[T any](h *Host, name string, methods Methods) *Type[T] {
	t := &Type[T]{Name: name, h: h, meta: h.state.NewTable()}
	funcs, names := map[string]*lua.LFunction{}, []string{}
	for m, f := range methods {
		funcs[m] = h.NewFunction(f)
		names = append(names, m)
	}
	sort.Strings(names)
	t.meta.RawSetString("__methods", Strings(h.state, names)) // for completion and for tests
	t.Meta("__index", func(L *lua.LState) int {
		return t.index(L, funcs)
	})
	t.Meta("__newindex", func(L *lua.LState) int {
		Raisef(L, CodeInvalidArgument, "", "a %s cannot be changed: field %q", name, L.Get(2).String())
		return 0
	})
	t.Meta("__tostring", func(L *lua.LState) int {
		L.Push(lua.LString(t.text(L.Get(1))))
		return 1
	})
	t.Meta("__pairs", t.pairs)
	t.meta.RawSetString("__metatable", lua.LString(name))
	t.meta.RawSetString("__name", lua.LString(name))
	return t
}

func (t *Type[T]) index(L *lua.LState, funcs map[string]*lua.LFunction) int {
	key, isString := L.Get(2).(lua.LString)
	if isString {
		if f, ok := funcs[string(key)]; ok {
			L.Push(f)
			return 1
		}
		if v, ok := t.value(L.Get(1)); ok && t.Field != nil {
			if field := t.Field(L, v, string(key)); field != nil {
				L.Push(field)
				return 1
			}
		}
	}
	L.Push(lua.LNil)
	return 1
}

// pairs walks the fields that are there; methods are not fields.
func (t *Type[T]) pairs(L *lua.LState) int {
	table := t.h.state.NewTable()
	if v, ok := t.value(L.Get(1)); ok {
		t.fill(L, v, table)
	}
	L.Push(t.h.next)
	L.Push(table)
	L.Push(lua.LNil)
	return 3
}

func (t *Type[T]) fill(L *lua.LState, v T, into *lua.LTable) {
	for _, k := range t.Keys {
		if field := t.Field(L, v, k); field != nil && field != lua.LNil {
			into.RawSetString(k, field)
		}
	}
}

func (t *Type[T]) text(v lua.LValue) string {
	if got, ok := t.value(v); ok && t.String != nil {
		return t.String(got)
	}
	return fmt.Sprintf("%s: %p", t.Name, v)
}

func (t *Type[T]) value(v lua.LValue) (got T, ok bool) {
	if ud, isUserData := v.(*lua.LUserData); isUserData {
		got, ok = ud.Value.(T)
	}
	return got, ok
}

// New makes an object around v.
func (t *Type[T]) New(v T) *lua.LUserData {
	ud := &lua.LUserData{}
	t.Fill(ud, v)
	return ud
}

// Meta sets a metamethod.
func (t *Type[T]) Meta(event string, f lua.LGFunction) {
	t.meta.RawSetString(event, t.h.NewFunction(f))
}

// Table returns the fields of v as a plain table, for json and the like.
func (t *Type[T]) Table(L *lua.LState, v T) *lua.LTable {
	table := L.CreateTable(0, len(t.Keys))
	t.fill(L, v, table)
	return table
}

// Self returns the object that a method was called on. fn is the method as a script
// writes it, "lease:revoke". Called with a dot, or on something else, it raises.
func Self[T any](L *lua.LState, fn string) T {
	if ud, ok := L.Get(1).(*lua.LUserData); ok {
		if v, ok := ud.Value.(T); ok {
			return v
		}
	}
	name, method, _ := strings.Cut(fn, ":")
	Raise(L, Errorf(CodeInvalidArgument, fn, "%s was called on %s instead of a %s: use a colon, x:%s(…)",
		fn, describe(L, L.Get(1)), name, method))
	panic("unreachable")
}

// To returns the Go value of an object of type T.
func To[T any](v lua.LValue) (got T, ok bool) {
	if ud, isUserData := v.(*lua.LUserData); isUserData {
		got, ok = ud.Value.(T)
	}
	return got, ok
}

// tableOf returns the fields of any object that has __pairs as a table; nil for others.
func tableOf(L *lua.LState, v lua.LValue) *lua.LTable {
	ud, ok := v.(*lua.LUserData)
	if !ok {
		return nil
	}
	mt, ok := ud.Metatable.(*lua.LTable)
	if !ok {
		return nil
	}
	f, ok := mt.RawGetString("__pairs").(*lua.LFunction)
	if !ok {
		return nil
	}
	L.Push(f)
	L.Push(ud)
	L.Call(1, 3)
	table, _ := L.Get(-2).(*lua.LTable)
	L.Pop(3)
	return table
}

// Fields returns the fields of an object or a table as a table, nil for anything else.
func Fields(L *lua.LState, v lua.LValue) *lua.LTable {
	if t, ok := v.(*lua.LTable); ok {
		return t
	}
	return tableOf(L, v)
}

// Fill makes ud an object around v, for callers that allocate many at once.
func (t *Type[T]) Fill(ud *lua.LUserData, v T) {
	ud.Value, ud.Metatable, ud.Env = v, t.meta, t.h.state.Env
}
