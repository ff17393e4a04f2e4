package modules

import (
	_ "embed" // the types file
	"strconv"
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed utf8.lua
var utf8Types string

func openUTF8(h *runtime.Host) lua.LValue {
	m := &utf8Module{next: h.NewFunction(nextCode)}
	return h.NewModule("utf8", runtime.Methods{"char": utf8Char, "codes": m.codes, "len": utf8Len})
}

type utf8Module struct{ next *lua.LFunction }

func utf8Char(L *lua.LState) int {
	const name = "utf8.char"
	codes := make([]int64, L.GetTop())
	pairs := make([]any, 0, 2*len(codes))
	for i := range codes {
		pairs = append(pairs, "code"+strconv.Itoa(i+1), &codes[i])
	}
	runtime.Unpack(L, name, pairs...)
	var b strings.Builder
	for _, c := range codes {
		if c < 0 || c > utf8.MaxRune || !utf8.ValidRune(rune(c)) {
			runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: %d is not a Unicode character", name, c)
		}
		b.WriteRune(rune(c))
	}
	L.Push(lua.LString(b.String()))
	return 1
}

func (m *utf8Module) codes(L *lua.LState) int {
	var s string
	runtime.Unpack(L, "utf8.codes", "s", &s)
	L.Push(m.next)
	L.Push(lua.LString(s))
	L.Push(lua.LNumber(0))
	return 3
}

// nextCode is the iterator of codes: from the string and the last position to the next
// position and its code.
func nextCode(L *lua.LState) int {
	var s string
	var last int
	runtime.Unpack(L, "utf8.codes", "s", &s, "position", &last)
	at := max(last, 0) // the byte after last, from 0
	for last > 0 && at < len(s) && !utf8.RuneStart(s[at]) {
		at++
	}
	if at >= len(s) {
		return 0
	}
	r, size := utf8.DecodeRuneInString(s[at:])
	if r == utf8.RuneError && size == 1 {
		runtime.Raisef(L, runtime.CodeParse, "utf8.codes", "utf8.codes: not UTF-8 at byte %d", at+1)
	}
	L.Push(lua.LNumber(at + 1))
	L.Push(lua.LNumber(r))
	return 2
}

func utf8Len(L *lua.LState) int {
	const name = "utf8.len"
	var s string
	first, last := 1, -1
	runtime.Unpack(L, name, "s", &s, "i?", &first, "j?", &last)
	from, to := bytePosition(first, len(s))-1, bytePosition(last, len(s))-1
	if from < 0 || from > len(s) {
		runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: i = %d is outside of the string of %d bytes", name, first, len(s))
	}
	if to >= len(s) {
		runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: j = %d is outside of the string of %d bytes", name, last, len(s))
	}
	n := 0
	for at := from; at <= to; n++ {
		r, size := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && size == 1 {
			L.Push(lua.LNil)
			L.Push(lua.LNumber(at + 1))
			return 2
		}
		at += size
	}
	L.Push(lua.LNumber(n))
	return 1
}

// bytePosition turns a position that may count from the end into one from the start.
func bytePosition(i, length int) int {
	switch {
	case i >= 0:
		return i
	case -i > length:
		return 0
	}
	return length + i + 1
}
