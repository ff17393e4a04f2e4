package runtime

import (
	"fmt"

	"github.com/yuin/gopher-lua/ast"
)

// gopher-lua evaluates the values of an assignment straight into the locals that are
// assigned to, so that "a, b = b, a" reads an a that is new already; and a call that gives
// one value to a function's last parameter, as in "a, t.x = f(a), 1" or "a = (f(a))", is
// made in that parameter's own register, over the argument. Sometimes the registers
// that are stored were never set, and Go's nil comes out of them.
//
// repairAssign writes what Lua promises, everything evaluated before anything is
// assigned, as locals that no script can name. "a, t[k] = x, y" becomes
//
//	do
//	  local o2, k2 = t, k
//	  local v1, v2 = x, y
//	  o2[k2] = v2
//	  a = v1
//	end
func repairAssign(s *ast.AssignStmt) ast.Stmt {
	if len(s.Lhs) == 1 && len(s.Rhs) == 1 {
		if call, ok := s.Rhs[0].(*ast.FuncCallExpr); ok {
			call.AdjustRet = false // one value is asked for anyway
		}
		return s
	}
	prefixes := &ast.LocalAssignStmt{}
	values := &ast.LocalAssignStmt{Exprs: s.Rhs}
	stores := make([]ast.Stmt, len(s.Lhs))
	for i, target := range s.Lhs {
		values.Names = append(values.Names, hiddenName("value", i))
		store := &ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{hidden("value", i, target)}}
		if t, ok := target.(*ast.AttrGetExpr); ok {
			store.Lhs[0] = hoist(t, i, prefixes)
		}
		stores[len(stores)-1-i] = at(store, target) // the last first, as Lua does
	}
	block := &ast.DoBlockStmt{}
	if len(prefixes.Names) > 0 {
		block.Stmts = append(block.Stmts, at(prefixes, s))
	}
	block.Stmts = append(append(block.Stmts, at(values, s)), stores...)
	return at(block, s)
}

// hoist returns the i-th target with its table and key read from locals that are set in
// prefixes; a constant key stays.
func hoist(t *ast.AttrGetExpr, i int, prefixes *ast.LocalAssignStmt) *ast.AttrGetExpr {
	hoisted := &ast.AttrGetExpr{Object: hidden("table", i, t.Object), Key: t.Key}
	prefixes.Names = append(prefixes.Names, hiddenName("table", i))
	prefixes.Exprs = append(prefixes.Exprs, single(t.Object))
	if _, constant := t.Key.(ast.ConstExpr); !constant {
		hoisted.Key = hidden("key", i, t.Key)
		prefixes.Names = append(prefixes.Names, hiddenName("key", i))
		prefixes.Exprs = append(prefixes.Exprs, single(t.Key))
	}
	return at(hoisted, t)
}

// single marks a call or "..." as one value, wherever it stands in a list.
func single(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

// hiddenName is no name that could be written in Lua.
func hiddenName(what string, i int) string { return fmt.Sprintf("(%s %d)", what, i+1) }

func hidden(what string, i int, place ast.PositionHolder) ast.Expr {
	return at(&ast.IdentExpr{Value: hiddenName(what, i)}, place)
}

// at gives a new node the place of the one that it stands for.
func at[N ast.PositionHolder](n N, place ast.PositionHolder) N {
	n.SetLine(place.Line())
	n.SetLastLine(place.LastLine())
	return n
}
