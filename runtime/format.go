package runtime

import (
	"fmt"
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// readyFormat changes the format and the arguments of string.format, on L's stack, so that
// stock, which hands them to Go's fmt, gives what Lua does. Stock prints an object as its
// address for %s, what is no number as 0 for %d, %q in Go's way, %c in UTF-8, infinity as
// +Inf, and what fmt has to say of a directive that it does not know.
func readyFormat(L *lua.LState) {
	format := L.CheckString(1)
	var b strings.Builder
	arg := 2
	for {
		text, rest, found := strings.Cut(format, "%")
		b.WriteString(text)
		if !found {
			break
		}
		if strings.HasPrefix(rest, "%") {
			b.WriteString("%%")
			format = rest[1:]
			continue
		}
		flags := rest[:len(rest)-len(strings.TrimLeft(rest, "-+ #0123456789."))]
		if len(flags) == len(rest) {
			L.RaiseError("string.format: the format ends within a directive: %%%s", flags)
		}
		if width, precision, _ := strings.Cut(strings.TrimLeft(flags, "-+ #0"), "."); len(width) > 2 || len(precision) > 2 { // Lua's bound
			L.RaiseError("string.format: the width or precision is too long: %%%s", flags)
		}
		b.WriteString("%" + readyDirective(L, arg, flags, rest[len(flags)]))
		format = rest[len(flags)+1:]
		arg++
	}
	L.Replace(1, lua.LString(b.String()))
}

// readyDirective readies one argument and returns the directive for it, without its %.
func readyDirective(L *lua.LState, arg int, flags string, verb byte) string {
	switch verb {
	case 's':
		L.Replace(arg, L.ToStringMeta(L.CheckAny(arg)))
	case 'q':
		L.Replace(arg, lua.LString(quote(L.ToStringMeta(L.CheckAny(arg)).String())))
		verb = 's'
	case 'c':
		L.Replace(arg, lua.LString([]byte{byte(int64(L.CheckNumber(arg)))}))
		verb = 's'
	case 'd', 'i', 'o', 'x', 'X':
		L.Replace(arg, L.CheckNumber(arg))
	case 'u':
		L.Replace(arg, L.CheckNumber(arg))
		verb = 'd'
	case 'e', 'E', 'f', 'g', 'G':
		n := L.CheckNumber(arg)
		L.Replace(arg, n)
		if word := notFinite(float64(n)); word != "" {
			L.Replace(arg, lua.LString(word))
			return widthOf(flags) + "s" // precision would cut the word
		}
	default:
		L.RaiseError("string.format: there is no directive %%%c", verb)
	}
	return flags + string(verb)
}

// widthOf keeps the width of a directive, and to which side it fills.
func widthOf(flags string) string {
	width, _, _ := strings.Cut(strings.TrimLeft(flags, "-+ #0"), ".")
	if strings.Contains(flags, "-") {
		return "-" + width
	}
	return width
}

// notFinite names what is no finite number as C does; "" is for those that are.
func notFinite(n float64) string {
	switch {
	case math.IsNaN(n):
		return "nan"
	case math.IsInf(n, 0):
		return strings.TrimPrefix(strings.ToLower(fmt.Sprint(n)), "+")
	}
	return ""
}

// quote writes a string so that Lua reads it back.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\r':
			b.WriteString(`\r`)
		case 0:
			b.WriteString(`\000`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
