package modules

import (
	_ "embed" // the types file
	"encoding/hex"
	"errors"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed hex.lua
var hexTypes string

func openHex(h *runtime.Host) lua.LValue {
	return h.NewModule("hex", runtime.Methods{"encode": hexEncode, "decode": hexDecode})
}

func hexEncode(L *lua.LState) int {
	var data string
	runtime.Unpack(L, "hex.encode", "data", &data)
	L.Push(lua.LString(hex.EncodeToString([]byte(data))))
	return 1
}

func hexDecode(L *lua.LState) int {
	const name = "hex.decode"
	var text string
	runtime.Unpack(L, name, "text", &text)
	data, err := hex.DecodeString(text)
	var bad hex.InvalidByteError
	switch {
	case errors.As(err, &bad):
		runtime.Raisef(L, runtime.CodeParse, name, "%s: not a hexadecimal digit at byte %d, %q",
			name, strings.IndexByte(text, byte(bad))+1, byte(bad))
	case err != nil:
		runtime.Raisef(L, runtime.CodeParse, name, "%s: a byte is two digits, but there are %d", name, len(text))
	}
	L.Push(lua.LString(data))
	return 1
}
