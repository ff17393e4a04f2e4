package modules

import (
	_ "embed" // the types file
	"encoding/base64"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed base64.lua
var base64Types string

func openBase64(h *runtime.Host) lua.LValue {
	return h.NewModule("base64", runtime.Methods{"encode": base64Encode, "decode": base64Decode})
}

type base64Options struct {
	URL bool `lua:"url"`
}

func base64Encode(L *lua.LState) int {
	var data string
	var o base64Options
	runtime.Unpack(L, "base64.encode", "data", &data, "opts?", &o)
	encoding := base64.StdEncoding
	if o.URL {
		encoding = base64.RawURLEncoding
	}
	L.Push(lua.LString(encoding.EncodeToString([]byte(data))))
	return 1
}

func base64Decode(L *lua.LState) int {
	const name = "base64.decode"
	var text string
	var o base64Options
	runtime.Unpack(L, name, "text", &text, "opts?", &o)
	encoding := base64.StdEncoding.Strict()
	if o.URL {
		text = strings.TrimRight(text, "=")
		encoding = base64.RawURLEncoding.Strict()
	}
	data, err := encoding.DecodeString(text)
	if err != nil {
		runtime.Raise(L, badBase64(name, text, o.URL))
	}
	L.Push(lua.LString(data))
	return 1
}

// badBase64 says what is wrong with the text, and which alphabet it may be meant for.
// (The offset of [base64.CorruptInputError] is that of a group of four.)
func badBase64(name, text string, url bool) error {
	last := "+/"
	if url {
		last = "-_"
	}
	at := strings.IndexFunc(strings.TrimRight(text, "=\r\n"), func(c rune) bool {
		return !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '\r' || c == '\n' || strings.ContainsRune(last, c))
	})
	if at < 0 {
		return runtime.Errorf(runtime.CodeParse, name, "%s: the text of %d bytes ends too early, or its padding is wrong", name, len(text))
	}
	e := runtime.Errorf(runtime.CodeParse, name, "%s: not base64 at byte %d, %q", name, at+1, text[at])
	switch {
	case !url && strings.IndexByte("-_", text[at]) >= 0:
		e = e.WithHint("text with - or _ is of the URL alphabet: pass {url = true}")
	case url && strings.IndexByte("+/", text[at]) >= 0:
		e = e.WithHint("text with + or / is of the standard alphabet: leave out url = true")
	}
	return e
}
