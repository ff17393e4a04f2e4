package runtime

import (
	"fmt"
	"strings"
	"testing"
)

func TestTableConstructors(t *testing.T) {
	got := mustRun(t, `
		local function two(...) return "y", "z" end
		local function vararg(...) return {"a", "b", x = ...} end
		local function show(t) print(#t, t[1], t[#t], t.x) end
		show{"a", x = two()}
		show{"a", "b", x = two(), y = two()}
		show{"a", x = two(), two()}
		show(vararg("v", "w"))
		show{x = two()}`)
	want := "1\ta\ta\ty\n2\ta\tb\ty\n3\ta\tz\ty\n2\ta\tb\tv\n0\tnil\tnil\ty\n"
	if got != want {
		t.Errorf("got %q", got)
	}
}

func TestTableConstructorsOfEverySize(t *testing.T) {
	for _, n := range []int{1, 49, 50, 51, 99, 100, 101, 150, maxListEntries} {
		list := strings.Repeat("1,", n-1) + "2"
		for _, form := range []string{"%s", "%s, x = id(7)", "x = id(7), %s", "%s, x = id(7), y = 1 + x", "%s, x = 7, id(3)", "%s, id(3)", "%s, id(1, 2)"} {
			got := mustRun(t, fmt.Sprintf(`
				local x, id = 0, function(...) return ... end
				local t = {`+form+`}
				local sum = 0
				for _, v in ipairs(t) do sum = sum + v end
				print(#t, sum, t.x)`, list))
			entries, sum, named := n, n+1, "nil"
			if strings.Contains(form, "x = ") {
				named = "7"
			}
			switch {
			case strings.HasSuffix(form, "id(3)"):
				entries, sum = n+1, sum+3
			case strings.HasSuffix(form, "id(1, 2)"):
				entries, sum = n+2, sum+3
			}
			if want := fmt.Sprintf("%d\t%d\t%s\n", entries, sum, named); got != want {
				t.Errorf("%d entries in {%s}: got %q, want %q", n, form, got, want)
			}
			if n == maxListEntries {
				break
			}
		}
	}
}

func TestTooManyListEntries(t *testing.T) {
	_, err := Compile("t.lua", "", []byte("local t = {\n"+strings.Repeat("1,", maxListEntries)+"1}"))
	if codeOf(err) != CodeParse || !strings.Contains(err.Error(), "t.lua:1:1: parse: a table is written out with more than 25550 list entries") {
		t.Errorf("got %v", err)
	}
}
