package runtime

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

type testOptions struct {
	Limit   *int64        `lua:"limit"`
	Timeout time.Duration `lua:"timeout"`
	Exact   bool          `lua:"exact"`
	Name    string        `lua:"name"`
	Keys    []string      `lua:"keys"`
	Any     lua.LValue    `lua:"any"`
}

// unpacked is what the last call of demo.call was given.
type unpacked struct {
	key   string
	count int64
	opts  testOptions
	fn    *lua.LFunction
}

func demo(got *unpacked) Module {
	return Module{Name: "demo", Open: func(h *Host) lua.LValue {
		thing := NewType[*unpacked](h, "thing", Methods{"touch": func(L *lua.LState) int {
			Self[*unpacked](L, "thing:touch")
			var n int
			Unpack(L, "thing:touch", "n", &n)
			return 0
		}})
		return h.NewModule("demo", Methods{
			"call": func(L *lua.LState) int {
				*got = unpacked{}
				Unpack(L, "demo.call", "key", &got.key, "count?", &got.count, "opts?", &got.opts, "fn?", &got.fn)
				return 0
			},
			"thing": func(L *lua.LState) int { L.Push(thing.New(got)); return 1 },
		})
	}}
}

func TestUnpackRefuses(t *testing.T) {
	for src, want := range map[string]string{
		`demo.call()`:                         `demo.call: key is missing`,
		`demo.call(nil)`:                      `demo.call: key is missing`,
		`demo.call({})`:                       `demo.call: key must be a string, not a table`,
		`demo.call(true)`:                     `demo.call: key must be a string, not true`,
		`demo.call("k", 1.5)`:                 `demo.call: count must be a whole number, not the number 1.5`,
		`demo.call("k", 2^60)`:                `demo.call: count must be a whole number, not the number`,
		`demo.call("k", 0/0)`:                 `demo.call: count must be a whole number`,
		`demo.call("k", "1")`:                 `demo.call: count must be a whole number, not the string "1"`,
		`demo.call("k", 1, "x")`:              `demo.call: opts must be a table of options, not the string "x"`,
		`demo.call("k", 1, {limt = 1})`:       `demo.call: unknown option "limt" (did you mean "limit"?)`,
		`demo.call("k", 1, {5})`:              `demo.call: options are named, but the table has the entry [1]`,
		`demo.call("k", 1, {limit = "x"})`:    `demo.call: option limit must be a whole number, not the string "x"`,
		`demo.call("k", 1, {timeout = -1})`:   `demo.call: option timeout must be a duration`,
		`demo.call("k", 1, {timeout = "5"})`:  `demo.call: option timeout must be a duration`,
		`demo.call("k", 1, {exact = 1})`:      `demo.call: option exact must be true or false, not the number 1`,
		`demo.call("k", 1, {keys = {1, {}}})`: `demo.call: option keys must be a string or a list of strings`,
		`demo.call("k", 1, {keys = {a = 1}})`: `demo.call: option keys must be a string or a list of strings`,
		`demo.call("k", 1, {}, 5)`:            `demo.call: fn must be a function, not the number 5`,
		`demo.call("k", 1, {}, print, 5)`:     `demo.call: too many arguments: the number 5 was given after the last one`,
		`demo:call("k")`:                      `demo.call was called with a colon: use a dot, demo.call(…)`,
		`demo.thing().touch(1)`:               `thing:touch was called on the number 1 instead of a thing: use a colon, x:touch(…)`,
		`demo.thing().touch()`:                `use a colon`,
		`demo.thing():touch("x")`:             `thing:touch: n must be a whole number, not the string "x"`,
		`demo.thing().x = 1`:                  `a thing cannot be changed`,
	} {
		var got unpacked
		r := runLua(t, src, demo(&got))
		if codeOf(r.err) != CodeInvalidArgument || !strings.Contains(r.err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", src, r.err, want)
		}
		if r.err != nil && !strings.HasPrefix(r.err.Error(), "t.lua:1: ") {
			t.Errorf("%s: no position: %v", src, r.err)
		}
	}
}

func TestUnpackAccepts(t *testing.T) {
	var got unpacked
	mustRun(t, `demo.call(12, 3, {limit = 7, timeout = "1m", exact = true, name = "n", keys = "one", any = false}, print)`, demo(&got))
	if got.key != "12" || got.count != 3 || *got.opts.Limit != 7 || got.opts.Timeout != time.Minute ||
		!got.opts.Exact || got.opts.Keys[0] != "one" || got.opts.Any != lua.LFalse || got.fn == nil {
		t.Errorf("%+v", got)
	}
	mustRun(t, `demo.call("k", nil, print)`, demo(&got)) // options left out before a callback
	if got.fn == nil || got.opts.Limit != nil {
		t.Errorf("%+v", got)
	}
	mustRun(t, `demo.call("k", nil, {timeout = 0.25, keys = {}})`, demo(&got))
	if got.opts.Timeout != 250*time.Millisecond || len(got.opts.Keys) != 0 {
		t.Errorf("%+v", got)
	}
	mustRun(t, `demo.call("k", nil, {timeout = math.huge}, setmetatable({}, {__call = function() end}))`, demo(&got))
	if got.opts.Timeout != maxDuration || got.fn == nil {
		t.Errorf("%+v", got)
	}
}

// Whatever a script gives, a function reads it or raises invalid_argument.
func FuzzUnpack(f *testing.F) {
	for _, seed := range []string{`"k", 1, {limit = 1}`, `nil, nil, nil`, `{}, print, 0/0`, `"a", -2^53, {keys = {"x"}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arguments string) {
		if strings.ContainsAny(arguments, "();:") || strings.Contains(arguments, "function") || strings.Contains(arguments, "--") {
			t.Skip("more than a list of plain values")
		}
		s, err := Compile("t.lua", "", []byte("demo.call("+arguments+"\n)"))
		if err != nil {
			t.Skip("no Lua")
		}
		var got unpacked
		h := New(Options{Modules: []Module{demo(&got)}})
		defer h.Close()
		err = h.Run(t.Context(), s)
		if _, panicked := PanicStack(err); panicked {
			t.Fatal(err)
		}
		var raised *Raised
		if errors.As(err, &raised) && raised.Value.Type() == lua.LTUserData && codeOf(err) != CodeInvalidArgument {
			t.Errorf("%q raised %v", arguments, err)
		}
	})
}

// Go data that Lua can hold comes back as it was.
func FuzzValues(f *testing.F) {
	f.Add("text", int64(1), 0.5, true)
	f.Add("\x00\xff", int64(math.MaxInt64), math.Inf(1), false)
	f.Fuzz(func(t *testing.T, s string, n int64, x float64, b bool) {
		h := New(Options{})
		defer h.Close()
		table := FromGo(h.state, map[string]any{"s": s, "n": n, "x": x, "b": b, "list": []any{s, n}, "none": nil}).(*lua.LTable)
		if got := table.RawGetString("s"); got != lua.LString(s) {
			t.Errorf("string %q is %v", s, got)
		}
		if got := table.RawGetString("b"); got != lua.LBool(b) {
			t.Errorf("bool %v is %v", b, got)
		}
		if got := table.RawGetString("x"); got != lua.LNumber(x) && !math.IsNaN(x) {
			t.Errorf("float %v is %v", x, got)
		}
		number := table.RawGetString("n")
		if whole, ok := wholeNumber(number); ok && whole != n {
			t.Errorf("%d became %d", n, whole)
		} else if !ok && (number.Type() != lua.LTString || n <= maxExact && n >= -maxExact) {
			t.Errorf("%d became %v", n, number)
		}
		if list := table.RawGetString("list").(*lua.LTable); list.Len() != 2 || list.RawGetInt(1) != lua.LString(s) {
			t.Errorf("the list is %v", list)
		}
		if table.RawGetString("none") != lua.LNil {
			t.Error("nil is not nil")
		}
	})
}
