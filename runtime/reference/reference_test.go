package reference

import (
	"slices"
	"strings"
	"testing"
)

const types = `---@meta

--- Pots of things. Each pot
--- has a lid.
---
--- A second paragraph.
pot = {}

--- What a key opens.
---@class lid
---@field color string red or blue
---@field size? integer
local Lid = {}

---@alias duration number|string seconds

--- Makes a pot. It is empty.
---@param name string what it is called
---@param fn fun(key: string, value: string|nil): boolean called for each
---@param opts? {size?: integer, kinds: {a: string, b: string}, on?: fun(x: any): any} general; size: in liters; at most 3; on: called with it
---@return lid
---@return table<string, string> names by color
---
---     local lid = pot.make("x", print)
---
---     assert(lid)
function pot.make(name, fn, opts) end

--- Opens it.
---@param force? boolean
function Lid:open(force) end

--- Nothing, as JSON has it.
---@type userdata
pot.null = nil

--- Pots within.
pot.inner = {}

--- Deep down.
function pot.inner.dig() end
`

func parsed() []*Module { return []*Module{Parse("pot", types)} }

func TestParse(t *testing.T) {
	m := parsed()[0]
	if m.Doc != "Pots of things. Each pot\nhas a lid.\n\nA second paragraph." {
		t.Errorf("doc of the module: %q", m.Doc)
	}
	want := []string{"pot", "pot.make", "pot.null", "pot.inner", "pot.inner.dig", "lid", "lid:open"}
	if got := Names([]*Module{m}); !slices.Equal(got, want) {
		t.Errorf("names: %q", got)
	}
	e := m.Entries[0]
	if got := e.Params[1].Type; got != "fun(key: string, value: string|nil): boolean" {
		t.Errorf("type of a function with a result: %q", got)
	}
	if got := e.Returns[1]; got.Type != "table<string, string>" || got.Doc != "names by color" {
		t.Errorf("second result: %+v", got)
	}
	if e.Example != "local lid = pot.make(\"x\", print)\n\nassert(lid)" {
		t.Errorf("example: %q", e.Example)
	}
}

func TestOptions(t *testing.T) {
	fields, rest := parsed()[0].Entries[0].Params[2].Options()
	want := []Param{
		{Name: "size", Type: "integer", Doc: "in liters; at most 3", Optional: true},
		{Name: "kinds", Type: "{a: string, b: string}"},
		{Name: "on", Type: "fun(x: any): any", Doc: "called with it", Optional: true},
	}
	if !slices.Equal(fields, want) || rest != "general" {
		t.Errorf("got %+v, rest %q", fields, rest)
	}
}

func TestRender(t *testing.T) {
	const want = `pot.make(name, fn [, opts]) -> lid, table<string, string>

Makes a pot. It is empty.

Parameters:
  name     string: what it is called
  fn       fun(key: string, value: string|nil): boolean: called for each
  opts     table, optional: general
    size   integer: in liters; at most 3
    kinds  {a: string, b: string}
    on     fun(x: any): any: called with it

Returns:
  lid
  table<string, string> names by color

Example:
  local lid = pot.make("x", print)

  assert(lid)
`
	if got := Find(parsed(), "pot.make")[0].Render(); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestFind(t *testing.T) {
	for name, want := range map[string]string{
		"pot":         "pot\n\nPots of things.",
		"Pot.MAKE":    "pot.make(",
		"pot.make()":  "pot.make(",
		"make":        "pot.make(",
		"lid":         "A lid object:",
		"lid.open":    "lid:open([force])",
		"lid:open":    "lid:open([force])",
		"dig":         "pot.inner.dig()",
		"pot.null":    "pot.null -> userdata",
		"nothing":     "",
		"":            "",
		"pot.nothing": "",
	} {
		pages := Find(parsed(), name)
		if want == "" {
			if len(pages) != 0 {
				t.Errorf("%q finds %d pages", name, len(pages))
			}
			continue
		}
		if len(pages) != 1 || !strings.HasPrefix(pages[0].Render(), want) {
			t.Errorf("%q: got %d pages", name, len(pages))
		}
	}
}

func TestIndex(t *testing.T) {
	if got := Index(parsed()); got != "pot  Pots of things.\n" {
		t.Errorf("got %q", got)
	}
}
