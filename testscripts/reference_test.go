package testscripts

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
	"etcdlua/runtime/modules"
	"etcdlua/runtime/reference"
)

// entries lists the functions and methods of a module's types file.
func entries(m *reference.Module) []*reference.Entry {
	list := slices.Clone(m.Entries)
	for _, c := range m.Classes {
		list = append(list, c.Methods...)
	}
	return list
}

// TestExamples runs the example of every function, each as a script of its own in an
// empty folder.
func TestExamples(t *testing.T) {
	c := client(t)
	for _, m := range documented(c) {
		for _, e := range entries(reference.Parse(m.Name, m.Types)) {
			t.Run(e.Name, func(t *testing.T) {
				if e.Example == "" {
					if e.Args != "" {
						t.Errorf("%s has no example", e.Name)
					}
					return
				}
				t.Chdir(t.TempDir())
				run(t, all(c), compile(t, "the example of "+e.Name, e.Example))
			})
		}
	}
}

// TestTypesAndCodeAgree compares what the tables of the modules hold with what their types
// files describe.
func TestTypesAndCodeAgree(t *testing.T) {
	c := client(t)
	for _, m := range documented(c) {
		t.Run(m.Name, func(t *testing.T) {
			described := []string{}
			for _, e := range reference.Parse(m.Name, m.Types).Entries {
				if e.Doc == "" {
					t.Errorf("%s is not described", e.Name)
				}
				described = append(described, e.Name)
			}
			there := run(t, all(c), compile(t, "list", fmt.Sprintf(`
				local function list(prefix, t)
					for name, v in pairs(t) do
						print(prefix .. name)
						if type(v) == "table" then list(prefix .. name .. ".", v) end
					end
				end
				list(%q, %s)`, m.Name+".", m.Name)))
			sameNames(t, strings.Fields(there), described)
		})
	}
}

// makers maps each class with methods to Lua that makes an object of it.
var makers = map[string]string{
	"task":    `task.spawn(function() end)`,
	"channel": `task.channel()`,
	"mutex":   `task.mutex()`,
	"query":   `etcd.prefix(PREFIX)`,
	"watch":   `etcd.watch(PREFIX, function() end)`,
	"events":  `etcd.events(PREFIX)`,
}

// methodsOf lets a script list the methods of an object, which getmetatable hides from it.
var methodsOf = runtime.Module{Name: "methods_of", Open: func(h *runtime.Host) lua.LValue {
	return h.NewFunction(func(L *lua.LState) int {
		L.Push(L.CheckUserData(1).Metatable.(*lua.LTable).RawGetString("__methods"))
		return 1
	})
}}

// TestMethodsAndCodeAgree compares the methods of objects with what is described.
func TestMethodsAndCodeAgree(t *testing.T) {
	c := client(t)
	for _, m := range documented(c) {
		for _, class := range reference.Parse(m.Name, m.Types).Classes {
			maker, ok := makers[class.Name]
			if !ok && len(class.Methods) == 0 {
				continue // a plain table
			}
			t.Run(class.Name, func(t *testing.T) {
				if !ok {
					t.Fatalf("the class %s has methods: add to makers how to get an object of it", class.Name)
				}
				described := []string{}
				for _, e := range class.Methods {
					described = append(described, e.Name)
				}
				there := run(t, append(all(c), methodsOf), compile(t, "list", fmt.Sprintf(`
					local object = %s
					for _, name in ipairs(methods_of(object)) do
						assert(type(object[name]) == "function", name)
						print(%q .. name)
					end
					if object.cancel then object:cancel() elseif object.close then object:close() end`, maker, class.Name+":")))
				sameNames(t, strings.Fields(there), described)
			})
		}
	}
}

func sameNames(t *testing.T, code, types []string) {
	t.Helper()
	sort.Strings(code)
	sort.Strings(types)
	for _, name := range code {
		if !slices.Contains(types, name) {
			t.Errorf("%s is not in the types file", name)
		}
	}
	for _, name := range types {
		if !slices.Contains(code, name) {
			t.Errorf("%s is in the types file, but not in the module", name)
		}
	}
}

// TestEveryModuleHasAScript keeps a module from having no script of its name here.
func TestEveryModuleHasAScript(t *testing.T) {
	for _, m := range append([]runtime.Module{runtime.TaskModule}, modules.All()...) {
		if _, err := os.Stat(m.Name + ".lua"); err != nil {
			t.Error(err)
		}
	}
}
