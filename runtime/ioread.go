package runtime

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"syscall"

	lua "github.com/yuin/gopher-lua"
)

// readFormat is one thing to read: 'l' a line, 'L' a line with its end, 'n' a number,
// 'a' all that is left, or with 'c' a number of bytes.
type readFormat struct {
	kind  byte
	count int
}

// readFormats reads the formats from argument first on, with or without Lua 5.1's star.
func readFormats(L *lua.LState, name string, first int) []readFormat {
	if L.GetTop() < first {
		return []readFormat{{kind: 'l'}}
	}
	var formats []readFormat
	for i := first; i <= L.GetTop(); i++ {
		v := L.Get(i)
		if n, ok := v.(lua.LNumber); ok && n >= 0 && n <= maxRead {
			formats = append(formats, readFormat{'c', int(n)})
			continue
		}
		text, _ := v.(lua.LString)
		kind := strings.TrimPrefix(string(text), "*")
		if kind == "" || !strings.Contains("lLna", kind[:1]) {
			Raise(L, badArgument(name, "format", `must be "l", "L", "n", "a" or a number of bytes`, describe(L, v)))
		}
		formats = append(formats, readFormat{kind: kind[0]})
	}
	return formats
}

func (lib *ioLib) fileRead(L *lua.LState) int {
	f := lib.method(L, "file:read")
	return lib.read(L, "file:read", f, readFormats(L, "file:read", 2))
}

// read returns a value for each format, nil for the first that is not there and nothing after.
func (lib *ioLib) read(L *lua.LState, name string, f *file, formats []readFormat) int {
	lib.checkOpen(L, name, f)
	defer f.use(L)()
	if err := f.beginReading(L); err != nil {
		return f.fail(L, err)
	}
	for i, format := range formats {
		v, err := f.readOne(L, format)
		if err != nil {
			return f.fail(L, err)
		}
		L.Push(v)
		if v == lua.LNil {
			return i + 1
		}
	}
	return len(formats)
}

func (f *file) beginReading(L *lua.LState) error {
	if f.source == nil && !f.readable {
		return syscall.EBADF
	}
	return f.flushOut(L)
}

func (lib *ioLib) fileLines(L *lua.LState) int {
	f := lib.method(L, "file:lines")
	return lib.lines(L, "file:lines", f, readFormats(L, "file:lines", 2), false)
}

// lines pushes an iterator. One that io.lines opened closes the file at its end.
func (lib *ioLib) lines(L *lua.LState, name string, f *file, formats []readFormat, own bool) int {
	lib.checkOpen(L, name, f)
	L.Push(lib.h.NewFunction(func(L *lua.LState) int {
		L.SetTop(0)
		n := lib.read(L, name, f, formats)
		if L.Get(1) != lua.LNil {
			return n
		}
		if why, failed := L.Get(2).(lua.LString); failed {
			Raisef(L, CodeIO, name, "%s: %s", name, string(why))
		}
		if own {
			L.SetTop(0)
			lib.close(L, name, f)
			L.SetTop(0)
			L.Push(lua.LNil)
			n = 1
		}
		return n
	}))
	return 1
}

// ahead is what was read and not yet handed out.
func (f *file) ahead() []byte { return f.in[f.at:] }

// take hands out the next n bytes.
func (f *file) take(n int) string {
	s := string(f.in[f.at : f.at+n])
	f.at += n
	if f.at == len(f.in) {
		f.in, f.at = f.in[:0], 0
		if cap(f.in) > 16*fileChunk { // a long line or a whole file went through it
			f.in = nil
		}
	}
	return s
}

// fill reads more; it waits. more is false at the end of the file.
func (f *file) fill(L *lua.LState) (more bool, err error) {
	if len(f.ahead()) > maxRead {
		return false, Errorf(CodeLimitExceeded, "", "a read of %s would return more than %d bytes", f.name, maxRead)
	}
	if f.at > 0 {
		f.in = f.in[:copy(f.in, f.ahead())]
		f.at = 0
	}
	f.in = slices.Grow(f.in, fileChunk)
	err = f.lib.h.Wait(L, func(ctx context.Context) error {
		n, err := f.readMore(ctx, f.in[len(f.in):cap(f.in)])
		f.in = f.in[:len(f.in)+n]
		if n > 0 && errors.Is(err, io.EOF) {
			err = nil // the next read says it again
		}
		more = n > 0
		return err
	})
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return more, err
}

func (f *file) readMore(ctx context.Context, p []byte) (int, error) {
	if f.source != nil {
		return f.source.read(ctx, p)
	}
	return Interruptible(ctx, f.os, func() (int, error) { return f.os.Read(p) })
}

func (f *file) readOne(L *lua.LState, format readFormat) (lua.LValue, error) {
	switch format.kind {
	case 'c':
		return f.readCount(L, format.count)
	case 'a':
		return f.readAll(L)
	case 'n':
		return f.readNumber(L)
	}
	return f.readLine(L, format.kind == 'L')
}

func (f *file) readLine(L *lua.LState, keepEnd bool) (lua.LValue, error) {
	searched := 0
	for {
		if i := bytes.IndexByte(f.ahead()[searched:], '\n'); i >= 0 {
			line := f.take(searched + i + 1)
			if !keepEnd {
				line = line[:len(line)-1]
			}
			return lua.LString(line), nil
		}
		searched = len(f.ahead())
		more, err := f.fill(L)
		if err != nil {
			return nil, err
		}
		if more {
			continue
		}
		if searched == 0 {
			return lua.LNil, nil
		}
		return lua.LString(f.take(searched)), nil
	}
}

// readCount returns up to n bytes; nil at the end of the file. 0 asks whether that is reached.
func (f *file) readCount(L *lua.LState, n int) (lua.LValue, error) {
	for len(f.ahead()) < max(n, 1) {
		more, err := f.fill(L)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	if len(f.ahead()) == 0 {
		return lua.LNil, nil
	}
	return lua.LString(f.take(min(n, len(f.ahead())))), nil
}

func (f *file) readAll(L *lua.LState) (lua.LValue, error) {
	for {
		more, err := f.fill(L)
		if err != nil {
			return nil, err
		}
		if !more {
			return lua.LString(f.take(len(f.ahead()))), nil
		}
	}
}

// maxNumeral is how long the text of a number may be.
const maxNumeral = 200

// readNumber reads a numeral as Lua 5.3 does: white space, a sign, decimal or
// hexadecimal digits, a fraction, an exponent. What is no number is nil.
func (f *file) readNumber(L *lua.LState) (lua.LValue, error) {
	n := &numeralReader{f: f, L: L}
	for n.test(" \t\n\v\f\r") {
		f.at++
	}
	n.accept("+-")
	digits, exponent := "0123456789", "eE"
	if n.accept("0") && n.accept("xX") {
		digits, exponent = "0123456789abcdefABCDEF", "pP"
	}
	n.run(digits)
	if n.accept(".") {
		n.run(digits)
	}
	if n.accept(exponent) {
		n.accept("+-")
		n.run("0123456789")
	}
	if n.err != nil {
		return nil, n.err
	}
	v, ok := parseNumeral(string(n.text))
	if !ok {
		return lua.LNil, nil
	}
	return v, nil
}

func parseNumeral(text string) (lua.LValue, bool) {
	if strings.ContainsAny(text, "xX") && !strings.ContainsAny(text, "pP") {
		text += "p0" // Go wants an exponent, Lua does not
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(v, 0) {
		return nil, false
	}
	return lua.LNumber(v), true
}

type numeralReader struct {
	f    *file
	L    *lua.LState
	text []byte
	err  error
}

// test reports whether the next byte is one of set.
func (n *numeralReader) test(set string) bool {
	if n.err == nil && len(n.f.ahead()) == 0 {
		_, n.err = n.f.fill(n.L)
	}
	ahead := n.f.ahead()
	return n.err == nil && len(ahead) > 0 && strings.IndexByte(set, ahead[0]) >= 0
}

func (n *numeralReader) accept(set string) bool {
	if len(n.text) >= maxNumeral || !n.test(set) {
		return false
	}
	n.text = append(n.text, n.f.ahead()[0])
	n.f.at++
	return true
}

func (n *numeralReader) run(set string) {
	for n.accept(set) {
	}
}
