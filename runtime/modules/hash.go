package modules

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	_ "embed" // the types file
	"encoding/hex"
	gohash "hash"
	"hash/crc32"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed hash.lua
var hashTypes string

func openHash(h *runtime.Host) lua.LValue {
	return h.NewModule("hash", runtime.Methods{
		"sha256": digest("hash.sha256", sha256.New),
		"sha1":   digest("hash.sha1", sha1.New),
		"md5":    digest("hash.md5", md5.New),
		"crc32":  hashCRC32,
		"hmac":   hashHMAC,
	})
}

func digest(name string, newHash func() gohash.Hash) lua.LGFunction {
	return func(L *lua.LState) int {
		var data string
		runtime.Unpack(L, name, "data", &data)
		return pushSum(L, newHash(), data)
	}
}

func pushSum(L *lua.LState, sum gohash.Hash, data string) int {
	sum.Write([]byte(data)) // a hash never fails
	L.Push(lua.LString(hex.EncodeToString(sum.Sum(nil))))
	return 1
}

func hashCRC32(L *lua.LState) int {
	var data string
	runtime.Unpack(L, "hash.crc32", "data", &data)
	L.Push(lua.LNumber(crc32.ChecksumIEEE([]byte(data))))
	return 1
}

func hashHMAC(L *lua.LState) int {
	const name = "hash.hmac"
	var algorithm, key, data string
	runtime.Unpack(L, name, "algorithm", &algorithm, "key", &key, "data", &data)
	switch algorithm {
	case "sha256":
		return pushSum(L, hmac.New(sha256.New, []byte(key)), data)
	case "sha1":
		return pushSum(L, hmac.New(sha1.New, []byte(key)), data)
	case "md5":
		return pushSum(L, hmac.New(md5.New, []byte(key)), data)
	}
	known := []string{"sha256", "sha1", "md5"}
	e := runtime.Errorf(runtime.CodeInvalidArgument, name, "%s: unknown algorithm %q", name, algorithm)
	if near := runtime.Nearest(algorithm, known); near != "" {
		e.Message += ` (did you mean "` + near + `"?)`
	}
	runtime.Raise(L, e.WithHint("known algorithms: %s", strings.Join(known, ", ")))
	return 0
}
