package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/term"
)

// killAfter is how long a process has to end by itself after it was asked to (TERM), and
// its output to end after the process has: something that it started may hold that for ever.
const killAfter = 2 * time.Second

// Process is a command that ends with its context: its process group is sent TERM then,
// and KILL two seconds later. Set Cmd's streams, Env and Dir, then call Start and, always,
// Wait; or Run. Nothing of it needs the turn.
type Process struct {
	Cmd   *exec.Cmd
	ctx   context.Context
	group bool
}

// NewProcess prepares a command; name is looked up as a shell would. Every process that a
// script starts comes from here. It gets a process group of its own, unless it shares the
// terminal with this program, which would stop it as soon as it reads: then the
// signals go to the process alone.
func (h *Host) NewProcess(ctx context.Context, shareTerminal bool, name string, args ...string) *Process {
	p := &Process{Cmd: exec.CommandContext(ctx, name, args...), ctx: ctx}
	p.group = !shareTerminal || !isTerminal(h.opts.Stdin)
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: p.group}
	p.Cmd.WaitDelay = killAfter // then the process itself is sent KILL, and Wait sees to its group
	p.Cmd.Cancel = func() error { return p.signal(syscall.SIGTERM) }
	return p
}

func isTerminal(r io.Reader) (yes bool) {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	err = conn.Control(func(fd uintptr) { yes = term.IsTerminal(int(fd)) })
	return yes && err == nil
}

func (p *Process) signal(s syscall.Signal) error {
	pid := p.Cmd.Process.Pid
	if p.group {
		pid = -pid
	}
	if err := syscall.Kill(pid, s); err != nil {
		return os.ErrProcessDone // so that Wait reports how it ended
	}
	return nil
}

// Start starts it. The error is an *Error with code not_found when there is no such
// command, else io.
func (p *Process) Start(op string) error {
	err := p.Cmd.Start()
	if err == nil {
		return nil
	}
	name := p.Cmd.Args[0]
	var e *Error
	switch {
	case p.ctx.Err() != nil:
		return context.Cause(p.ctx)
	case p.Cmd.Dir != "" && !isFolder(p.Cmd.Dir):
		e = Errorf(CodeIO, op, "%s: dir %q is not a folder", op, p.Cmd.Dir)
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		e = Errorf(CodeNotFound, op, "%s: there is no command %q", op, name).
			WithHint("without a / in it, a command is looked up in PATH; there is no shell")
	default:
		e = Errorf(CodeIO, op, "%s: cannot run %s: %s", op, name, reason(err))
	}
	e.Key, e.Err = name, err
	return e
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Wait waits until the process has ended and its output was read, and returns its exit
// code, 128 and the signal's number when a signal ended it. What it left behind that still
// holds its output two seconds later is killed. After the context has ended, the error is
// its cause, and nothing of the process group is left.
func (p *Process) Wait() (code int, err error) {
	err = p.Cmd.Wait()
	if p.ctx.Err() != nil || errors.Is(err, exec.ErrWaitDelay) {
		if p.group {
			_ = p.signal(syscall.SIGKILL)
		}
	}
	if p.ctx.Err() != nil {
		return 0, context.Cause(p.ctx)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return 0, err
	}
	if ws, ok := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return p.Cmd.ProcessState.ExitCode(), nil
}

// Run is Start and Wait.
func (p *Process) Run(op string) (code int, err error) {
	if err := p.Start(op); err != nil {
		return 0, err
	}
	return p.Wait()
}

// shareStreams gives the process this program's streams. Those that are no files are not
// read, and are written with what the returned function delivers: call it with the turn
// held, after the process has ended.
func (h *Host) shareStreams(p *Process) (deliver func()) {
	if f, ok := h.opts.Stdin.(*os.File); ok {
		p.Cmd.Stdin = f
	}
	var out, errs bytes.Buffer
	p.Cmd.Stdout, p.Cmd.Stderr = &out, &errs
	if f, ok := h.opts.Stdout.(*os.File); ok {
		p.Cmd.Stdout = f
	}
	if f, ok := h.opts.Stderr.(*os.File); ok {
		p.Cmd.Stderr = f
	}
	return func() {
		if out.Len() > 0 {
			_, _ = h.Stdout().Write(out.Bytes())
		}
		if errs.Len() > 0 {
			_, _ = h.Stderr().Write(errs.Bytes())
		}
	}
}

// shell runs a command line with /bin/sh, as os.execute and io.popen do.
func (h *Host) shell(ctx context.Context, line string) *Process {
	return h.NewProcess(ctx, true, "/bin/sh", "-c", line)
}

// reason is the innermost cause of a file system error, as C's strerror words it.
func reason(err error) string {
	text := err.Error()
	var errno syscall.Errno
	if errors.As(err, &errno) {
		text = errno.Error()
	} else {
		for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
			text = inner.Error()
		}
	}
	return text
}

// errnoOf is the number that goes with it.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return syscall.EIO
}

// FileError is the *Error, with code io, for a file system error: what was being done, to
// what, and why it failed.
func FileError(op, path string, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeIO, Op: op, Key: path, Message: fmt.Sprintf("%s: %s: %s", op, path, reason(err)), Err: err}
}
