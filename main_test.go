package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the program itself when it is started by the name etcdlua.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"etcdlua": main})
}

// TestCLI runs what a shell can see. Beside testscript's own commands there are
//
//	code N COMMAND…           runs it; it must end with exit code N
//	start NAME COMMAND…       runs it in the background
//	await NAME REGEXP         waits until a line of its output matches
//	signal NAME INT|TERM|HUP  sends it a signal
//	ended NAME N              waits for its end, with exit code N; its output is then
//	                          in NAME.out and NAME.err
//	clean                     the temporary folder is empty
//
// and the variable SCRIPTS, a folder with a copy of the ready-made scripts.
func TestCLI(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testscripts/cli",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Values[backgroundKey{}] = map[string]*background{}
			e.Setenv("HOME", e.WorkDir)
			// A copy: go test sees what the test itself reads, and runs again when that changes.
			e.Setenv("SCRIPTS", filepath.Join(e.WorkDir, "scripts"))
			return os.CopyFS(e.Getenv("SCRIPTS"), os.DirFS("scripts"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "start": start, "await": await, "signal": sendSignal, "ended": ended, "clean": clean,
		},
	})
}

func code(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCodeOf(ts, ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func exitCodeOf(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		ts.Fatalf("%v", err)
	case !exit.Exited():
		ts.Fatalf("it was killed: %v", exit)
	}
	return exit.ExitCode()
}

type backgroundKey struct{}

// background is a program that runs beside the script.
type background struct {
	cmd      *exec.Cmd
	out, err lines
	done     chan error
}

// lines collects output, and lets others wait for more of it.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed and replaced when there is more
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return l.text.Write(p)
}

// look returns what there is, and a channel that is closed when there is more.
func (l *lines) look() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return l.text.String(), l.more
}

func start(ts *testscript.TestScript, _ bool, args []string) {
	b := &background{done: make(chan error, 1)}
	b.cmd = exec.Command(args[1], args[2:]...)
	b.cmd.Dir, b.cmd.Env = ts.MkAbs("."), environ(ts)
	b.cmd.Stdout, b.cmd.Stderr = &b.out, &b.err
	ts.Check(b.cmd.Start())
	go func() { b.done <- b.cmd.Wait() }()
	ts.Value(backgroundKey{}).(map[string]*background)[args[0]] = b
	ts.Defer(func() { _ = b.cmd.Process.Kill() }) // it has ended, or the test has failed
}

// environ is the script's environment, which testscript does not hand out.
func environ(ts *testscript.TestScript) []string {
	var list []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "WORK", "SCRIPTS", "ETCDCTL_ENDPOINTS", "GOCOVERDIR"} {
		if v := ts.Getenv(name); v != "" {
			list = append(list, name+"="+v)
		}
	}
	return list
}

func named(ts *testscript.TestScript, name string) *background {
	b := ts.Value(backgroundKey{}).(map[string]*background)[name]
	if b == nil {
		ts.Fatalf("nothing is called %s", name)
	}
	return b
}

// patience is how long a test waits for what must come: long, as a machine may be slow.
const patience = time.Minute

func await(ts *testscript.TestScript, _ bool, args []string) {
	b, pattern := named(ts, args[0]), regexp.MustCompile("(?m)"+args[1])
	giveUp := time.After(patience)
	for {
		out, moreOut := b.out.look()
		errors, moreErr := b.err.look()
		if m := pattern.FindStringSubmatch(out + "\n" + errors); m != nil {
			if len(m) > 1 { // the group is for the lines that follow
				ts.Setenv("MATCH", m[1])
			}
			return
		}
		select {
		case <-moreOut:
		case <-moreErr:
		case err := <-b.done:
			b.done <- err
			if out, _ := b.out.look(); pattern.MatchString(out) {
				return
			}
			ts.Fatalf("%s ended (%v) without %q:\n%s%s", args[0], err, args[1], out, errors)
		case <-giveUp:
			ts.Fatalf("%s does not say %q:\n%s%s", args[0], args[1], out, errors)
		}
	}
}

func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}
	ts.Check(named(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

func ended(ts *testscript.TestScript, _ bool, args []string) {
	b := named(ts, args[0])
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	select {
	case err = <-b.done:
	case <-time.After(patience):
		ts.Fatalf("%s does not end", args[0])
	}
	b.done <- err
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), b.out.text.Bytes(), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), b.err.text.Bytes(), 0o644))
	if got := exitCodeOf(ts, err); got != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", got, want, b.out.text.String(), b.err.text.String())
	}
}

func clean(ts *testscript.TestScript, _ bool, _ []string) {
	left, err := filepath.Glob(filepath.Join(ts.Getenv("TMPDIR"), "*"))
	ts.Check(err)
	if len(left) > 0 {
		ts.Fatalf("left behind: %s", strings.Join(left, " "))
	}
}
