package modules

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

// jsonWriter appends values to buf. It writes straight from Lua's tables: a tree of Go
// values in between would cost more than the writing.
type jsonWriter struct {
	*jsonModule
	L      *lua.LState
	buf    []byte
	indent string
	open   []*lua.LTable // the tables that are being written, outermost first
	keys   []string      // those of all open objects; each uses the end of it
}

// badValue is what cannot be written, and where in the value it is.
type badValue struct {
	path, message, hint string
	code                runtime.Code
}

func bad(format string, args ...any) *badValue {
	return &badValue{code: runtime.CodeInvalidArgument, message: fmt.Sprintf(format, args...)}
}

func (b *badValue) in(step string) *badValue {
	if b != nil {
		b.path = step + b.path
	}
	return b
}

// write returns v as JSON text.
func (m *jsonModule) write(L *lua.LState, v lua.LValue, indent string) ([]byte, error) {
	w := &jsonWriter{jsonModule: m, L: L, indent: indent}
	b := w.value(v)
	if b == nil {
		return w.buf, nil
	}
	if len(b.path) > 200 {
		b.path = b.path[:100] + "…"
	}
	where := ""
	if b.path != "" {
		where = " (at value" + b.path + ")"
	}
	e := runtime.Errorf(b.code, "json.encode", "json.encode: %s%s", b.message, where)
	e.Hint = b.hint
	return nil, e
}

func (w *jsonWriter) value(v lua.LValue) *badValue {
	switch v := v.(type) {
	case *lua.LNilType:
		w.buf = append(w.buf, "null"...)
		return nil
	case lua.LBool:
		w.buf = strconv.AppendBool(w.buf, bool(v))
		return nil
	case lua.LNumber:
		return w.number(float64(v))
	case lua.LString:
		return w.text(string(v))
	case *lua.LTable:
		return w.table(v)
	case *lua.LUserData:
		if v == w.null {
			w.buf = append(w.buf, "null"...)
			return nil
		}
		if fields := runtime.Fields(w.L, v); fields != nil && hasEntries(fields) {
			return w.table(fields)
		}
	}
	return bad("a %s cannot be JSON", v.Type())
}

func hasEntries(t *lua.LTable) bool {
	k, _ := t.Next(lua.LNil)
	return k != lua.LNil
}

func (w *jsonWriter) number(n float64) *badValue {
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		return bad("%s is no number in JSON", lua.LNumber(n))
	case math.Trunc(n) == n && math.Abs(n) <= maxExact:
		w.buf = strconv.AppendInt(w.buf, int64(n), 10)
	default:
		w.buf = strconv.AppendFloat(w.buf, n, 'g', -1, 64)
	}
	return nil
}

const hexDigits = "0123456789abcdef"

func (w *jsonWriter) text(s string) *badValue {
	if !utf8.ValidString(s) {
		b := bad("the string is not UTF-8, and JSON can hold nothing else")
		b.hint = "bytes that are no text: base64.encode(s)"
		return b
	}
	if len(w.buf)+len(s) > maxJSONSize {
		return &badValue{code: runtime.CodeLimitExceeded, message: fmt.Sprintf("the text would be longer than %d bytes", maxJSONSize)}
	}
	w.buf = append(w.buf, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		w.buf = append(w.buf, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			w.buf = append(w.buf, '\\', c)
		case '\n':
			w.buf = append(w.buf, '\\', 'n')
		case '\r':
			w.buf = append(w.buf, '\\', 'r')
		case '\t':
			w.buf = append(w.buf, '\\', 't')
		default:
			w.buf = append(w.buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	w.buf = append(append(w.buf, s[start:]...), '"')
	return nil
}

// table decides between array and object: by the mark, else by the keys. An empty table
// is an object. The keys of an object are collected on the way.
func (w *jsonWriter) table(t *lua.LTable) *badValue {
	base, n, numbers := len(w.keys), t.Len(), 0
	var stranger lua.LValue = lua.LNil // a key that is no string, nor of a list
	t.ForEach(func(k, _ lua.LValue) {
		switch k := k.(type) {
		case lua.LString:
			w.keys = append(w.keys, string(k))
			return
		case lua.LNumber:
			if k >= 1 && int(k) <= n && lua.LNumber(int(k)) == k {
				numbers++
				return
			}
		}
		stranger = k
	})
	strings := len(w.keys) - base
	marked := t.Metatable == w.array
	switch {
	case stranger == lua.LNil && strings == 0 && numbers == n && (n > 0 || marked):
		return w.list(t, n)
	case stranger == lua.LNil && numbers == 0 && !marked:
		return w.object(t, base)
	}
	if strings > 0 {
		stranger = lua.LString(w.keys[base])
	}
	w.keys = w.keys[:base]
	return mixed(stranger, n, numbers, marked)
}

// mixed says why a table is neither list nor object.
func mixed(stranger lua.LValue, n, numbers int, marked bool) *badValue {
	var b *badValue
	switch {
	case stranger == lua.LNil:
		b = bad("the list has holes: %d of its entries 1 to %d are nil", n-numbers, n)
		b.hint = "put json.null there, or make it an object with tostring(index) as keys"
	case marked:
		b = bad("the table is marked as an array, but has the key %s", keyText(stranger))
	case numbers > 0:
		b = bad("the table is neither a list nor an object: it has list entries and the key %s", keyText(stranger))
	default:
		b = bad("the key %s of an object is not a string", keyText(stranger))
		b.hint = "tostring(key), or a list with the entries 1 to n"
	}
	return b
}

func keyText(k lua.LValue) string {
	if s, ok := k.(lua.LString); ok {
		return strconv.Quote(string(s))
	}
	return "[" + k.String() + "]"
}

// enter opens a table, unless it is nested too deep, most likely in itself.
func (w *jsonWriter) enter(t *lua.LTable) *badValue {
	if len(w.open) >= maxJSONDepth {
		if slices.Contains(w.open, t) {
			return bad("the table contains itself")
		}
		return bad("tables are nested more than %d deep", maxJSONDepth)
	}
	if len(w.buf) > maxJSONSize {
		return &badValue{code: runtime.CodeLimitExceeded, message: fmt.Sprintf("the text would be longer than %d bytes", maxJSONSize)}
	}
	w.open = append(w.open, t)
	return nil
}

func (w *jsonWriter) leave(closing byte, empty bool) {
	w.open = w.open[:len(w.open)-1]
	if !empty {
		w.newline()
	}
	w.buf = append(w.buf, closing)
}

func (w *jsonWriter) newline() {
	if w.indent == "" {
		return
	}
	w.buf = append(w.buf, '\n')
	for range w.open {
		w.buf = append(w.buf, w.indent...)
	}
}

func (w *jsonWriter) list(t *lua.LTable, n int) *badValue {
	if b := w.enter(t); b != nil {
		return b
	}
	w.buf = append(w.buf, '[')
	for i := 1; i <= n; i++ {
		if i > 1 {
			w.buf = append(w.buf, ',')
		}
		w.newline()
		if b := w.value(t.RawGetInt(i)); b != nil {
			return b.in(fmt.Sprintf("[%d]", i))
		}
	}
	w.leave(']', n == 0)
	return nil
}

// object writes the fields of t, whose keys are those in w.keys from base on, sorted: the
// same value is always the same text.
func (w *jsonWriter) object(t *lua.LTable, base int) *badValue {
	if b := w.enter(t); b != nil {
		return b
	}
	keys := w.keys[base:] // stays valid when nested objects make w.keys grow
	slices.Sort(keys)
	w.buf = append(w.buf, '{')
	for i, k := range keys {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.newline()
		if b := w.text(k); b != nil {
			return b.in("[key " + strconv.Quote(k) + "]")
		}
		w.buf = append(w.buf, ':')
		if w.indent != "" {
			w.buf = append(w.buf, ' ')
		}
		if b := w.value(t.RawGetString(k)); b != nil {
			return b.in("." + k)
		}
	}
	w.keys = w.keys[:base]
	w.leave('}', len(keys) == 0)
	return nil
}
