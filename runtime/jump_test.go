package runtime

import (
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// Each makes the closure g over a local v that is "kept", and leaves the local's block by a
// jump. The registers are used for others then.
var jumpsOut = map[string]string{
	"while, if":           `while true do if true then local v = "kept" g = function() return v end break end end`,
	"for, if":             `for i = 1, 3 do if i == 2 then local v = "kept" g = function() return v end break end end`,
	"generic for, if":     `for i in pairs({1, 2}) do if i == 2 then local v = "kept" g = function() return v end break end end`,
	"else":                `for i = 1, 3 do if i == 9 then i = 1 else local v = "kept" g = function() return v end break end end`,
	"repeat, if":          `repeat if true then local v = "kept" g = function() return v end break end until true`,
	"repeat, do":          `repeat do local v = "kept" g = function() return v end break end until true`,
	"two blocks":          `for i = 1, 3 do do do local v = "kept" g = function() return v end break end end end`,
	"both blocks":         `for i = 1, 3 do local v = "kept" do local w = v g = function() return w and v end break end end`,
	"the loop's variable": `for v = 1, 3 do g = function() return v == 2 and "kept" end if v == 2 then break end end`,
	"inner loop":          `for i = 1, 2 do for j = 1, 2 do if j == 1 then local v = "kept" g = function() return v end break end end end`,
	"goto out":            `do if true then local v = "kept" g = function() return v end goto out end end ::out::`,
	"goto in a loop":      `for i = 1, 2 do if i == 2 then local v = "kept" g = function() return v end goto next end ::next:: end`,
	"goto back":           `::again:: if not g then local v = "kept" g = function() return v end goto again end`,
	"goto over a local":   `::again:: local v = "kept" if not g then g = function() return v end goto again end`,
}

func TestClosuresKeepLocalsAfterAJump(t *testing.T) {
	for name, src := range jumpsOut {
		got := mustRun(t, `local g
			do `+src+` end
			local a, b, c, d, e, f, h, i = 1, 2, 3, 4, 5, 6, 7, 8
			print(g())`)
		if got != "kept\n" {
			t.Errorf("%s: the closure reads %q", name, got)
		}
	}
}

// A jump leaves the captured locals of blocks that it stays in alone.
func TestJumpsKeepOuterLocalsShared(t *testing.T) {
	for name, src := range map[string]string{
		"continue":          `for i = 1, 3 do up() if i > 0 then goto continue end ::continue:: end`,
		"continue at once":  `for i = 1, 3 do up() goto continue ::continue:: end`,
		"own captured":      `for i = 1, 3 do do local x = i local f = function() return x end if i > 0 then goto continue end end ::continue:: up() end`,
		"out of a block":    `do goto out end ::out:: up() up() up()`,
		"backward":          `::top:: up() if n < 3 then goto top end`,
		"backward, a local": `::top:: local x = n local f = function() return x end up() if n < 3 then goto top end`,
		"break":             `while true do up() if n == 3 then break end end`,
		"nested loops":      `for i = 1, 3 do for j = 1, 3 do if j == 2 then break end up() end end`,
		"two loops up":      `for i = 1, 9 do for j = 1, 9 do up() if n == 3 then goto done end end end ::done::`,
	} {
		r := runLua(t, `local n, calls = 0, 0
			local function up() n = n + 1 calls = calls + 1 if calls > 20 then error("it runs for ever") end end
			`+src+`
			up()
			print(n)`)
		if r.err != nil || r.out != "4\n" {
			t.Errorf("%s: n is %q, %v", name, r.out, r.err)
		}
	}
}

func TestJumpErrorsNameTheLine(t *testing.T) {
	for src, want := range map[string]string{
		"\nbreak":                        "t.lua:2:1: ",
		"\nif true then\nbreak end":      "t.lua:3:1: ",
		"\ndo\ngoto nowhere end":         "no visible label 'nowhere' for <goto> at line 3",
		"\ngoto a local x ::a:: x()":     "jumps into the scope of local 'x'",
		"::a::\n::a::":                   "label 'a' already defined",
		"while true do ::a:: end goto a": "no visible label 'a'",
	} {
		_, err := Compile("t.lua", "", []byte(src))
		if codeOf(err) != CodeParse || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", src, err)
		}
	}
}

// When stock gopher-lua closes what a break leaves, the repair can go.
func TestStockStillNeedsTheRepairOfJumps(t *testing.T) {
	L := lua.NewState()
	defer L.Close()
	if L.DoString(`local g `+jumpsOut["for, if"]+` local a, b, c, d, e, f, h = 1, 2, 3, 4, 5, 6, 7 assert(g() == "kept")`) == nil {
		t.Error("gopher-lua closes upvalues at a break now: is jump.go still needed?")
	}
}
