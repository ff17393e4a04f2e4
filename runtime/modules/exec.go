package modules

import (
	"bytes"
	"context"
	_ "embed" // the types file
	"math"
	"os"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed exec.lua
var execTypes string

const (
	// maxCapture bounds what a command may write to each of its outputs.
	maxCapture = 64 << 20
	// tailLines and tailBytes bound what an error quotes of a command's standard error.
	tailLines, tailBytes = 5, 1000
)

func openExec(h *runtime.Host) lua.LValue {
	m := &execModule{h: h}
	return h.NewModule("exec", runtime.Methods{"run": m.run})
}

type execModule struct{ h *runtime.Host }

type execOptions struct {
	Stdin   string        `lua:"stdin"`
	Env     *lua.LTable   `lua:"env"`
	Dir     string        `lua:"dir"`
	Timeout time.Duration `lua:"timeout"`
	Check   bool          `lua:"check"`
}

// execution is a command with all that it needs, free of Lua.
type execution struct {
	argv        []string
	env         []string
	stdin, dir  string
	timeout     time.Duration
	out, errOut capture
	code        int
}

func (m *execModule) run(L *lua.LState) int {
	const name = "exec.run"
	x, check := readCommand(L, name)
	if err := m.h.Wait(L, func(ctx context.Context) error { return m.start(ctx, name, x) }); err != nil {
		runtime.Raise(L, err)
	}
	if check && x.code != 0 {
		e := runtime.Errorf(runtime.CodeExitStatus, name, "%s: %s ended with exit code %d", name, x.argv[0], x.code)
		if tail := lastLines(x.errOut.data); tail != "" {
			e.Message += ": " + tail
		}
		e.Key = x.argv[0]
		runtime.Raise(L, e.WithHint("check = false returns the exit code instead of raising"))
	}
	result := L.CreateTable(0, 3)
	result.RawSetString("code", lua.LNumber(x.code))
	result.RawSetString("stdout", lua.LString(x.out.data))
	result.RawSetString("stderr", lua.LString(x.errOut.data))
	L.Push(result)
	return 1
}

// readCommand takes the one argument apart: the list is the command, the names are options.
func readCommand(L *lua.LState, name string) (*execution, bool) {
	var command *lua.LTable
	runtime.Unpack(L, name, "command", &command)
	x := &execution{}
	named := L.NewTable()
	command.ForEach(func(k, v lua.LValue) {
		if n, ok := k.(lua.LNumber); !ok || n < 1 || math.Trunc(float64(n)) != float64(n) {
			named.RawSet(k, v)
		}
	})
	for i := 1; i <= command.Len(); i++ {
		x.argv = append(x.argv, argument(L, name, i, command.RawGetInt(i)))
	}
	if len(x.argv) == 0 || x.argv[0] == "" {
		runtime.Raise(L, runtime.Errorf(runtime.CodeInvalidArgument, name, "%s: the command is missing", name).
			WithHint(`exec.run{"ls", "-l", dir = "/"}: the command and its arguments are the list, options are named`))
	}
	o := execOptions{Check: true}
	L.SetTop(0)
	L.Push(named)
	runtime.Unpack(L, name, "options", &o)
	x.stdin, x.dir, x.timeout = o.Stdin, o.Dir, o.Timeout
	if o.Env != nil {
		x.env = variables(L, name, o.Env)
	}
	return x, o.Check
}

func argument(L *lua.LState, name string, i int, v lua.LValue) string {
	if !lua.LVCanConvToString(v) {
		runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: argument %d of the command must be a string, not a %s", name, i, v.Type())
	}
	if strings.Contains(v.String(), "\x00") {
		runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: argument %d of the command holds a zero byte, which no process can be given", name, i)
	}
	return v.String()
}

// variables adds those of the table to the program's own.
func variables(L *lua.LState, name string, table *lua.LTable) []string {
	env := os.Environ()
	table.ForEach(func(k, v lua.LValue) {
		key, ok := k.(lua.LString)
		if !ok || key == "" || strings.ContainsAny(string(key), "=\x00") || !lua.LVCanConvToString(v) || strings.Contains(v.String(), "\x00") {
			runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: option env must map names of variables to strings, not %s to a %s",
				name, keyText(k), v.Type())
		}
		env = append(env, string(key)+"="+v.String())
	})
	return env
}

// start runs the command to its end; it is where this module reaches out.
func (m *execModule) start(ctx context.Context, name string, x *execution) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if x.timeout > 0 {
		expired := runtime.Errorf(runtime.CodeTimeout, name, "%s: %s did not end within %s and was stopped", name, x.argv[0], x.timeout)
		expired.Key = x.argv[0]
		defer m.h.Clock.AfterFunc(x.timeout, func() { cancel(expired) }).Stop()
	}
	tooMuch := func() {
		cancel(runtime.Errorf(runtime.CodeLimitExceeded, name, "%s: %s wrote more than %d bytes and was stopped", name, x.argv[0], maxCapture).
			WithHint("let it write to a file"))
	}
	x.out.full, x.errOut.full = tooMuch, tooMuch
	p := m.h.NewProcess(ctx, false, x.argv[0], x.argv[1:]...)
	p.Cmd.Env, p.Cmd.Dir = x.env, x.dir
	p.Cmd.Stdout, p.Cmd.Stderr = &x.out, &x.errOut
	if x.stdin != "" {
		p.Cmd.Stdin = strings.NewReader(x.stdin)
	}
	var err error
	x.code, err = p.Run(name)
	if err != nil {
		return runtime.AsError(name, runtime.CodeIO, err)
	}
	return nil
}

// capture keeps what a process writes, up to maxCapture; then it calls full.
type capture struct {
	data []byte
	full func()
}

func (c *capture) Write(p []byte) (int, error) {
	if len(c.data)+len(p) > maxCapture {
		c.full()
		return len(p), nil // the rest of it is not looked at
	}
	c.data = append(c.data, p...)
	return len(p), nil
}

// lastLines is the end of what a command wrote to its standard error.
func lastLines(text []byte) string {
	text = bytes.TrimSpace(text)
	if len(text) > tailBytes {
		text = text[len(text)-tailBytes:]
	}
	lines := bytes.Split(text, []byte("\n"))
	lines = lines[max(0, len(lines)-tailLines):]
	return strings.ToValidUTF8(string(bytes.Join(lines, []byte("\n"))), "?")
}
