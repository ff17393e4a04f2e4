package runtime

import (
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// jumpy are loops that stock gopher-lua compiles to a jump to somewhere else. Each
// stands after a loop that must not be entered again, and must leave n at 3.
var jumpy = map[string]string{
	"generic for":       `for _ = 1, 3 do for _ in pairs({1}) do break end end`,
	"while":             `for _ = 1, 3 do while true do break end end`,
	"while, condition":  `local i = 0 while i < 3 do i = i + 1 end while i < 5 do break end`,
	"nested do":         `for _ = 1, 3 do for _ in pairs({1}) do do break end end end`,
	"goto":              `for _ = 1, 3 do for _ in pairs({1, 2}) do goto continue ::continue:: end end`,
	"constant if":       `for _ = 1, 3 do for _ in pairs({1, 2}) do if false then n = 99 end end end`,
	"true if":           `for _ = 1, 3 do for _ in pairs({1, 2}) do if true then break end end end`,
	"backward goto":     `local i = 0 ::top:: do goto on end ::on:: i = i + 1 if i < 3 then goto top end`,
	"constant value":    `for _ = 1, 3 do for _ in pairs({1, 2}) do local x = false or n if x == 0 then break end end end`,
	"constant compared": `for _ = 1, 3 do for _ in pairs({1, 2}) do if (true or n) == 1 then n = 99 end end end`,
	"constant called":   `for _ = 1, 3 do for _ in pairs({1, 2}) do pcall(true or n) end end`,
	"constant indexed":  `for _ = 1, 3 do for _ in pairs({1, 2}) do (("x" and "y") or n):len() end end`,
	"constant in a for": `for _ = 1, 3 do for _ in pairs({1, 2}) do for _ = (1 and 2) and #{true or n}, 1 do end end end`,
	"constant in a key": `for _ = 1, 3 do local t = {} for _ in pairs({1, 2}) do t[true or n] = 1 end end`,
	"constant in pairs": `for _ = 1, 3 do for _ in pairs({1, 2}) do for _ in next, {true or n} do end end end`,
	"repeat":            `for _ = 1, 3 do local i = 0 repeat if false then n = 99 end i = i + 1 until i == 3 end`,
	"in a function":     `local function empty(t) for _ in pairs(t) do break end return true end for _ = 1, 3 do empty({1}) end`,
	"break after local": `for _ = 1, 3 do for _ in pairs({1}) do local x = 1 if x then break end end end`,
}

const jumpyFrame = `local n = 0
for i in pairs({1, 2, 3}) do n = n + 1 if n > 3 then error("entered again") end end
%s
if n ~= 3 then error("n is " .. n) end`

func TestLoopsThatBeginWithAJump(t *testing.T) {
	for name, src := range jumpy {
		t.Run(name, func(t *testing.T) {
			mustRun(t, strings.Replace(jumpyFrame, "%s", src, 1))
		})
	}
}

// When stock gopher-lua compiles this rightly, the repair can go.
func TestStockStillNeedsTheRepair(t *testing.T) {
	L := lua.NewState()
	defer L.Close()
	if L.DoString(strings.Replace(jumpyFrame, "%s", jumpy["generic for"], 1)) == nil {
		t.Error("gopher-lua compiles a body that begins with break rightly now: is repair.go still needed?")
	}
}

// A loop starts with no control value, whatever an earlier loop left in its registers.
func TestLoopsStartAfresh(t *testing.T) {
	for _, form := range []string{"for a in iter do", "for a, b in iter do", "for a, b, c in iter do", "for a in iter, 1 do", "for a, b in iter, 1 do",
		"for a in (iter) do", "for a in iter, 1, nil do"} {
		mustRun(t, `
			local function iter(_, control) if control == nil then return "x", "y", "z" end return nil end
			local total = 0
			for round = 1, 3 do -- no call between two rounds, which would clear the registers
				`+form+` total = total + 1 break end
			end
			assert(total == 3, total)`)
	}
	mustRun(t, `local function f() local n = 0 for k, v in next, {a = 1, b = 2} do n = n + v end return n end
		for k in pairs({1, 2}) do local x, y, z = k, k, k end
		assert(f() == 3 and f() == 3)`)
}
