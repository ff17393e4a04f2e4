package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"etcdlua/runtime"
)

func (p *program) runCommand() *command {
	return &command{
		name: "run", args: "FILE|- [args…]", short: "Runs a Lua script against etcd.",
		long: `
The script is compiled first, then etcd is connected to, then the script runs
until no task, timer or watch of it is left. Without any endpoint it runs on a
throw-away etcd inside this process. FILE "-" is standard input. What follows
FILE is the script's: its table args. A file that begins with the line

  #!/usr/bin/env -S etcdlua run --

and is executable is a command of its own; -- makes all its arguments its own.`,
		examples: []string{
			"etcdlua run scripts/tour.lua",
			"etcdlua run --endpoints 10.0.0.1:2379,10.0.0.2:2379 job.lua a b",
			"etcdlua run --timeout 30s job.lua -- --timeout 5s  # the second is its own",
			"echo 'print(etcd.status().version)' | etcdlua run -",
		},
		exits: allExits(), groups: connecting | running, script: true,
		run: (*call).runFile,
	}
}

func (c *call) runFile() error {
	if len(c.args) == 0 {
		return usageErrorf("run needs a FILE, or - for standard input").withHint("etcdlua run --help shows examples")
	}
	src, name, dir, err := c.readScript(c.args[0])
	if err != nil {
		return err
	}
	script, err := runtime.Compile(name, dir, src)
	if err != nil {
		return &codedError{code: exitUsage, err: err}
	}
	runbook := ""
	if runtime.CallsAtTop(src, "runbook") {
		runbook = name
	}
	return c.explain(c.execute(script, runbook, c.args[1:]), name, src)
}

// readScript reads the script: its source, its name in messages, and its folder.
func (c *call) readScript(path string) (src []byte, name, dir string, err error) {
	switch path {
	case "":
		return nil, "", "", usageErrorf("the FILE to run is an empty string").withHint("is a variable of your shell not set?")
	case "-":
		src, err := interruptible(c.ctx, func() ([]byte, error) { return io.ReadAll(c.streams.In) })
		if c.ctx.Err() != nil {
			return nil, "", "", context.Cause(c.ctx)
		}
		if err != nil {
			return nil, "", "", usageErrorf("cannot read the script from standard input: %v", err)
		}
		return src, "stdin", "", nil
	}
	src, err = runtime.ReadSource(path)
	if err != nil {
		e := &codedError{code: exitUsage, err: err}
		if near := nearestScript(path); near != "" {
			e.hint = "did you mean " + near + "?"
		}
		return nil, "", "", e
	}
	return src, path, filepath.Dir(path), nil
}

// interruptible runs a read that nothing can stop, of a terminal or of a pipe, and leaves
// it behind when ctx ends: the program ends then.
func interruptible[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	donec := make(chan result, 1)
	go func() {
		value, err := read()
		donec <- result{value, err}
	}()
	select {
	case r := <-donec:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// nearestScript returns the Lua file in the same folder that a missing one is a slip of.
func nearestScript(path string) string {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return ""
	}
	if _, err := os.Stat(path + ".lua"); err == nil {
		return path + ".lua"
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.lua"))
	if err != nil {
		return ""
	}
	var names []string // without their ending, which would make everything near to everything
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".lua"))
	}
	near := runtime.Nearest(strings.TrimSuffix(filepath.Base(path), ".lua"), names)
	if near == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(path), near+".lua")
}

func (p *program) evalCommand() *command {
	return &command{
		name: "eval", args: "CODE [args…]", short: "Runs Lua code that is given as an argument.",
		long: `
As run does with a file. What follows CODE is the code's: its table args.`,
		examples: []string{
			`etcdlua eval 'print(etcd.get("/config/mode"))'`,
			`etcdlua eval 'for k, v in etcd.prefix(args[1]) do print(k, v) end' /config/`,
		},
		exits: allExits(), groups: connecting | running, script: true,
		run: (*call).eval,
	}
}

func (c *call) eval() error {
	if len(c.args) == 0 {
		return usageErrorf("eval needs the CODE to run").withHint("etcdlua eval 'print(etcd.status().version)'")
	}
	src := []byte(c.args[0])
	if len(src) == 0 {
		return usageErrorf("the CODE to run is an empty string").withHint("is a variable of your shell not set?")
	}
	script, err := runtime.Compile("eval", "", src)
	if err != nil {
		e := &codedError{code: exitUsage, err: err}
		if _, bad := runtime.Compile("eval", "", append([]byte("return "), src...)); bad == nil {
			e.hint = "that is an expression: print(…) shows its value"
		}
		return e
	}
	return c.explain(c.execute(script, "", c.args[1:]), "eval", src)
}

// execute connects and runs a script to its end, with all that it started.
func (c *call) execute(script *runtime.Script, runbook string, args []string) error {
	limit, err := durationFlag(c.flags, "timeout")
	if err != nil {
		return err
	}
	grace, err := durationFlag(c.flags, "grace")
	if err != nil {
		return err
	}
	ctx, cancel := withLimit(c.ctx, limit)
	defer cancel()
	conn, err := c.connect(ctx, runbook)
	if err != nil {
		return err
	}
	err = c.runScript(ctx, script, conn, grace, args)
	if closeErr := conn.close(); closeErr != nil {
		c.log.Warn("closing the connection", "error", closeErr)
	}
	return err
}

// withLimit bounds the run by --timeout.
func withLimit(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, limit, &runtime.Error{
		Code: runtime.CodeTimeout, Message: fmt.Sprintf("the run took longer than --timeout %v", limit)})
}

func (c *call) runScript(ctx context.Context, script *runtime.Script, conn *connection, grace time.Duration, args []string) error {
	host := runtime.New(runtime.Options{
		Args: args, Stdin: c.streams.In, Stdout: c.streams.Out, Stderr: c.streams.Err,
		Flush: c.streams.OutTerminal, Log: c.log, Grace: grace, Modules: modulesFor(conn.client),
	})
	err := host.Run(ctx, script)
	var stuck *runtime.StuckError
	if _, panicked := runtime.PanicStack(err); !panicked && !errors.As(err, &stuck) {
		host.Close() // a state that somebody may still use is left to the end of the process
	}
	return err
}

// explain adds to Lua's "attempt to call a non-function object" the name in that line
// that nothing defines, if there is one.
func (c *call) explain(err error, name string, src []byte) error {
	var raised *runtime.Raised
	if !errors.As(err, &raised) || !strings.Contains(raised.Error(), ": attempt to ") {
		return err
	}
	problems, checkErr := runtime.Check(name, src, knownNames())
	if checkErr != nil {
		return err
	}
	for _, p := range problems {
		if strings.HasPrefix(raised.Error(), fmt.Sprintf("%s:%d: ", name, p.Line)) {
			return &codedError{code: exitCode(err), err: err, hint: p.Message}
		}
	}
	return err
}
