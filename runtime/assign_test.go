package runtime

import (
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// Each function gets 1, 2 and "s", and is to return what stands behind the arrow.
var assignments = []string{
	`a, b = b, a return a, b --> 2 1`,
	`a, b, c = c, a, b return a, b, c --> s 1 2`,
	`local x, y, z = 1, 2, 3 x, y, z = z, x, y return x, y, z --> 3 1 2`,
	`c, a = c:upper(), c return a, c --> s S`,
	`c, a = tostring(c), c return a, c --> s s`,
	`c = (c:upper()) return c --> S`,
	`c = (tostring(c)) return c --> s`,
	`local t = {} c, t.x = c:rep(2), 4 return c, t.x --> ss 4`,
	`c, global = c:rep(2), 4 return c, global --> ss 4`,
	`global, c = c, (c:rep(2)) return global, c --> s ss`,
	`local x, y = b, a x, y = a, (tostring(x)) return x, y --> 1 2`,
	`a, b = a == 1, a and b return a, b --> true 2`,
	`a, b = b and a, b and a return a, b --> 1 1`,
	`a, b = {a}, {a} return a[1], b[1] --> 1 1`,
	`local i, t = 1, {} i, t[i] = i + 1, 20 return i, t[1], t[2] --> 2 20 nil`,
	`local t = {1} local old = t t, t[1] = nil, 5 return t, old[1] --> nil 5`,
	`local t = {x = {}} local x = t.x t, t.x.y, t.x = 7, 8, 9 return t, x.y --> 7 8`,
	`local t = {} t[a], t[b], t[c] = c, b, a return t[1], t[2], t.s --> s 2 1`,
	`local t = {} t.x, t[1], t[true] = 1, 2, 3 return t.x, t[1], t[true] --> 1 2 3`,
	`local function two() return 8, 9 end a, b, c = two() return a, b, c --> 8 9 nil`,
	`local function two() return 8, 9 end a, b, c = 7, two() return a, b, c --> 7 8 9`,
	`local function two() return 8, 9 end a, b, c = two(), 7 return a, b, c --> 8 7 nil`,
	`local function two() return 8, 9 end a, b, c = (two()) return a, b, c --> 8 nil nil`,
	`local n = 0 local function up() n = n + 1 return n end a = up(), up(), up() return a, n --> 1 3`,
	`local n = 0 local function up() n = n + 1 return n end a, b = up(), up(), (up()) return a, b, n --> 1 2 3`,
	`local log = "" local function see(v) log = log .. v return {} end see(1).x, see(2)[see(3)] = see(4), see(5) return log --> 12345`,
	`local function f(...) local x, y x, y = ..., ... return x, y end return f(4, 5) --> 4 4`,
	`local function f(...) a, b, c = ... return a, b, c end return f(4, 5) --> 4 5 nil`,
	`local get = function() return a, b end a, b = b, a return get() --> 2 1`,
	`local fs = {} for i = 1, 3 do local j = i j, fs[i] = j + 1, function() return j end end return fs[1](), fs[2](), fs[3]() --> 2 3 4`,
	`local log = {} setmetatable(log, {__newindex = function(t, k, v) rawset(t, #t + 1, k) end}) log.x, log.y = 1, 2 return log[1], log[2] --> y x`,
	`while true do a, b = b, a if a == 2 then break end end return a, b --> 2 1`,
}

func TestAssignments(t *testing.T) {
	for _, line := range assignments {
		body, want, _ := strings.Cut(line, " --> ")
		got := mustRun(t, `print((function(a, b, c) `+body+` end)(1, 2, "s"))`)
		if got = strings.ReplaceAll(strings.TrimSpace(got), "\t", " "); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

func TestAssignmentErrorsNameTheLine(t *testing.T) {
	r := runLua(t, "local a, b\na,\nb.x =\n1,\n2")
	if r.err == nil || !strings.Contains(r.err.Error(), ":3: ") {
		t.Errorf("got %v", r.err)
	}
}

// When stock gopher-lua swaps two locals, the repair can go.
func TestStockStillNeedsTheRepairOfAssignments(t *testing.T) {
	L := lua.NewState()
	defer L.Close()
	if L.DoString(`local a, b = 1, 2 a, b = b, a assert(a == 2 and b == 1)`) == nil {
		t.Error("gopher-lua swaps two locals now: is assign.go still needed?")
	}
}
