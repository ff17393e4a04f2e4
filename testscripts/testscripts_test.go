// Package testscripts runs the scripts in this folder: what a script can see, tested by
// scripts. Each gets a host with all modules, an embedded etcd shared by all, the global
// PREFIX, a key prefix of its own, and expect (support/expect.lua). A script fails when it
// raises.
package testscripts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
	"etcdlua/runtime"
	"etcdlua/runtime/modules"
	"etcdlua/runtime/modules/etcd"
)

func TestMain(m *testing.M) { etcdtest.Main(m) }

// within is how long a script may run: one that hangs fails with its traceback.
const within = time.Minute

// stdin is what the scripts find on their standard input.
const stdin = "first line\n 42 0x1F nonsense\nthe\nrest"

// all lists the modules that a script has when it runs against etcd.
func all(c *etcdapi.Client) []runtime.Module {
	return append([]runtime.Module{etcd.Module(c)}, modules.All()...)
}

// documented lists the modules with a types file: all of them, and task, which is always there.
func documented(c *etcdapi.Client) []runtime.Module {
	return append([]runtime.Module{runtime.TaskModule}, all(c)...)
}

// run runs a script to its end and fails the test when it raises.
func run(t *testing.T, list []runtime.Module, s *runtime.Script) (out string) {
	t.Helper()
	out, _ = runLogged(t, list, s)
	return out
}

func runLogged(t *testing.T, list []runtime.Module, s *runtime.Script) (out, logged string) {
	t.Helper()
	out, stderr, logged, err := outcome(t, list, s)
	if err != nil {
		t.Errorf("%v\n%s\nstdout:\n%s\nstderr:\n%s\nlog:\n%s", err, runtime.Traceback(err), out, stderr, logged)
	}
	return out, logged
}

// outcome runs a script to its end, and returns what became of it.
func outcome(t *testing.T, list []runtime.Module, s *runtime.Script) (out, errs, logged string, err error) {
	t.Helper()
	var stdout, stderr, log bytes.Buffer
	h := runtime.New(runtime.Options{
		Args: []string{"one", "two"}, Stdin: strings.NewReader(stdin), Stdout: &stdout, Stderr: &stderr,
		Log: slog.New(slog.NewTextHandler(&log, nil)), Modules: list,
	})
	defer h.Close()
	h.SetGlobal("PREFIX", lua.LString(etcdtest.Prefix(t)))
	ctx, cancel := context.WithTimeoutCause(t.Context(), within, errors.New("the script runs for too long"))
	defer cancel()
	err = h.Run(ctx, s)
	return stdout.String(), stderr.String(), log.String(), err
}

func compile(t *testing.T, name, source string) *runtime.Script {
	t.Helper()
	s, err := runtime.Compile(name, ".", []byte(source))
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	return s
}

func client(t *testing.T) *etcdapi.Client { return etcdtest.Client(t) }

func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("*.lua")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found %d scripts: %v", len(paths), err)
	}
	c := client(t)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(path, ".lua"), func(t *testing.T) {
			t.Parallel()
			run(t, all(c), compile(t, "testscripts", fmt.Sprintf(`expect = require "./support/expect"  dofile(%q)`, path)))
		})
	}
}

// The folder holds a json.lua, which require "json" does not return.
func TestFileWithTheNameOfAModule(t *testing.T) {
	_, logged := runLogged(t, modules.All(), compile(t, "shadow", `
		assert(require("json") == json and require("json") == json)`))
	if strings.Count(logged, "a file has the name of a built-in module") != 1 || !strings.Contains(logged, "require=./json") {
		t.Errorf("logged %q", logged)
	}
}
