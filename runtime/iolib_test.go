package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// function makes a module of one name that calls f.
func function(name string, f func()) Module {
	return Module{Name: name, Open: func(h *Host) lua.LValue {
		return h.NewFunction(func(*lua.LState) int { f(); return 0 })
	}}
}

func TestStdinWaitsWithoutTheTurn(t *testing.T) {
	r, w := io.Pipe()
	feed := function("feed", func() { go func() { _, _ = w.Write([]byte("typed\nmore\n")); _ = w.Close() }() })
	var out bytes.Buffer
	s := mustCompile(t, `
		local reader = task.spawn(io.read)
		task.yield()
		print(pcall(task.with_timeout, "5ms", io.read)) -- waits behind the other
		reader:cancel()
		print(pcall(reader.join, reader))
		feed()
		print(io.read("l", "a"))`)
	h := New(Options{Stdin: r, Stdout: &out, Modules: []Module{feed}})
	defer h.Close()
	if err := h.Run(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if !strings.Contains(lines[0], "timeout") || !strings.Contains(lines[1], "cancelled") || lines[2] != "typed\tmore" {
		t.Errorf("got %q", out.String())
	}
}

// A read of standard input that nobody answers must not keep the program from ending.
func TestEndWhileStdinBlocks(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close() // ends the read that was left behind
	ctx, cancel := context.WithCancelCause(context.Background())
	o := Options{Stdin: r, Modules: []Module{function("stop", func() { cancel(errors.New("enough")) })}}
	res := runWith(t, ctx, o, `
		task.on_exit(function() print("cleaned up") end)
		task.spawn(function() task.yield() stop() end)
		io.read()`)
	if res.err == nil || res.err.Error() != "enough" || res.out != "cleaned up\n" {
		t.Errorf("got %v, %q", res.err, res.out)
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestClosedOutputEndsProgramsThatWrite(t *testing.T) {
	for _, write := range []string{`io.write("x")`, `io.stdout:write("x"):flush()`, `print("x")`} {
		h := New(Options{Stdout: closedPipe{}})
		err := h.Run(context.Background(), mustCompile(t, `while true do `+write+` task.yield() end`))
		h.Close()
		var closed *OutputError
		if !errors.As(err, &closed) || !errors.Is(err, syscall.EPIPE) {
			t.Errorf("%s: the end is %v", write, err)
		}
	}
}

func TestWritesKeepTheirOrder(t *testing.T) {
	got := mustRun(t, `
		io.write("a")
		print("b")
		os.execute("echo c")
		io.stdout:write("d\n")
		local p = io.popen("cat", "w")
		p:write("e\n")
		p:close()
		print("f")`)
	if got != "ab\nc\nd\ne\nf\n" {
		t.Errorf("got %q", got)
	}
}

// TestWhatIsLeftOpen ends programs in every way with files and commands left open.
func TestWhatIsLeftOpen(t *testing.T) {
	for name, end := range map[string]string{
		"done": ``, "raised": `error("x")`, "exit": `os.exit(3)`, "cancelled": `task.spawn(function() stop() end) task.sleep(600)`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			runWith(t, ctx, Options{Modules: []Module{function("stop", cancel)}}, fmt.Sprintf(`
				local dir = %q
				io.open(dir .. "/file", "w"):write("held back")
				io.popen("cat > " .. dir .. "/sink", "w"):write("to a command")
				local p = io.popen("echo $$; trap '' HUP; sleep 600")
				io.open(dir .. "/pid", "w"):write(p:read())
				`, dir)+end)
			for file, want := range map[string]string{"file": "held back", "sink": "to a command"} {
				if got, err := os.ReadFile(filepath.Join(dir, file)); string(got) != want {
					t.Errorf("%s holds %q: %v", file, got, err)
				}
			}
			pid, err := os.ReadFile(filepath.Join(dir, "pid"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat("/proc/" + string(pid)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("process %s is still there: %v", pid, err)
			}
			noOpenFile(t, dir)
		})
	}
}

// noOpenFile fails when this process has a file below dir open.
func noOpenFile(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("no /proc: %v", err)
	}
	for _, e := range entries {
		if target, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(target, dir) {
			t.Errorf("%s is still open", target)
		}
	}
}

func mustCompile(t *testing.T, src string) *Script {
	t.Helper()
	s, err := Compile("t.lua", t.TempDir(), []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
