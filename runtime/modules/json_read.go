package modules

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

// jsonReader reads one value from text straight into Lua tables.
type jsonReader struct {
	*jsonModule
	L     *lua.LState
	text  string
	at    int
	depth int
	items []lua.LValue // entries of the arrays that are open; each uses the end of it
	pairs []pair       // likewise of the objects, so that a table is made in its size
}

type pair struct {
	key   string
	value lua.LValue
}

// read returns the value of a JSON text. The error is an *Error with code parse.
func (m *jsonModule) read(L *lua.LState, text string) (lua.LValue, error) {
	r := &jsonReader{jsonModule: m, L: L, text: text}
	if strings.HasPrefix(text, "\ufeff") {
		r.at = len("\ufeff")
	}
	v, err := r.value()
	if err != nil {
		return nil, err
	}
	r.space()
	if r.at < len(text) {
		return nil, r.fail("there is more after the value: %s", r.found())
	}
	return v, nil
}

// fail is an error at the current byte, as line and column; a column counts characters.
func (r *jsonReader) fail(format string, args ...any) error {
	before := r.text[:r.at]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return runtime.Errorf(runtime.CodeParse, "json.decode", "json.decode: line %d, column %d: %s",
		line, column, fmt.Sprintf(format, args...))
}

// found says what stands at the current byte.
func (r *jsonReader) found() string {
	if r.at >= len(r.text) {
		return "the text ends"
	}
	c, size := utf8.DecodeRuneInString(r.text[r.at:])
	if c == utf8.RuneError && size == 1 {
		return fmt.Sprintf("the byte 0x%02x, which is not UTF-8", r.text[r.at])
	}
	return strconv.QuoteRune(c)
}

func (r *jsonReader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\n', '\r', '\t':
			r.at++
		default:
			return
		}
	}
}

// take skips space and then c, if it is there.
func (r *jsonReader) take(c byte) bool {
	r.space()
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *jsonReader) value() (lua.LValue, error) {
	r.space()
	if r.at >= len(r.text) {
		return nil, r.fail("a value is expected, but %s", r.found())
	}
	switch c := r.text[r.at]; {
	case c == '"':
		r.at++
		s, err := r.str()
		return lua.LString(s), err
	case c == '{', c == '[':
		if r.depth++; r.depth > maxJSONDepth {
			return nil, r.fail("arrays and objects are nested more than %d deep", maxJSONDepth)
		}
		r.at++
		v, err := r.nested(c)
		r.depth--
		return v, err
	case c == '-', c >= '0' && c <= '9':
		return r.number()
	}
	return r.word()
}

func (r *jsonReader) nested(opening byte) (lua.LValue, error) {
	if opening == '{' {
		return r.object()
	}
	return r.list()
}

func (r *jsonReader) word() (lua.LValue, error) {
	rest := r.text[r.at:]
	for _, w := range []struct {
		text  string
		value lua.LValue
	}{{"true", lua.LTrue}, {"false", lua.LFalse}, {"null", r.null}} {
		if strings.HasPrefix(rest, w.text) {
			r.at += len(w.text)
			return w.value, nil
		}
	}
	return nil, r.fail("a value is expected, but found %s", r.found())
}

func (r *jsonReader) list() (lua.LValue, error) {
	base := len(r.items)
	if !r.take(']') {
		for {
			v, err := r.value()
			if err != nil {
				return nil, err
			}
			r.items = append(r.items, v)
			if r.take(']') {
				break
			}
			if !r.take(',') {
				return nil, r.fail("a comma or ] is expected in the array, but found %s", r.found())
			}
		}
	}
	t := r.L.CreateTable(len(r.items)-base, 0)
	for i, v := range r.items[base:] {
		t.RawSetInt(i+1, v)
	}
	r.items = r.items[:base]
	t.Metatable = r.array
	return t, nil
}

func (r *jsonReader) object() (lua.LValue, error) {
	if r.take('}') {
		return r.L.CreateTable(0, 0), nil
	}
	base := len(r.pairs)
	for {
		if !r.take('"') {
			return nil, r.fail("a key in quotes is expected in the object, but found %s", r.found())
		}
		k, err := r.str()
		if err != nil {
			return nil, err
		}
		if !r.take(':') {
			return nil, r.fail("a colon is expected after the key %q, but found %s", k, r.found())
		}
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		r.pairs = append(r.pairs, pair{k, v})
		if r.take('}') {
			break
		}
		if !r.take(',') {
			return nil, r.fail("a comma or } is expected in the object, but found %s", r.found())
		}
	}
	t := r.L.CreateTable(0, len(r.pairs)-base)
	for _, p := range r.pairs[base:] {
		t.RawSetString(p.key, p.value) // of a key that comes twice the last one counts
	}
	r.pairs = r.pairs[:base]
	return t, nil
}

// number reads a number. A whole one that a Lua number would change is refused: an id
// that is off by one is worse than an error.
func (r *jsonReader) number() (lua.LValue, error) {
	end, whole, ok := scanNumber(r.text, r.at)
	if !ok {
		start := r.at
		r.at = end
		return nil, r.fail("a digit is expected in the number %s, but found %s", r.text[start:end], r.found())
	}
	digits := r.text[r.at:end]
	if whole && len(digits) <= 15 {
		n, _ := strconv.ParseInt(digits, 10, 64) // it scanned, and fits
		r.at = end
		return lua.LNumber(n), nil
	}
	n, err := strconv.ParseFloat(digits, 64)
	switch {
	case err != nil:
		return nil, r.fail("the number %s is too large", digits)
	case whole && math.Abs(n) >= maxExact && strconv.FormatFloat(n, 'f', -1, 64) != digits:
		return nil, r.fail("the whole number %s is beyond 2^53, and Lua would change it to %.0f; have it written as a string", digits, n)
	}
	r.at = end
	return lua.LNumber(n), nil
}

// scanNumber returns where the number at i ends, and whether it has neither fraction nor
// exponent. When it is malformed, end is where.
func scanNumber(s string, i int) (end int, whole, ok bool) {
	digits := func() bool {
		start := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > start
	}
	if s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if !digits() {
		return i, false, false
	}
	whole = true
	if i < len(s) && s[i] == '.' {
		i++
		if whole = false; !digits() {
			return i, false, false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if whole = false; !digits() {
			return i, false, false
		}
	}
	return i, whole, true
}
