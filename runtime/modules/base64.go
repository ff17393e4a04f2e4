package modules

import (
	_ "embed" // the types file
	"encoding/base64"
	"errors"
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
		runtime.Raise(L, badBase64(name, text, o.URL, err))
	}
	L.Push(lua.LString(data))
	return 1
}

// badBase64 says at which byte the text goes wrong, and which alphabet it may be meant for.
func badBase64(name, text string, url bool, err error) error {
	var at base64.CorruptInputError
	if !errors.As(err, &at) {
		return runtime.Errorf(runtime.CodeParse, name, "%s: %v", name, err)
	}
	e := runtime.Errorf(runtime.CodeParse, name, "%s: the text of %d bytes ends too early or lacks its padding", name, len(text))
	if int(at) < len(text) {
		e = runtime.Errorf(runtime.CodeParse, name, "%s: not base64 at byte %d, %q", name, int(at)+1, text[at])
	}
	switch {
	case !url && strings.ContainsAny(text, "-_"):
		e = e.WithHint("text with - or _ is of the URL alphabet: pass {url = true}")
	case url && strings.ContainsAny(text, "+/"):
		e = e.WithHint("text with + or / is of the standard alphabet: leave out url = true")
	}
	return e
}
