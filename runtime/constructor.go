package runtime

import "github.com/yuin/gopher-lua/ast"

const (
	// entriesPerFlush is how many list entries of a constructor the compiler collects in
	// registers before it stores them (lua.FieldsPerFlush).
	entriesPerFlush = 50
	// maxListEntries is where the number of such batches no longer fits its instruction.
	// gopher-lua then stores the entries at wrong indexes.
	maxListEntries = 511 * entriesPerFlush
)

// tooWide reports the line of a table constructor with more than maxListEntries.
func tooWide(chunk []ast.Stmt) (line int, wide bool) {
	w := &walker{visit: func(n any) {
		t, ok := n.(*ast.TableExpr)
		if !ok || len(t.Fields) <= maxListEntries {
			return
		}
		if entries, _ := countEntries(t); entries > maxListEntries {
			line, wide = t.Line(), true
		}
	}}
	w.stmts(chunk, 1)
	w.walk()
	return line, wide
}

// countEntries counts the list entries; full says whether a named field follows a full batch.
func countEntries(t *ast.TableExpr) (entries int, full bool) {
	for _, f := range t.Fields {
		if f.Key == nil {
			entries++
		} else if entries > 0 && entries%entriesPerFlush == 0 {
			full = true
		}
	}
	return entries, full
}

// repairTable changes a table constructor so that gopher-lua compiles it right.
//
// {"a", x = f()}: when the last field is named and its value is a call or "...", the
// compiler stores whatever stands above in the registers as further list entries. Marked
// as in parentheses, the value is one value, which it is anyway.
//
// {1, 2, …, 50, x = y}: a named field right after a full batch makes the compiler store the
// batch again, when its registers are in use for the field. Named fields go first then.
//
// {1, 2, …, 50, f()}: after full batches the results of a last call are stored over the
// last batch. It becomes {1, 2, …, 49, (function(...) return ... end)(50, f())}.
func repairTable(t *ast.TableExpr) {
	for _, f := range t.Fields {
		if f.Key == nil {
			continue
		}
		switch v := f.Value.(type) {
		case *ast.FuncCallExpr:
			v.AdjustRet = true
		case *ast.Comma3Expr:
			v.AdjustRet = true
		}
	}
	entries, full := countEntries(t)
	if full {
		t.Fields = namedFirst(t.Fields)
	}
	if n := len(t.Fields); entries > 1 && (entries-1)%entriesPerFlush == 0 && manyValues(t.Fields[n-1]) {
		t.Fields[n-2].Value = passOn(t.Fields[n-2].Value, t.Fields[n-1].Value)
		t.Fields = t.Fields[:n-1]
	}
}

// manyValues reports whether a field adds all the values of a call or of "...".
func manyValues(f *ast.Field) bool {
	switch v := f.Value.(type) {
	case *ast.FuncCallExpr:
		return f.Key == nil && !v.AdjustRet
	case *ast.Comma3Expr:
		return f.Key == nil && !v.AdjustRet
	}
	return false
}

// passOn is (function(...) return ... end)(args).
func passOn(args ...ast.Expr) ast.Expr {
	all := at(&ast.Comma3Expr{}, args[0])
	return at(&ast.FuncCallExpr{Func: returning(all, true), Args: args}, args[0])
}

// returning is function() return value end, with "..." as its parameters if varargs.
func returning(value ast.Expr, varargs bool) ast.Expr {
	result := at(&ast.ReturnStmt{Exprs: []ast.Expr{value}}, value)
	parameters := &ast.ParList{HasVargs: varargs, Names: []string{}}
	return at(&ast.FunctionExpr{ParList: parameters, Stmts: []ast.Stmt{result}}, value)
}

func namedFirst(fields []*ast.Field) []*ast.Field {
	sorted := make([]*ast.Field, 0, len(fields))
	for _, f := range fields {
		if f.Key != nil {
			sorted = append(sorted, f)
		}
	}
	for _, f := range fields {
		if f.Key == nil {
			sorted = append(sorted, f)
		}
	}
	return sorted
}
