package runtime

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// result is what a program left behind.
type result struct {
	out, log string
	err      error
}

// runLua runs a program to its end.
func runLua(t *testing.T, src string, modules ...Module) result {
	t.Helper()
	return runWith(t, context.Background(), Options{Modules: modules}, src)
}

func runWith(t *testing.T, ctx context.Context, o Options, src string) result {
	t.Helper()
	s, err := Compile("t.lua", t.TempDir(), []byte(src))
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	var out, log bytes.Buffer
	o.Stdout = &out
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	h := New(o)
	defer h.Close()
	err = h.Run(ctx, s)
	return result{out: out.String(), log: log.String(), err: err}
}

// mustRun runs a program that must succeed, and returns its output.
func mustRun(t *testing.T, src string, modules ...Module) string {
	t.Helper()
	r := runLua(t, src, modules...)
	if r.err != nil {
		t.Fatalf("%v\n%s\noutput: %s", r.err, Traceback(r.err), r.out)
	}
	return r.out
}

// mustRunIn is mustRun for a script in a folder.
func mustRunIn(t *testing.T, dir, src string) string {
	t.Helper()
	s, err := Compile("t.lua", dir, []byte(src))
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	var out bytes.Buffer
	h := New(Options{Stdout: &out})
	defer h.Close()
	if err := h.Run(t.Context(), s); err != nil {
		t.Fatalf("%v\n%s\noutput: %s", err, Traceback(err), out.String())
	}
	return out.String()
}

// codeOf returns the code of an *Error in err.
func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestRunPrintsAndEnds(t *testing.T) {
	if got := mustRun(t, `print("a", 1, nil, true)`); got != "a\t1\tnil\ttrue\n" {
		t.Errorf("got %q", got)
	}
}

// waits lists every form in which a function that waits can be called. Each must
// print "before", "other" (another task ran meanwhile), then "after".
var waits = map[string]string{
	"plain":               `wait()`,
	"pcall":               `assert(pcall(wait))`,
	"pcall in pcall":      `assert(pcall(pcall, wait))`,
	"xpcall":              `assert(xpcall(wait, print))`,
	"error handler":       `xpcall(error, function() wait() end)`,
	"for-in iterator":     `local n = 0; for _ in function() wait(); n = n + 1; if n < 2 then return n end end do end`,
	"__index":             `local _ = setmetatable({}, {__index = function() wait() return 1 end}).x`,
	"__newindex":          `setmetatable({}, {__newindex = function() wait() end}).x = 1`,
	"__call":              `setmetatable({}, {__call = function() wait() end})()`,
	"__tostring":          `tostring(setmetatable({}, {__tostring = function() wait() return "" end}))`,
	"__concat":            `local _ = setmetatable({}, {__concat = function() wait() return "" end}) .. "x"`,
	"__eq":                `local mt = {__eq = function() wait() return true end}; local _ = setmetatable({}, mt) == setmetatable({}, mt)`,
	"table.sort":          `table.sort({3, 2, 1}, function(a, b) wait() return a < b end)`,
	"gsub":                `;("x"):gsub("x", function() wait() end)`,
	"coroutine":           `local co = coroutine.create(wait); assert(coroutine.resume(co)); assert(coroutine.status(co) == "dead")`,
	"wrap":                `coroutine.wrap(wait)()`,
	"nested coroutine":    `coroutine.wrap(function() coroutine.wrap(wait)() end)()`,
	"pcall in coroutine":  `coroutine.wrap(function() assert(pcall(wait)) end)()`,
	"coroutine, yielding": `local co = coroutine.wrap(function() coroutine.yield(1); wait(); coroutine.yield(2) end); co() assert(co() == 2)`,
	"load":                `load("wait()")()`,
	"dofile":              `local f = assert(io.open(dir .. "/d.lua", "w")) f:write("wait()") f:close() dofile(dir .. "/d.lua")`,
	"require":             `local f = assert(io.open(dir .. "/waits.lua", "w")) f:write("wait() return 1") f:close() require "waits"`,
	"finally":             `task.with_timeout(10, function() task.finally(wait) end)`,
	"with_timeout":        `task.with_timeout(10, wait)`,
	"mutex":               `task.mutex():with(wait)`,
	"spawn and join":      `task.spawn(wait):join()`,
	"task.all":            `task.all{wait}`,
}

func TestWaitWorksInEveryForm(t *testing.T) {
	for name, form := range waits {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			got := mustRunIn(t, dir, `
				local dir = "`+dir+`"
				function wait() for _ = 1, 3 do task.yield() end end
				task.spawn(function() print("other") end)
				print("before")
				`+form+`
				print("after")`)
			if got != "before\nother\nafter\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// Cleanup may wait too, although its task, and the whole program, are cancelled.
func TestCleanupMayWait(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := Module{Name: "stop", Open: func(h *Host) lua.LValue {
		return h.NewFunction(func(*lua.LState) int { cancel(errors.New("stop")); return 0 })
	}}
	r := runWith(t, ctx, Options{Modules: []Module{stop}}, `
		task.on_exit(function() print("exit 1") task.sleep("1ms") print("exit 2") end)
		task.on_exit(function() print("exit first") error("is logged") end)
		task.finally(function()
			task.sleep("1ms")
			print("finally", task.spawn(function() task.yield() return "spawned" end):join())
		end)
		stop()
		task.sleep(60)
		print("never")`)
	if r.out != "finally\tspawned\nexit first\nexit 1\nexit 2\n" || r.err == nil || r.err.Error() != "stop" {
		t.Errorf("%v, %q", r.err, r.out)
	}
	if !strings.Contains(r.log, "is logged") {
		t.Errorf("the log is %q", r.log)
	}
}

func TestExitWins(t *testing.T) {
	for src, want := range map[string]int{
		`os.exit(7)`:                       7,
		`os.exit()`:                        0,
		`os.exit(false)`:                   1,
		`pcall(os.exit, 3) error("never")`: 3,
		`task.on_exit(function() os.exit(5) end) error("x")`:                   5,
		`task.spawn(function() os.exit(4) end) while true do task.yield() end`: 4,
		`coroutine.wrap(function() os.exit(6) end)() error("never")`:           6,
	} {
		r := runLua(t, src)
		if code, ok := ExitCode(r.err); !ok || code != want {
			t.Errorf("%s: %v", src, r.err)
		}
	}
}
