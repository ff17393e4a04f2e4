package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// boom is a module whose function panics in Go.
var boom = Module{Name: "boom", Open: func(h *Host) lua.LValue {
	return h.NewModule("boom", Methods{
		"now":  func(*lua.LState) int { panic("kaboom") },
		"wait": func(L *lua.LState) int { return waitAndPanic(h, L) },
	})
}}

func waitAndPanic(h *Host, L *lua.LState) int {
	_ = h.Wait(L, func(context.Context) error { panic("kaboom") })
	return 0
}

func TestGoPanicIsNeverHidden(t *testing.T) {
	for name, src := range map[string]string{
		"pcall":        `pcall(boom.now) print("went on")`,
		"xpcall":       `xpcall(boom.now, function() return 1 end) print("went on")`,
		"coroutine":    `coroutine.resume(coroutine.create(boom.now)) print("went on")`,
		"wrap":         `pcall(coroutine.wrap(boom.now)) print("went on")`,
		"in a wait":    `pcall(boom.wait) print("went on")`,
		"in a task":    `pcall(function() task.spawn(boom.now):join() end) print("went on")`,
		"all":          `pcall(task.all, {boom.now}) print("went on")`,
		"finally":      `task.finally(boom.now)`,
		"with_timeout": `pcall(task.with_timeout, 1, boom.now) print("went on")`,
		"others stop":  `task.spawn(function() while true do task.yield() end end) pcall(boom.now) print("went on")`,
	} {
		t.Run(name, func(t *testing.T) {
			r := runLua(t, src, boom)
			stack, ok := PanicStack(r.err)
			if !ok || !strings.Contains(r.err.Error(), "kaboom") || !strings.Contains(stack, "lang_test.go") {
				t.Errorf("the end is %v", r.err)
			}
			if r.out != "" {
				t.Errorf("Lua ran after the panic: %q", r.out)
			}
		})
	}
}

func TestCancelOfManyIdleTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(errors.New("enough")) })
		r := runWith(t, ctx, Options{}, `
			local ended = 0
			for _ = 1, 1000 do
				task.spawn(function()
					task.finally(function() ended = ended + 1 end)
					task.sleep(3600)
				end)
			end
			task.on_exit(function() print(ended) end)`)
		if r.err == nil || r.err.Error() != "enough" || r.out != "1000\n" {
			t.Errorf("got %v, %q", r.err, r.out)
		}
	})
}

func TestCancelOfASpinningTask(t *testing.T) {
	for name, body := range map[string]string{
		"loop":       `while true do end`,
		"pcall loop": `while true do pcall(function() while true do end end) end`,
		"coroutine":  `while true do coroutine.wrap(function() while true do end end)() end`,
		"recursion":  `local function f() return f() end f()`,
		"sort":       `while true do table.sort({3,2,1}, function(a, b) return a < b end) end`,
	} {
		t.Run(name, func(t *testing.T) {
			got := mustRun(t, `
				local ok, err = pcall(task.with_timeout, "10ms", function() `+body+` end)
				print(ok, err.code)`)
			if got != "false\ttimeout\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestSpinningMainIsCancelledFromOutside(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	started := Module{Name: "started", Open: func(h *Host) lua.LValue {
		return h.NewFunction(func(*lua.LState) int { cancel(errors.New("stop")); return 0 })
	}}
	r := runWith(t, ctx, Options{Modules: []Module{started}}, `
		task.on_exit(function() print("cleaned up") end)
		started()
		while true do pcall(function() while true do end end) end`)
	if r.err == nil || r.err.Error() != "stop" || r.out != "cleaned up\n" {
		t.Errorf("got %v, %q", r.err, r.out)
	}
}

func TestCoroutineOfAnotherTaskIsRefused(t *testing.T) {
	got := mustRun(t, `
		local co = coroutine.create(function() task.sleep("20ms") return "done" end)
		local t = task.spawn(function() return coroutine.resume(co) end)
		task.yield()
		print(coroutine.status(co), coroutine.resume(co))
		print(t:join())
		print(coroutine.status(co))`)
	want := "normal\tfalse\tcannot resume a coroutine that waits in another task\ntrue\tdone\ndead\n"
	if got != want {
		t.Errorf("got %q", got)
	}
}

// A coroutine runs under the context of whoever resumes it, also after its maker ended.
func TestCoroutineOutlivesItsMaker(t *testing.T) {
	got := mustRun(t, `
		local co
		local maker = task.spawn(function()
			co = coroutine.create(function()
				task.sleep("1ms")
				coroutine.yield("one")
				task.sleep("1ms")
				return "two"
			end)
			print(coroutine.resume(co))
		end)
		maker:join()
		task.spawn(function() print(coroutine.resume(co)) end):join()
		print(coroutine.status(co))`)
	if want := "true\tone\ntrue\ttwo\ndead\n"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestYieldAcrossGoIsRefused(t *testing.T) {
	for name, form := range map[string]string{
		"pcall":      `pcall(coroutine.yield)`,
		"metamethod": `local _ = setmetatable({}, {__index = function() coroutine.yield() end}).x`,
		"iterator":   `for _ in function() coroutine.yield() end do end`,
		"sort":       `table.sort({2, 1}, function() coroutine.yield() end)`,
		"outside":    ``,
	} {
		t.Run(name, func(t *testing.T) {
			src := `local ok, err = coroutine.resume(coroutine.create(function() ` + form + ` return "end" end)) print(ok, err)`
			if name == "outside" {
				src = `print(pcall(coroutine.yield))`
			}
			got := mustRun(t, src)
			if name == "pcall" { // pcall itself catches the refusal
				src = `print(coroutine.wrap(function() local ok, err = pcall(coroutine.yield) return ok, err end)())`
				got = mustRun(t, src)
			}
			if !strings.Contains(got, "attempt to yield") || !strings.HasPrefix(got, "false") {
				t.Errorf("got %q", got)
			}
		})
	}
	if got := mustRun(t, `local function deep(n) if n == 0 then coroutine.yield("ok") else deep(n - 1) end end
		print(coroutine.wrap(function() deep(20) end)())`); got != "ok\n" {
		t.Errorf("a plain nested yield: %q", got)
	}
}

func TestUncaughtErrorHasTheScriptsTraceback(t *testing.T) {
	r := runLua(t, "local function inner()\n  error('oh')\nend\nlocal function outer()\n  inner()\nend\ntask.spawn(function()\n  outer()\nend)\ntask.sleep(1)\n")
	if r.err == nil || r.err.Error() != "t.lua:2: oh" {
		t.Fatalf("got %v", r.err)
	}
	trace := Traceback(r.err)
	for _, want := range []string{"t.lua:2: in function 'inner'", "t.lua:5: in function 'outer'", "t.lua:8: in function at line 7", "task spawned at t.lua:7"} {
		if !strings.Contains(trace, want) {
			t.Errorf("no %q in\n%s", want, trace)
		}
	}
}

func TestSourceLimits(t *testing.T) {
	for name, src := range map[string]string{
		"open braces":   "return " + strings.Repeat("{", 1<<20),
		"hashes":        "return " + strings.Repeat("#", 1<<20) + "x",
		"minuses":       "return " + strings.Repeat("- ", 1<<20) + "1",
		"nots":          "return " + strings.Repeat("not ", 1<<18) + "1",
		"parentheses":   "return " + strings.Repeat("(", 1<<20) + "1" + strings.Repeat(")", 1<<20),
		"blocks":        strings.Repeat("do ", 1<<19) + strings.Repeat("end ", 1<<19),
		"functions":     strings.Repeat("return function() ", 1<<17),
		"concat chain":  "return 'a'" + strings.Repeat("..'a'", 1<<19),
		"sum chain":     "return 1" + strings.Repeat("+1", 1<<20),
		"power chain":   "return 1" + strings.Repeat("^1", 1<<20),
		"call chain":    "return f" + strings.Repeat("()", 1<<20),
		"index chain":   "return f" + strings.Repeat(".a", 1<<20),
		"method chain":  "return f" + strings.Repeat(":a()", 1<<19),
		"and chain":     "return a" + strings.Repeat(" and a", 1<<18),
		"elseif chain":  "if a then" + strings.Repeat(" elseif a then", 1<<17) + " end",
		"size":          strings.Repeat(" ", 5<<20),
		"comparisons":   "return a" + strings.Repeat("<a", 1<<20),
		"string calls":  "f" + strings.Repeat("''", 1<<20),
		"table calls":   "f" + strings.Repeat("{}", 1<<20),
		"mixed nesting": strings.Repeat("f(function() return {", 1<<16),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Compile("deep.lua", "", []byte(src))
			if codeOf(err) != CodeParse {
				t.Errorf("got %v", err)
			}
		})
	}
	var long strings.Builder
	long.WriteString("local x = 1\nif x == 0 then\n")
	for i := range 300 {
		fmt.Fprintf(&long, "elseif x == %d then\n", i)
	}
	long.WriteString("end return 'a'" + strings.Repeat(" .. 'b'", 100))
	if _, err := Compile("long.lua", "", []byte(long.String())); err != nil {
		t.Errorf("an honest long script: %v", err)
	}
}

func TestParseErrorsShowWhere(t *testing.T) {
	for _, c := range []struct{ src, where, hint string }{
		{"local x = = 1", "t.lua:1:11", "local x = = 1\n          ^"},
		{"#!/usr/bin/env etcdlua\nx = )", "t.lua:2:5", "x = )\n    ^"},
		{"if x then\n", "t.lua:1:10", "if x then\n         ^"},
		{"x = 'abc", "t.lua:1:9", ""},
		{"goto nowhere", "t.lua:1:1", ""},
		{"\tlocal 1", "t.lua:1:8", "\tlocal 1\n\t      ^"},
	} {
		_, err := Compile("t.lua", "", []byte(c.src))
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeParse || e.Where != c.where || c.hint != "" && e.Hint != c.hint {
			t.Errorf("%q: %#v", c.src, e)
		}
	}
}

func TestWatchdogNamesTheLine(t *testing.T) {
	r := runLua(t, "local t = os.clock()\nwhile os.clock() - t < 1.6 do end\n")
	if r.err != nil || !strings.Contains(r.log, "held the turn") || !strings.Contains(r.log, "at=t.lua:2") {
		t.Errorf("%v, log %q", r.err, r.log)
	}
}

func TestStuckTaskIsReported(t *testing.T) {
	release := make(chan struct{})
	stuck := Module{Name: "stuck", Open: func(h *Host) lua.LValue {
		return h.NewFunction(func(L *lua.LState) int {
			_ = h.Wait(L, func(context.Context) error { <-release; return nil })
			return 0
		})
	}}
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(10*time.Millisecond, func() { cancel(errors.New("stop")) })
	r := runWith(t, ctx, Options{Grace: 50 * time.Millisecond, Modules: []Module{stuck}},
		"task.on_exit(function() print('exit ran') end)\nlocal function f()\n  stuck()\nend\nf()\n")
	close(release)
	var s *StuckError
	if !errors.As(r.err, &s) || !strings.Contains(s.Error(), "t.lua:3") || r.out != "exit ran\n" {
		t.Errorf("got %v, out %q", r.err, r.out)
	}
}

func TestExposeThroughLuar(t *testing.T) {
	type info struct {
		Name  string
		Count int
	}
	s, err := Compile("t.lua", "", []byte(`assert(info.Name == "x" and info.Count == 3) assert(double(21) == 42) info.Count = 4`))
	if err != nil {
		t.Fatal(err)
	}
	h := New(Options{})
	defer h.Close()
	shared := &info{Name: "x", Count: 3}
	h.Expose("info", shared)
	h.Expose("double", func(n int) int { return 2 * n })
	if err := h.Run(t.Context(), s); err != nil || shared.Count != 4 {
		t.Errorf("%v, %+v", err, shared)
	}
}

func TestClosedOutputEndsTheProgram(t *testing.T) {
	s, _ := Compile("t.lua", "", []byte(`task.on_exit(function() done() end) while true do print("y") task.yield() end`))
	ran := false
	h := New(Options{Stdout: brokenPipe{}, Modules: []Module{{Name: "done", Open: func(h *Host) lua.LValue {
		return h.NewFunction(func(*lua.LState) int { ran = true; return 0 })
	}}}})
	defer h.Close()
	var o *OutputError
	if err := h.Run(t.Context(), s); !errors.As(err, &o) || !ran {
		t.Errorf("got %v, on_exit ran: %v", err, ran)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestTracebackThroughCoroutines(t *testing.T) {
	r := runLua(t, `local function inner() local t; return t.x end
local outer = coroutine.wrap(function() coroutine.wrap(inner)() end)
pcall(coroutine.wrap(error), "other")
outer()`)
	want := "traceback:\n\tt.lua:1: in function at line 1\n\tt.lua:2: in function at line 2\n\t[outer]\n\tt.lua:4: in main chunk\n"
	if got := Traceback(r.err); got != want {
		t.Errorf("got %s", got)
	}
}

// What is formatted must be what C's printf gives, whatever Go's fmt makes of it.
func TestStringFormat(t *testing.T) {
	got := mustRun(t, `
		print(string.format("%u|%i|%5d|%-5d|%05d|%%|%5.2s|%.1f", 4, 3, 5, 6, 7, "abc", 0.25))
		print(#string.format("%c%c", 200, 0), string.format("%c", 200) == "\200")
		print(string.format("%f %.2f %10g|%-6.1e|%d", 1/0, -1/0, 1/0, 0/0, 3.9))`)
	want := "4|3|    5|6    |00007|%|   ab|0.2\n2\ttrue\ninf -inf        inf|nan   |3\n"
	if got != want {
		t.Errorf("got %q", got)
	}
	for format, want := range map[string]string{
		"%y": "no directive %y", "%v": "no directive %v", "%": "ends within", "%5": "ends within", "%9999d": "too long: %9999",
	} {
		r := runLua(t, `string.format("`+format+`", 1)`)
		if r.err == nil || !strings.Contains(r.err.Error(), want) {
			t.Errorf("%s: got %v", format, r.err)
		}
	}
}

// The registers can be used up before the calls are; pcall has no room for its handler then.
func TestRegisterOverflowIsAnError(t *testing.T) {
	got := mustRun(t, `
		print(pcall(function() return pcall(unpack, {}, 1, 1e7) end))
		print(pcall(task.with_timeout, 60, unpack, {}, 1, 1e7))`)
	if !strings.HasPrefix(got, "true\tfalse\tt.lua:2: stack overflow\nfalse\t") || strings.Count(got, "stack overflow\n") != 2 {
		t.Errorf("got %s", got)
	}
}

func TestNegativeTracebackLevel(t *testing.T) {
	mustRun(t, `assert(debug.traceback("m", -1/0):find("stack traceback"))`)
}

func TestTimeoutNamesTheLine(t *testing.T) {
	got := mustRun(t, "\nprint(pcall(task.with_timeout, 0, function() task.sleep(5) end))")
	if !strings.HasPrefix(got, "false\tt.lua:2: timeout: ") {
		t.Errorf("got %s", got)
	}
}

// A list that is refused starts nothing.
func TestRefusedGroupStartsNothing(t *testing.T) {
	got := mustRun(t, `
		local self
		self = task.spawn(function()
			print(pcall(task.all, {function() print("started") end, self}))
			task.yield()
		end)
		self:join()`)
	if strings.Contains(got, "started") || !strings.Contains(got, "entry 2 is the calling task itself") {
		t.Errorf("got %s", got)
	}
}

// What a scope's inner scope was stopped by from outside stops the outer one too, at once.
func TestCancelIsStickyThroughInnerScopes(t *testing.T) {
	got := mustRun(t, `
		local ok, err = pcall(task.with_timeout, 0.01, function()
			pcall(task.with_timeout, 60, function() task.sleep(60) end)
			print("went on")
		end)
		print(ok, err.code)`)
	if got != "false\ttimeout\n" {
		t.Errorf("got %q", got)
	}
}

func TestRaisedTableSpeaksForItself(t *testing.T) {
	for src, want := range map[string]string{
		`error(setmetatable({}, {__tostring = function() return "my text" end}))`:                                      "my text",
		`error(setmetatable({}, {__tostring = function() task.yield() return "my text" end}))`:                         "my text",
		`local e = setmetatable({}, {__tostring = function() return "my text" end}) task.all{function() error(e) end}`: "my text",
		`error(setmetatable({message = "m"}, {__tostring = function() error("fails") end}))`:                           "m",
	} {
		if r := runLua(t, src); r.err == nil || r.err.Error() != want {
			t.Errorf("%s: got %v", src, r.err)
		}
	}
}
