package modules

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string after its opening quote. The result does not share the text's
// memory: one short value must not keep a large document alive.
func (r *jsonReader) str() (string, error) {
	start := r.at
	plain := true // ASCII without escapes
	for i := start; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			r.at = i + 1
			s := r.text[start:i]
			if !plain && !utf8.ValidString(s) {
				return "", r.notUTF8(start, i)
			}
			return strings.Clone(s), nil
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			r.at = i
			return "", r.fail("a control character (0x%02x) in a string must be escaped", c)
		case c >= utf8.RuneSelf:
			plain = false
		}
	}
	r.at = len(r.text)
	return "", r.fail("the text ends inside a string")
}

func (r *jsonReader) notUTF8(start, end int) error {
	for i, c := range r.text[start:end] {
		if _, size := utf8.DecodeRuneInString(r.text[start+i:]); c == utf8.RuneError && size == 1 {
			r.at = start + i
			break
		}
	}
	return r.fail("a string holds %s", r.found())
}

// escaped reads on from the first backslash.
func (r *jsonReader) escaped(start, i int) (string, error) {
	b := append(make([]byte, 0, 2*(i-start)+16), r.text[start:i]...)
	for i < len(r.text) {
		c := r.text[i]
		r.at = i
		switch {
		case c == '"':
			if !utf8.Valid(b) {
				return "", r.notUTF8(start, i)
			}
			r.at = i + 1
			return string(b), nil
		case c < ' ':
			return "", r.fail("a control character (0x%02x) in a string must be escaped", c)
		case c != '\\':
			b = append(b, c)
			i++
			continue
		}
		char, size, ok := escape(r.text[i:])
		if !ok {
			return "", r.fail("%s is no escape", cut(r.text[i:], 6))
		}
		if utf16.IsSurrogate(char) {
			return "", r.fail("%s is one half of a surrogate pair", cut(r.text[i:], 6))
		}
		b = utf8.AppendRune(b, char)
		i += size
	}
	r.at = len(r.text)
	return "", r.fail("the text ends inside a string")
}

func cut(s string, n int) string { return strings.ToValidUTF8(s[:min(n, len(s))], "?") }

// escape reads the escape that s begins with, a surrogate pair as one. A surrogate
// without its partner is returned as it is.
func escape(s string) (char rune, size int, ok bool) {
	if len(s) < 2 {
		return 0, 0, false
	}
	switch s[1] {
	case '"', '\\', '/':
		return rune(s[1]), 2, true
	case 'b':
		return '\b', 2, true
	case 'f':
		return '\f', 2, true
	case 'n':
		return '\n', 2, true
	case 'r':
		return '\r', 2, true
	case 't':
		return '\t', 2, true
	}
	first, ok := codeUnit(s)
	if !ok || !utf16.IsSurrogate(first) {
		return first, 6, ok
	}
	if second, ok := codeUnit(s[6:]); ok {
		if pair := utf16.DecodeRune(first, second); pair != utf8.RuneError {
			return pair, 12, true
		}
	}
	return first, 6, true
}

// codeUnit reads \uXXXX.
func codeUnit(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}
