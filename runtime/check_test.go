package runtime

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// checkNames are the globals that the sources of these tests see.
var checkNames = []string{"print", "pairs", "setmetatable", "_G", "etcd", "etcd.get", "etcd.set", "etcd.cluster",
	"etcd.cluster.members", "string", "string.format", "args"}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []string
	}{
		{"clean", "local x = 1\nprint(x, args[1], etcd.get('/a'))", nil},
		{"unknown", "pritn(1)", []string{"1:1: unknown global 'pritn' (did you mean 'print'?)"}},
		{"unlike anything", "print(zzzzzzzz)", []string{"1:7: unknown global 'zzzzzzzz'"}},
		{"module's function", "\tetcd.gett('/a')", []string{"1:2: unknown name 'etcd.gett' (did you mean 'etcd.get'?)"}},
		{"nested module", "etcd.cluster.member()", []string{"1:1: unknown name 'etcd.cluster.member' (did you mean 'etcd.cluster.members'?)"}},
		{"field of an unknown", "ectd.get()", []string{"1:1: unknown global 'ectd' (did you mean 'etcd'?)"}},
		{"used in a function, defined below", "local function f() return M end\nM = {}\nf()", nil},
		{"any field of the script's own global", "M = {}\nM.a = 1\nprint(M.b)", nil},
		{"own function in a module", "function string.split() end\nstring.split()", nil},
		{"through _G", "_G.setting = 1\nprint(setting, _G.anything)", nil},
		{"set in a function", "local function f()\n  count = 1\n  count = 2\nend\nf()",
			[]string{"2:3: the function sets the global 'count', which nothing else defines: is 'local' missing?"}},
		{"set in a function, defined outside", "count = 0\nlocal function f() count = 1 end\nf()", nil},
		{"the value of local x = x", "local x = x", []string{"1:11: unknown global 'x'"}},
		{"scope of do", "do local x = 1 end\nprint(x)", []string{"2:7: unknown global 'x'"}},
		{"scope of for", "for i = 1, 2 do print(i) end\nfor k, v in pairs(args) do print(k, v) end\nprint(k)", []string{"3:7: unknown global 'k'"}},
		{"until sees the body", "repeat local done = true until done", nil},
		{"while, if, else", "while a do end if b then print(c) elseif d then else print(e) end",
			[]string{"1:7: unknown global 'a'", "1:19: unknown global 'b'", "1:32: unknown global 'c'", "1:42: unknown global 'd'", "1:60: unknown global 'e'"}},
		{"parameters, varargs, arg", "local function f(a, ...) return a, ..., arg end\nf()", nil},
		{"recursion of a local function", "local function f() return f end\nf()", nil},
		{"no recursion of a local's value", "local f = function() return f end\nf()", []string{"1:29: unknown global 'f'"}},
		{"self", "local T = {}\nfunction T:m() return self end\nfunction T.s() return self end", []string{"3:23: unknown global 'self'"}},
		{"method of an unknown", "T:m()\nfunction U:m() end", []string{"1:1: unknown global 'T'", "2:10: unknown global 'U'"}},
		{"keys are not names", "local t = {foo = 1, [bar] = 2, baz}\nprint(t.qux, t:quux())", []string{"1:22: unknown global 'bar'", "1:32: unknown global 'baz'"}},
		{"the second in a line", "local y = 1\nprint(y.q, q, 'q')", []string{"2:12: unknown global 'q'"}},
		{"operators", "print(-a + #b .. not c, d == e and f)",
			[]string{"1:8: unknown global 'a'", "1:13: unknown global 'b'", "1:22: unknown global 'c'", "1:25: unknown global 'd'", "1:30: unknown global 'e'", "1:36: unknown global 'f'"}},
		{"goto and labels", "goto done\n::done::", nil},
		{"after a #! line", "#!/usr/bin/env etcdlua\npritn()", []string{"2:1: unknown global 'pritn' (did you mean 'print'?)"}},
		{"the end of a call in a path", "print(etcd.get('x').whatever)", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			problems, err := Check("t.lua", []byte(c.src), checkNames)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
			}
		})
	}
}

func TestCheckRefusesWhatDoesNotCompile(t *testing.T) {
	for _, src := range []string{"local = 1", "goto nowhere", strings.Repeat("(", 1000)} {
		if _, err := Check("t.lua", []byte(src), nil); codeOf(err) != CodeParse {
			t.Errorf("%.20q: got %v", src, err)
		}
	}
}

func TestCheckOfDeepSource(t *testing.T) {
	src := "print(" + strings.Repeat("x or ", 900) + "x)"
	problems, err := Check("t.lua", []byte(src), checkNames)
	if err != nil || len(problems) != 901 {
		t.Errorf("%d problems, %v", len(problems), err)
	}
}

func TestNamesOfAHost(t *testing.T) {
	m := Module{Name: "thing", Open: func(h *Host) lua.LValue {
		return h.NewModule("thing", Methods{"make": func(*lua.LState) int { return 0 }})
	}}
	h := New(Options{Modules: []Module{m}, Args: []string{"a"}})
	defer h.Close()
	names := h.Names()
	for _, n := range []string{"print", "thing", "thing.make", "string.format", "task.spawn", "args", "_G"} {
		if !slices.Contains(names, n) {
			t.Errorf("%s is not among them", n)
		}
	}
	for _, n := range names {
		if strings.HasPrefix(n, "_G.") || strings.HasPrefix(n, "package.") {
			t.Errorf("%s is listed: a script may add fields there", n)
		}
	}
}

func TestCallsAtTop(t *testing.T) {
	for src, want := range map[string]bool{
		`runbook{name = "x"}`:                       true,
		"-- a comment\nlocal p = runbook{}":         true,
		"local x = 1\nrunbook({})":                  true,
		"#!/usr/bin/env etcdlua\nrunbook{}":         true,
		"p = runbook{}":                             true,
		"-- runbook{}":                              false,
		"local function f() runbook{} end":          false,
		"print('runbook{}')":                        false,
		"runbook{":                                  false,
		"other{runbook{}}":                          false,
		"local t = {}; function t.runbook() end":    false,
		"local t = require 'x'\nt.runbook{a = 'b'}": false,
	} {
		if got := CallsAtTop([]byte(src), "runbook"); got != want {
			t.Errorf("%q: %v", src, got)
		}
	}
}
