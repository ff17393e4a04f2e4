package runtime

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"

	lua "github.com/yuin/gopher-lua"
)

const (
	// fileChunk is how much a file reads ahead, and holds back of what is written.
	fileChunk = 64 << 10
	// maxRead bounds what one read returns.
	maxRead = 256 << 20
)

// file is a file of io. Its buffers are touched with the turn held, or by the one task
// that is using it, without the turn: others wait for their turn at the file.
type file struct {
	lib   *ioLib
	name  string
	std   bool
	using mutex

	os     *os.File     // a file of the disk, or the pipe of a process
	source *stdinReader // standard input
	sink   io.Writer    // standard output and error, which buffer on their own

	readable, writable bool
	closed             bool

	in        []byte // read ahead: in[at:] has not been handed out
	at        int
	out       []byte // written, not yet handed to the system
	buffering string // "full" (or ""), "line", "no"

	process *Process                // of popen
	stop    context.CancelCauseFunc // ends it
	ended   chan struct{}           // closed when that has ended
	code    int
	deliver func() // hands on what that process wrote to streams that are no files
}

// use lets the task of L use the file until release.
func (f *file) use(L *lua.LState) (release func()) {
	if err := f.lib.h.lock(L, &f.using); err != nil {
		Raise(L, err)
	}
	return f.using.release
}

// startProcess starts popen's command. The process lives until it ends, or the program.
func (f *file) startProcess(line string) error {
	h := f.lib.h
	var ctx context.Context
	ctx, f.stop = context.WithCancelCause(context.Background())
	p := h.shell(ctx, line)
	f.process = p
	f.deliver = h.shareStreams(p)
	theirs, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	if f.readable {
		theirs, ours = ours, theirs
		p.Cmd.Stdout = theirs
	} else {
		p.Cmd.Stdin = theirs
	}
	err = p.Start("io.popen")
	_ = theirs.Close() // the process has its own
	if err != nil {
		_ = ours.Close()
		return err
	}
	f.os, f.ended = ours, make(chan struct{})
	go func() {
		defer close(f.ended)
		f.code, _ = p.Wait()
	}()
	return nil
}

// finish writes what is held back, closes the file and waits for its process. It is
// called without the turn, by the one that uses the file.
func (f *file) finish(ctx context.Context) error {
	err := f.writeOut(ctx)
	if f.os != nil {
		err = errors.Join(err, f.os.Close())
	}
	if f.process == nil {
		return err
	}
	select {
	case <-f.ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// writeOut hands what is held back to the system, without the turn. What could not be
// written is dropped: it was reported.
func (f *file) writeOut(ctx context.Context) error {
	if len(f.out) == 0 {
		return nil
	}
	data := f.out
	f.out = f.out[:0]
	if cap(data) > 4*fileChunk {
		f.out = nil
	}
	_, err := Interruptible(ctx, f.os, func() (int, error) { return f.os.Write(data) })
	return err
}

// flushOut is writeOut with the turn.
func (f *file) flushOut(L *lua.LState) error {
	if len(f.out) == 0 {
		return nil
	}
	return f.lib.h.Wait(L, f.writeOut)
}

// fail returns what a method returns after an error, or raises the cause of a cancel.
func (f *file) fail(L *lua.LState, err error) int {
	contextOf(L).raiseStopped(L)
	var e *Error
	if errors.As(err, &e) {
		Raise(L, e)
	}
	return pushFileError(L, f.name, err)
}

// method returns the file that a method was called on, which must be open.
func (lib *ioLib) method(L *lua.LState, name string) *file {
	f := Self[*file](L, name)
	lib.checkOpen(L, name, f)
	return f
}

func (lib *ioLib) fileWrite(L *lua.LState) int {
	f := lib.method(L, "file:write")
	return lib.write(L, "file:write", f, 2)
}

// write writes the strings and numbers from argument first on, and returns the file.
func (lib *ioLib) write(L *lua.LState, name string, f *file, first int) int {
	lib.checkOpen(L, name, f)
	var b strings.Builder
	for i := first; i <= L.GetTop(); i++ {
		v := L.Get(i)
		if !lua.LVCanConvToString(v) {
			Raise(L, badArgument(name, "what is written", "must be a string or a number", describe(L, v)))
		}
		b.WriteString(v.String())
	}
	defer f.use(L)()
	if err := f.add(L, b.String()); err != nil {
		return f.fail(L, err)
	}
	L.Push(lib.object(f))
	return 1
}

func (f *file) add(L *lua.LState, text string) error {
	flush := f.buffering == "no" || f.buffering == "line" && strings.Contains(text, "\n")
	if f.sink != nil {
		_, err := io.WriteString(f.sink, text)
		if err == nil && flush {
			f.lib.h.flush()
		}
		return err
	}
	if !f.writable {
		return syscall.EBADF
	}
	if err := f.forgetInput(); err != nil {
		return err
	}
	f.out = append(f.out, text...)
	if flush || len(f.out) >= fileChunk {
		return f.flushOut(L)
	}
	return nil
}

// forgetInput drops what was read ahead, and moves the file's position back to where the
// script is.
func (f *file) forgetInput() error {
	if ahead := len(f.ahead()); ahead > 0 {
		if _, err := f.os.Seek(int64(-ahead), io.SeekCurrent); err != nil {
			return err
		}
	}
	f.in, f.at = f.in[:0], 0
	return nil
}

func (lib *ioLib) fileFlush(L *lua.LState) int {
	f := lib.method(L, "file:flush")
	defer f.use(L)()
	if f.sink != nil {
		lib.h.flush()
	}
	if err := f.flushOut(L); err != nil {
		return f.fail(L, err)
	}
	L.Push(lib.object(f))
	return 1
}

func (lib *ioLib) fileSetvbuf(L *lua.LState) int {
	const name = "file:setvbuf"
	f := lib.method(L, name)
	var mode string
	var size int
	Unpack(L, name, "mode", &mode, "size?", &size)
	if mode != "full" && mode != "line" && mode != "no" {
		Raisef(L, CodeInvalidArgument, name, `%s: mode is "full", "line" or "no", not %q`, name, mode)
	}
	defer f.use(L)()
	f.buffering = mode
	if err := f.flushOut(L); err != nil {
		return f.fail(L, err)
	}
	L.Push(lua.LTrue)
	return 1
}

func (lib *ioLib) fileSeek(L *lua.LState) int {
	const name = "file:seek"
	f := lib.method(L, name)
	whence, offset := "cur", int64(0)
	Unpack(L, name, "whence?", &whence, "offset?", &offset)
	from, ok := map[string]int{"set": io.SeekStart, "cur": io.SeekCurrent, "end": io.SeekEnd}[whence]
	if !ok {
		Raisef(L, CodeInvalidArgument, name, `%s: whence is "set", "cur" or "end", not %q`, name, whence)
	}
	defer f.use(L)()
	if f.os == nil {
		return f.fail(L, syscall.ESPIPE)
	}
	if err := f.flushOut(L); err != nil {
		return f.fail(L, err)
	}
	if err := f.forgetInput(); err != nil {
		return f.fail(L, err)
	}
	at, err := f.os.Seek(offset, from)
	if err != nil {
		return f.fail(L, err)
	}
	L.Push(lua.LNumber(at))
	return 1
}

func (lib *ioLib) fileClose(L *lua.LState) int {
	f := lib.method(L, "file:close")
	return lib.close(L, "file:close", f)
}

// close closes a file. That of a process returns how it ended, as in Lua since 5.2:
// true or nil, "exit", code.
func (lib *ioLib) close(L *lua.LState, name string, f *file) int {
	lib.checkOpen(L, name, f)
	if f.std {
		L.Push(lua.LNil)
		L.Push(lua.LString("cannot close standard file"))
		return 2
	}
	defer f.use(L)()
	lib.checkOpen(L, name, f) // another task may have closed it meanwhile
	err := lib.h.Wait(L, f.finish)
	f.closed = true
	if f.process != nil {
		return lib.closeProcess(L, f)
	}
	lib.forget(f)
	if err != nil {
		return f.fail(L, err)
	}
	L.Push(lua.LTrue)
	return 1
}

func (lib *ioLib) forget(f *file) {
	delete(lib.open, f)
	if f != lib.in && f != lib.out {
		delete(lib.objects, f)
	}
}

func (lib *ioLib) closeProcess(L *lua.LState, f *file) int {
	contextOf(L).raiseStopped(L) // the process is ended with the program
	lib.forget(f)
	f.stop(nil)
	f.deliver()
	L.Push(lua.LTrue)
	if f.code != 0 {
		L.Replace(-1, lua.LNil)
	}
	L.Push(lua.LString("exit"))
	L.Push(lua.LNumber(f.code))
	return 3
}
