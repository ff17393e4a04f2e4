package runtime

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

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
	"finally":             `task.with_timeout(10, function() task.finally(wait) end)`,
	"with_timeout":        `task.with_timeout(10, wait)`,
	"mutex":               `task.mutex():with(wait)`,
	"spawn and join":      `task.spawn(wait):join()`,
	"task.all":            `task.all{wait}`,
}

func TestWaitWorksInEveryForm(t *testing.T) {
	for name, form := range waits {
		t.Run(name, func(t *testing.T) {
			if name == "dofile" {
				form = strings.ReplaceAll(form, "dir", `"`+t.TempDir()+`"`)
			}
			got := mustRun(t, `
				local turns = 0
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
