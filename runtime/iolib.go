package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	lua "github.com/yuin/gopher-lua"
)

// ioLib is Lua's io. The stock one blocks while it holds the turn; here a read, a write
// and a process wait like everything else, and end with their task's cancel. What a
// script leaves open is closed when the program ends.
type ioLib struct {
	h       *Host
	files   *Type[*file]
	open    map[*file]struct{}       // to be closed at the end
	in, out *file                    // what io.read and io.write use
	objects map[*file]*lua.LUserData // the defaults, so that io.output() is the same object each time
}

func (h *Host) openIO() {
	lib := &ioLib{h: h, open: map[*file]struct{}{}, objects: map[*file]*lua.LUserData{}}
	lib.files = NewType[*file](h, "file", Methods{
		"read": lib.fileRead, "write": lib.fileWrite, "lines": lib.fileLines, "close": lib.fileClose,
		"flush": lib.fileFlush, "seek": lib.fileSeek, "setvbuf": lib.fileSetvbuf,
	})
	lib.files.String = func(f *file) string {
		if f.closed {
			return "file (closed)"
		}
		return fmt.Sprintf("file (%p)", f)
	}
	lib.in = &file{lib: lib, name: "stdin", std: true, source: newStdinReader(h.opts.Stdin)}
	lib.out = &file{lib: lib, name: "stdout", std: true, sink: h.Stdout()}
	errs := &file{lib: lib, name: "stderr", std: true, sink: h.Stderr(), buffering: "no"}
	t := h.state.NewTable()
	h.state.SetGlobal("io", t)
	for _, f := range []*file{lib.in, lib.out, errs} {
		t.RawSetString(f.name, lib.object(f))
	}
	h.setAll("io", Methods{
		"open": lib.ioOpen, "popen": lib.ioPopen, "close": lib.ioClose, "read": lib.ioRead, "write": lib.ioWrite,
		"lines": lib.ioLines, "input": lib.ioInput, "output": lib.ioOutput, "type": lib.ioType,
	})
	h.OnClose(lib.closeAll)
}

// object returns the one object of a file.
func (lib *ioLib) object(f *file) *lua.LUserData {
	ud, ok := lib.objects[f]
	if !ok {
		ud = lib.files.New(f)
		lib.objects[f] = ud
	}
	return ud
}

// closeAll ends what the script left open, after its last task has ended. A command that
// reads from the script gets what was written and two seconds to finish, another is ended.
func (lib *ioLib) closeAll(ctx context.Context) {
	for f := range lib.open {
		if f.process != nil && f.readable {
			f.stop(errProgramEnded)
		}
	}
	for f := range lib.open {
		if f.process != nil {
			lib.endProcess(ctx, f)
		} else if err := f.finish(ctx); err != nil {
			lib.h.Log.Error("a file that the script left open could not be written", "file", f.name, "error", reason(err))
		}
	}
}

func (lib *ioLib) endProcess(ctx context.Context, f *file) {
	patience, cancel := lib.h.Clock.WithTimeout(ctx, killAfter)
	defer cancel()
	_ = f.finish(patience)
	f.stop(errProgramEnded)
	select {
	case <-f.ended:
		f.deliver()
	case <-ctx.Done(): // no time is left to wait for its end
		_ = f.process.signal(syscall.SIGKILL)
	}
}

// modes are what io.open knows, as the flags of open(2). A "b" is allowed after the first
// letter or at the end, and changes nothing.
var modes = map[string]int{
	"r": os.O_RDONLY, "r+": os.O_RDWR,
	"w": os.O_WRONLY | os.O_CREATE | os.O_TRUNC, "w+": os.O_RDWR | os.O_CREATE | os.O_TRUNC,
	"a": os.O_WRONLY | os.O_CREATE | os.O_APPEND, "a+": os.O_RDWR | os.O_CREATE | os.O_APPEND,
}

func modeFlags(L *lua.LState, name, mode string) int {
	plain := mode
	for i := 1; i < len(mode); i++ {
		if mode[i] == 'b' {
			plain = mode[:i] + mode[i+1:]
			break
		}
	}
	flags, ok := modes[plain]
	if !ok {
		Raise(L, Errorf(CodeInvalidArgument, name, "%s: unknown mode %q", name, mode).WithHint("r, w, a, r+, w+ or a+, with or without a b"))
	}
	return flags
}

// openNamed opens a file of the disk.
func (lib *ioLib) openNamed(L *lua.LState, path string, flags int) (*file, error) {
	var opened *os.File
	err := lib.h.Wait(L, func(ctx context.Context) (err error) {
		opened, err = OpenFile(ctx, path, flags, 0o666)
		if err != nil {
			return err
		}
		if info, statErr := opened.Stat(); statErr == nil && info.IsDir() {
			err = errors.Join(syscall.EISDIR, opened.Close())
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	f := &file{lib: lib, name: path, os: opened, readable: flags&os.O_WRONLY == 0, writable: flags&(os.O_WRONLY|os.O_RDWR) != 0}
	lib.open[f] = struct{}{}
	return f, nil
}

func (lib *ioLib) ioOpen(L *lua.LState) int {
	const name = "io.open"
	var path string
	mode := "r"
	Unpack(L, name, "path", &path, "mode?", &mode)
	f, err := lib.openNamed(L, path, modeFlags(L, name, mode))
	contextOf(L).raiseStopped(L)
	if err != nil {
		return pushFileError(L, path, err)
	}
	L.Push(lib.object(f))
	return 1
}

// ioPopen starts a command line in a shell and returns the file that its output is read
// from, or its input written to. Closing it waits for the command's end.
func (lib *ioLib) ioPopen(L *lua.LState) int {
	const name = "io.popen"
	var line string
	mode := "r"
	Unpack(L, name, "command", &line, "mode?", &mode)
	if mode != "r" && mode != "w" {
		Raisef(L, CodeInvalidArgument, name, `%s: unknown mode %q: it is "r" or "w"`, name, mode)
	}
	f := &file{lib: lib, name: line, readable: mode == "r", writable: mode == "w"}
	err := lib.h.Wait(L, func(context.Context) error { return f.startProcess(line) })
	if err != nil {
		return pushFileError(L, line, err)
	}
	lib.open[f] = struct{}{}
	L.Push(lib.object(f))
	return 1
}

func (lib *ioLib) ioRead(L *lua.LState) int {
	return lib.read(L, "io.read", lib.in, readFormats(L, "io.read", 1))
}

func (lib *ioLib) ioWrite(L *lua.LState) int { return lib.write(L, "io.write", lib.out, 1) }

func (lib *ioLib) ioClose(L *lua.LState) int {
	f := lib.out
	if v := L.Get(1); v != lua.LNil {
		f = lib.check(L, "io.close", v)
	}
	return lib.close(L, "io.close", f)
}

// ioLines reads a file by name, which is closed at its end, or the default input.
func (lib *ioLib) ioLines(L *lua.LState) int {
	const name = "io.lines"
	if L.Get(1) == lua.LNil {
		return lib.lines(L, name, lib.in, readFormats(L, name, 2), false)
	}
	path, ok := L.Get(1).(lua.LString)
	if !ok {
		Raise(L, badArgument(name, "path", "must be a string", describe(L, L.Get(1))))
	}
	formats := readFormats(L, name, 2)
	f, err := lib.openNamed(L, string(path), os.O_RDONLY)
	if err != nil {
		contextOf(L).raiseStopped(L)
		Raise(L, FileError(name, string(path), err))
	}
	return lib.lines(L, name, f, formats, true)
}

// ioInput and ioOutput return the default file, after setting it to what they are given.
func (lib *ioLib) ioInput(L *lua.LState) int { return lib.standard(L, "io.input", &lib.in, "r") }

func (lib *ioLib) ioOutput(L *lua.LState) int { return lib.standard(L, "io.output", &lib.out, "w") }

func (lib *ioLib) standard(L *lua.LState, name string, current **file, mode string) int {
	switch v := L.Get(1).(type) {
	case *lua.LNilType:
	case lua.LString:
		f, err := lib.openNamed(L, string(v), modes[mode])
		if err != nil {
			contextOf(L).raiseStopped(L)
			Raise(L, FileError(name, string(v), err))
		}
		*current = f
	default:
		*current = lib.check(L, name, v)
	}
	L.Push(lib.object(*current))
	return 1
}

// check returns the file of an object, which must be open.
func (lib *ioLib) check(L *lua.LState, name string, v lua.LValue) *file {
	f, ok := To[*file](v)
	if !ok {
		Raise(L, badArgument(name, "file", "must be a file", describe(L, v)))
	}
	lib.checkOpen(L, name, f)
	return f
}

func (lib *ioLib) checkOpen(L *lua.LState, name string, f *file) {
	if f.closed {
		Raisef(L, CodeClosed, name, "%s: the file %s is closed", name, f.name)
	}
}

func (lib *ioLib) ioType(L *lua.LState) int {
	f, ok := To[*file](L.Get(1))
	switch {
	case !ok:
		L.Push(lua.LNil)
	case f.closed:
		L.Push(lua.LString("closed file"))
	default:
		L.Push(lua.LString("file"))
	}
	return 1
}

// stdinReader reads standard input for all tasks. A read of a terminal or a pipe that this
// program was given cannot be interrupted: it is made on a goroutine, which lives as
// long as one read; a task that is cancelled leaves it, and the next read gets what it brings.
// At the end of the program one that still waits is left to end with the process.
type stdinReader struct {
	r       io.Reader
	pending chan stdinRead // the read that is under way, if there is one
}

type stdinRead struct {
	data []byte
	err  error
}

func newStdinReader(r io.Reader) *stdinReader { return &stdinReader{r: r} }

// read waits for input, without the turn; one caller at a time.
func (s *stdinReader) read(ctx context.Context, p []byte) (int, error) {
	if s.pending == nil {
		result := make(chan stdinRead, 1)
		s.pending = result
		size := len(p)
		go func() {
			buf := make([]byte, size)
			n, err := s.r.Read(buf)
			result <- stdinRead{buf[:n], err}
		}()
	}
	select {
	case got := <-s.pending:
		n := copy(p, got.data)
		if s.pending = nil; n < len(got.data) { // asked for with more room
			rest := make(chan stdinRead, 1)
			rest <- stdinRead{got.data[n:], got.err}
			s.pending, got.err = rest, nil
		}
		return n, got.err
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}
