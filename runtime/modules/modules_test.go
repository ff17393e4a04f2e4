package modules

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"go.uber.org/goleak"

	"etcdlua/runtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs a script to its end.
func run(t *testing.T, ctx context.Context, log *slog.Logger, source string, more ...runtime.Module) (string, error) {
	t.Helper()
	s, err := runtime.Compile("t.lua", t.TempDir(), []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	h := runtime.New(runtime.Options{Stdout: &out, Log: log, Modules: append(All(), more...)})
	defer h.Close()
	err = h.Run(ctx, s)
	return out.String(), err
}

func TestLogLines(t *testing.T) {
	for _, c := range []struct{ call, want string }{
		{`log.info("started", {workers = 4, on = true})`, "level=INFO msg=started workers=4 on=true at=t.lua:2"},
		{`log.warn(12.5)`, "level=WARN msg=12.5 at=t.lua:2"},
		{`log.error(nil, {error = select(2, pcall(json.decode, ""))})`, `level=ERROR msg=nil error="t.lua:2: parse: json.decode: `},
		{`log.debug("not shown")`, ""},
		{`log.info("x", {bytes = "\255"})`, "bytes=\"base64:/w==\""},
		{`log.info(setmetatable({}, {__tostring = function() task.yield() return "waited" end}))`, "msg=waited"},
		{`task.spawn(log.info, "from a task"):join()`, `msg="from a task"`},
	} {
		var lines bytes.Buffer
		if _, err := run(t, t.Context(), slog.New(slog.NewTextHandler(&lines, nil)), "\n"+c.call); err != nil {
			t.Errorf("%s: %v", c.call, err)
		}
		if got := lines.String(); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s logged %q, want %q", c.call, got, c.want)
		}
	}
}

// TestFoldersAreRemoved ends programs in every way with a temporary folder in use.
func TestFoldersAreRemoved(t *testing.T) {
	for name, end := range map[string]string{
		"done": ``, "raised": `error("x")`, "exit": `os.exit(3)`, "cancelled": `task.spawn(function() stop() end) task.sleep(600)`,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out, _ := run(t, ctx, nil, `
				local dir = fs.temp_dir()
				fs.mkdir(dir .. "/a/b")
				fs.write(dir .. "/a/b/c", "")
				io.write(dir)
				`+end, stopModule(cancel))
			if _, err := os.Stat(out); out == "" || !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%q is still there: %v", out, err)
			}
		})
	}
}

func stopModule(stop func()) runtime.Module {
	return runtime.Module{Name: "stop", Open: func(h *runtime.Host) lua.LValue {
		return h.NewFunction(func(*lua.LState) int { stop(); return 0 })
	}}
}

// A write that fails half-way must leave the old file, and nothing else.
func TestWriteWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := writeWhole(path, "old", nil); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	err := writeWhole(path, strings.Repeat("new", 1000), nil)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("the write returned %v", err)
	}
	if got, err := os.ReadFile(path); string(got) != "old" {
		t.Errorf("the file holds %d bytes: %v", len(got), err)
	}
	if left, err := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestCommandEndsWithTheProgram(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	pidFile := t.TempDir() + "/pid"
	_, err := run(t, ctx, nil, fmt.Sprintf(`
		local pid = %q
		task.spawn(function()
			while not fs.exists(pid) do task.sleep("1ms") end
			stop()
		end)
		exec.run{"sh", "-c", 'echo $$ > "$0.tmp"; mv "$0.tmp" "$0"; sleep 600', pid}`, pidFile),
		stopModule(func() { cancel(errors.New("enough")) }))
	if err == nil || err.Error() != "enough" {
		t.Errorf("the end is %v", err)
	}
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("process %s is still there: %v", pid, err)
	}
}

// jsonWithoutHost is the module json for calls from Go.
func jsonWithoutHost(t testing.TB) (*jsonModule, *lua.LState) {
	h := runtime.New(runtime.Options{})
	L := lua.NewState()
	t.Cleanup(func() { L.Close(); h.Close() })
	return newJSON(h), L
}

// FuzzJSON reads any text. What is read must be JSON, and must come out of a second
// round the same; what encoding/json takes must be read, but for what we refuse on purpose.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.5,-3e2,"xé\u00e9\ud83d\ude00\n",true,false,null],"b":{}}`, `[]`, `""`, `"\ud800"`, `9007199254740993`,
		`100000000000000000000`, `-0`, `1e999`, "\ufeff1", `{"a":1,"a":2}`, `[1,]`, "\"\xff\"", `"\u0000"`, strings.Repeat("[", 1001),
	} {
		f.Add(seed)
	}
	m, L := jsonWithoutHost(f)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := m.read(L, text)
		if err != nil {
			refused := []string{"2^53", "surrogate", "nested more", "not UTF-8", "too large"}
			if json.Valid([]byte(text)) && !containsAny(err.Error(), refused) {
				t.Fatalf("%q is JSON, but: %v", text, err)
			}
			return
		}
		if plain := strings.TrimPrefix(text, "\ufeff"); !json.Valid([]byte(plain)) {
			t.Fatalf("%q was read, but is no JSON", text)
		}
		first, err := m.write(L, v, "")
		if err != nil {
			t.Fatalf("%q was read, but cannot be written: %v", text, err)
		}
		again, err := m.read(L, string(first))
		if err != nil {
			t.Fatalf("%q was written, but cannot be read: %v", first, err)
		}
		indented, err := m.write(L, again, "  ")
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, indented); err != nil || compact.String() != string(first) {
			t.Fatalf("%q became %q: %v", first, compact.String(), err)
		}
		sameAsGo(t, text, first)
	})
}

// sameAsGo compares with what encoding/json makes of the text, where it keeps the numbers.
func sameAsGo(t *testing.T, text string, ours []byte) {
	var theirs, back any
	if json.Unmarshal([]byte(text), &theirs) != nil {
		return
	}
	if err := json.Unmarshal(ours, &back); err != nil {
		t.Fatal(err)
	}
	if a, b := fmt.Sprint(theirs), fmt.Sprint(back); a != b && !strings.Contains(a, "-0") {
		t.Fatalf("%q is %s to Go, and %s after a round through Lua", text, a, b)
	}
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

func benchmarkText() string {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `,{"key":"/registry/pods/%d","value":"some text of a pod, né","revision":%d,"ratio":%d.5,"live":true,"tags":["a","b"]}`, i, i*1000, i)
	}
	return "[" + b.String()[1:] + "]"
}

func BenchmarkJSONDecode(b *testing.B) {
	m, L := jsonWithoutHost(b)
	text := benchmarkText()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := m.read(L, text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSONEncode(b *testing.B) {
	m, L := jsonWithoutHost(b)
	text := benchmarkText()
	v, err := m.read(L, text)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := m.write(L, v, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGoJSON is what encoding/json needs for the same text, into and out of any.
func BenchmarkGoJSON(b *testing.B) {
	text := []byte(benchmarkText())
	var v any
	b.Run("Unmarshal", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			v = nil
			_ = json.Unmarshal(text, &v)
		}
	})
	b.Run("Marshal", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			_, _ = json.Marshal(v)
		}
	})
}
