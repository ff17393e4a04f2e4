package runtime

import (
	"fmt"
	"math"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

func wholeNumber(v lua.LValue) (int64, bool) {
	n, ok := v.(lua.LNumber)
	if !ok || math.Trunc(float64(n)) != float64(n) || math.Abs(float64(n)) > maxExact {
		return 0, false
	}
	return int64(n), true
}

// maxDuration is some 146 years: far enough for any timer, safe to add to any time.
const maxDuration = time.Duration(math.MaxInt64 / 2)

func toDuration(v lua.LValue) (time.Duration, bool) {
	switch v := v.(type) {
	case lua.LNumber:
		if math.IsNaN(float64(v)) || v < 0 {
			return 0, false
		}
		if float64(v) >= maxDuration.Seconds() {
			return maxDuration, true
		}
		return time.Duration(float64(v) * float64(time.Second)), true
	case lua.LString:
		d, err := time.ParseDuration(string(v))
		return d, err == nil && d >= 0
	}
	return 0, false
}

func toStrings(L *lua.LState, v lua.LValue) ([]string, bool) {
	if lua.LVCanConvToString(v) {
		return []string{v.String()}, true
	}
	t, ok := v.(*lua.LTable)
	if !ok {
		return nil, false
	}
	list := make([]string, 0, t.Len())
	for i := 1; i <= t.Len(); i++ {
		item := t.RawGetInt(i)
		if !lua.LVCanConvToString(item) {
			return nil, false
		}
		list = append(list, item.String())
	}
	extra := false
	t.ForEach(func(k, _ lua.LValue) {
		n, isNumber := k.(lua.LNumber)
		extra = extra || !isNumber || int(n) > len(list)
	})
	return list, !extra
}

func toFunction(L *lua.LState, v lua.LValue) (*lua.LFunction, bool) {
	if f, ok := v.(*lua.LFunction); ok {
		return f, true
	}
	call, ok := L.GetMetaField(v, "__call").(*lua.LFunction)
	if !ok {
		return nil, false
	}
	return L.NewFunction(func(L *lua.LState) int { // a callable object
		L.Insert(call, 1)
		L.Insert(v, 2)
		L.Call(L.GetTop()-1, lua.MultRet)
		return L.GetTop()
	}), true
}

// describe says what a value is, for error messages: short, and safe to print.
func describe(L *lua.LState, v lua.LValue) string {
	switch v := v.(type) {
	case *lua.LNilType:
		return "nil"
	case lua.LBool:
		return v.String()
	case lua.LNumber:
		return "the number " + v.String()
	case lua.LString:
		if len(v) > 40 {
			return fmt.Sprintf("the string %q… of %d bytes", string(v[:40]), len(v))
		}
		return fmt.Sprintf("the string %q", string(v))
	case *lua.LUserData:
		if mt, ok := v.Metatable.(*lua.LTable); ok {
			if name, ok := mt.RawGetString("__name").(lua.LString); ok {
				return article(string(name))
			}
		}
	}
	return article(v.Type().String())
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}
