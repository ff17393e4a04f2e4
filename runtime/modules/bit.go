package modules

import (
	_ "embed" // the types file
	"math"
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed bit.lua
var bitTypes string

func openBit(h *runtime.Host) lua.LValue {
	return h.NewModule("bit", runtime.Methods{
		"band":   fold("bit.band", func(a, b uint32) uint32 { return a & b }),
		"bor":    fold("bit.bor", func(a, b uint32) uint32 { return a | b }),
		"bxor":   fold("bit.bxor", func(a, b uint32) uint32 { return a ^ b }),
		"bnot":   bitNot,
		"lshift": shift("bit.lshift", func(x, n uint32) uint32 { return x << n }),
		"rshift": shift("bit.rshift", func(x, n uint32) uint32 { return x >> n }),
	})
}

// pushSigned pushes the result as LuaBitOp does: a number from -2^31 to 2^31-1.
func pushSigned(L *lua.LState, x uint32) int {
	L.Push(lua.LNumber(int32(x)))
	return 1
}

// fold makes a function of one or more numbers, each taken modulo 2^32.
func fold(name string, op func(a, b uint32) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		n := max(L.GetTop(), 1)
		var x uint32
		for i := 1; i <= n; i++ {
			v, ok := operand(L.Get(i))
			if !ok {
				explainOperands(L, name, n)
			}
			if i == 1 {
				x = v
				continue
			}
			x = op(x, v)
		}
		return pushSigned(L, x)
	}
}

func operand(v lua.LValue) (uint32, bool) {
	n, ok := v.(lua.LNumber)
	if !ok || math.Trunc(float64(n)) != float64(n) || math.Abs(float64(n)) > 1<<53 {
		return 0, false
	}
	return uint32(int64(n)), true
}

// explainOperands raises what the argument check has to say about n numbers.
func explainOperands(L *lua.LState, name string, n int) {
	args := make([]int64, n)
	pairs := make([]any, 0, 2*n)
	for i := range args {
		pairs = append(pairs, "x"+strconv.Itoa(i+1), &args[i])
	}
	runtime.Unpack(L, name, pairs...)
}

func bitNot(L *lua.LState) int {
	var x int64
	runtime.Unpack(L, "bit.bnot", "x", &x)
	return pushSigned(L, ^uint32(x))
}

// shift makes a shift by the low five bits of n, as the machine does it.
func shift(name string, op func(x, n uint32) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		var x, n int64
		runtime.Unpack(L, name, "x", &x, "n", &n)
		return pushSigned(L, op(uint32(x), uint32(n)&31))
	}
}
