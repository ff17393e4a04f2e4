package runtime

import (
	"fmt"
	"sort"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// Problem is what [Check] found at a place in a source.
type Problem struct {
	Line, Column int // from 1; the column counts bytes
	Message      string
}

// Check finds names that nothing defines: globals, and fields of modules, as
// [Host.Names] lists them ("print", "etcd.get"). A source defines a global by assigning
// to it outside of any function; an assignment inside one to a name that nothing else
// defines is a problem, as the slip that it mostly is (a forgotten 'local'). The error is
// that of [Compile].
func Check(name string, src []byte, known []string) ([]Problem, error) {
	if _, err := Compile(name, "", src); err != nil {
		return nil, err
	}
	chunk, err := ParseSource(name, src)
	if err != nil {
		return nil, err
	}
	c := &checker{known: newNameSet(known), columns: newColumns(src)}
	c.block(&names{}, chunk)
	problems := c.judge()
	sort.SliceStable(problems, func(i, j int) bool {
		a, b := problems[i], problems[j]
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return problems, nil
}

// CallsAtTop reports whether a statement of the source outside of any function calls
// the global, as a declaration does: runbook{…}. A source that does not parse calls nothing.
func CallsAtTop(src []byte, global string) bool {
	if !strings.Contains(string(src), global) {
		return false
	}
	chunk, err := ParseSource("", src)
	if err != nil {
		return false
	}
	for _, s := range chunk {
		var values []ast.Expr
		switch s := s.(type) {
		case *ast.FuncCallStmt:
			values = []ast.Expr{s.Expr}
		case *ast.LocalAssignStmt:
			values = s.Exprs
		case *ast.AssignStmt:
			values = s.Rhs
		}
		for _, v := range values {
			call, ok := v.(*ast.FuncCallExpr)
			if !ok {
				continue
			}
			if f, ok := call.Func.(*ast.IdentExpr); ok && f.Value == global {
				return true
			}
		}
	}
	return false
}

// Names lists what a script can name without defining it: the globals, and the
// fields of those that are plain tables as "table.field", two levels deep.
func (h *Host) Names() []string {
	var list []string
	globals := h.state.Get(lua.GlobalsIndex).(*lua.LTable)
	var walk func(prefix string, t *lua.LTable, depth int)
	walk = func(prefix string, t *lua.LTable, depth int) {
		t.ForEach(func(k, v lua.LValue) {
			key, ok := k.(lua.LString)
			if !ok {
				return
			}
			name := prefix + string(key)
			list = append(list, name)
			sub, isTable := v.(*lua.LTable)
			if isTable && depth > 0 && sub.Metatable == lua.LNil && !openEnded[name] {
				walk(name+".", sub, depth-1)
			}
		})
	}
	walk("", globals, 2)
	sort.Strings(list)
	return list
}

// openEnded are tables whose fields are the program's own.
var openEnded = map[string]bool{"_G": true, "args": true, "package": true}

// use is a name that is read, or assigned in a function.
type use struct {
	path         []string // the global and the constant fields after it
	line, column int
	assigned     bool
}

// checker walks a syntax tree, which [ParseSource] keeps from being too deep to recurse.
type checker struct {
	known     *nameSet
	columns   *columns
	functions int // how many functions the walk is in
	uses      []use
}

// judge says which uses name nothing, once all definitions are known.
func (c *checker) judge() []Problem {
	var list []Problem
	told := map[string]bool{}
	for _, u := range c.uses {
		missing, ok := c.known.missing(u.path)
		if !ok {
			continue
		}
		what := "unknown global"
		switch {
		case u.assigned:
			if told[missing] {
				continue
			}
			told[missing] = true
			list = append(list, Problem{u.line, u.column, fmt.Sprintf("the function sets the global '%s', which nothing else defines: is 'local' missing?", missing)})
			continue
		case strings.Contains(missing, "."):
			what = "unknown name"
		}
		message := fmt.Sprintf("%s '%s'", what, missing)
		if near := c.known.nearest(missing); near != "" {
			message += fmt.Sprintf(" (did you mean '%s'?)", near)
		}
		list = append(list, Problem{u.line, u.column, message})
	}
	return list
}

// nameSet is what is defined. A module has the fields that are known and those that
// the source adds; a table of the source's own may have any.
type nameSet struct {
	defined  map[string]bool
	children map[string][]string // of "" and of tables
	closed   map[string]bool     // modules
}

func newNameSet(known []string) *nameSet {
	s := &nameSet{defined: map[string]bool{}, children: map[string][]string{}, closed: map[string]bool{}}
	for _, n := range known {
		s.add(n)
	}
	for parent := range s.children {
		s.closed[parent] = true
	}
	return s
}

func (s *nameSet) add(name string) {
	if s.defined[name] {
		return
	}
	s.defined[name] = true
	parent := ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		parent = name[:i]
	}
	s.children[parent] = append(s.children[parent], name)
}

// missing returns the shortest part of the path that is not defined.
func (s *nameSet) missing(path []string) (name string, isMissing bool) {
	for i, field := range path {
		parent := name
		name = strings.TrimPrefix(parent+"."+field, ".")
		if s.defined[name] {
			continue
		}
		return name, i == 0 || s.closed[parent]
	}
	return "", false
}

// nearest returns the sibling that name is most likely a slip of.
func (s *nameSet) nearest(name string) string {
	i := strings.LastIndexByte(name, '.') + 1
	parent, field := strings.TrimSuffix(name[:i], "."), name[i:]
	var fields []string
	for _, n := range s.children[parent] {
		fields = append(fields, n[i:])
	}
	sort.Strings(fields)
	if near := Nearest(field, fields); near != "" {
		return name[:i] + near
	}
	return ""
}
