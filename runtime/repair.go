package runtime

import "github.com/yuin/gopher-lua/ast"

// gopher-lua shortens a jump whose target is a jump. When the target lies before the
// jump it has been patched already, and its distance is then taken for the number of a
// label: the loop goes on somewhere else in the function, with no error. It happens to
// a loop whose body begins with break or goto ("for _ in pairs(t) do break end", which
// asks whether a table is empty), and to a backward goto whose label is followed by one.
// The repair puts an instruction that does nothing in front of such a jump.
//
// It also leaves a loop's state and control variables as they were in their registers
// when a generic for has fewer names than three and no call that fills them: "for k in
// iterator do" then starts with the control value of an earlier loop. The repair says
// the missing nils.

// repair changes a parsed chunk so that gopher-lua compiles it to what it says.
func repair(chunk []ast.Stmt) []ast.Stmt {
	w := &walker{visit: repairNode}
	chunk = repairBlock(chunk, false)
	w.stmts(chunk, 1)
	w.walk()
	return chunk
}

func repairNode(n any) {
	switch n := n.(type) {
	case *ast.DoBlockStmt:
		n.Stmts = repairBlock(n.Stmts, false)
	case *ast.WhileStmt:
		n.Stmts = repairBlock(n.Stmts, true)
	case *ast.RepeatStmt:
		n.Stmts = repairBlock(n.Stmts, true)
	case *ast.GenericForStmt:
		n.Stmts = repairBlock(n.Stmts, true)
		n.Exprs = fillIterator(n)
	case *ast.NumberForStmt:
		n.Stmts = repairBlock(n.Stmts, false)
	case *ast.IfStmt:
		n.Then = repairBlock(n.Then, false)
		n.Else = repairBlock(n.Else, false)
	case *ast.FunctionExpr:
		n.Stmts = repairBlock(n.Stmts, false)
	case *ast.TableExpr:
		repairTable(n)
	}
}

// repairBlock fills the beginning of a loop's body and what follows a label, and
// repairs the statements that are to be replaced as a whole.
func repairBlock(list []ast.Stmt, loop bool) []ast.Stmt {
	target := loop
	for i := 0; i < len(list); i++ {
		if target && mayBeginWithJump(list[i]) {
			list = append(list[:i:i], append([]ast.Stmt{filler(list[i])}, list[i:]...)...)
			i++
		}
		_, target = list[i].(*ast.LabelStmt)
		list[i] = repairStmt(list, i)
	}
	return list
}

func repairStmt(list []ast.Stmt, i int) ast.Stmt {
	switch s := list[i].(type) {
	case *ast.AssignStmt:
		return repairAssign(s)
	case *ast.GotoStmt:
		if !isAnchored(list, i) {
			return repairGoto(s)
		}
	case *ast.WhileStmt:
		return repairLoop(s, s.Stmts)
	case *ast.RepeatStmt:
		return repairLoop(s, s.Stmts)
	case *ast.NumberForStmt:
		return repairLoop(s, s.Stmts)
	case *ast.GenericForStmt:
		return repairLoop(s, s.Stmts)
	}
	return list[i]
}

// fillIterator says nil for the state and the control variable where nothing gives them.
func fillIterator(n *ast.GenericForStmt) []ast.Expr {
	list := n.Exprs
	switch list[len(list)-1].(type) {
	case *ast.FuncCallExpr, *ast.Comma3Expr: // gives as many values as are asked for
		return list
	}
	for len(list) < 3 {
		none := &ast.NilExpr{}
		none.SetLine(n.Line())
		none.SetLastLine(n.Line())
		list = append(list[:len(list):len(list)], none)
	}
	return list
}

// filler is "do local _ end": one instruction, and no name that anything could see.
func filler(at ast.Stmt) ast.Stmt {
	local := &ast.LocalAssignStmt{Names: []string{"(filler)"}, Exprs: []ast.Expr{}}
	block := &ast.DoBlockStmt{Stmts: []ast.Stmt{local}}
	for _, s := range []ast.Stmt{local, block} {
		s.SetLine(at.Line())
		s.SetLastLine(at.Line())
	}
	return block
}

// mayBeginWithJump errs on the side of yes: a filler costs one instruction.
func mayBeginWithJump(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.FuncDefStmt:
		return false
	case *ast.FuncCallStmt:
		return mayContainJump(s.Expr)
	case *ast.NumberForStmt:
		return mayContainJump(s.Init)
	case *ast.GenericForStmt:
		return mayContainJump(s.Exprs...)
	case *ast.IfStmt:
		return beginsWithConstant(s.Condition) || mayContainJump(s.Condition)
	case *ast.WhileStmt:
		return beginsWithConstant(s.Condition) || mayContainJump(s.Condition)
	case *ast.LocalAssignStmt:
		return mayContainJump(s.Exprs...)
	case *ast.AssignStmt:
		return mayContainJump(s.Lhs...) || mayContainJump(s.Rhs...)
	}
	return true
}

// mayContainJump looks for logical operations that begin with a jump. Any of them may be
// the first instruction: constants and locals that stand before it need none.
func mayContainJump(list ...ast.Expr) bool {
	w := &walker{}
	w.exprs(1, list...)
	for len(w.todo) > 0 {
		n := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		switch e := n.value.(type) {
		case *ast.FunctionExpr: // has code of its own
		case *ast.LogicalOpExpr:
			if beginsWithConstant(e) {
				return true
			}
			w.expr(e, n.depth)
		case ast.Expr:
			w.expr(e, n.depth)
		}
	}
	return false
}

// beginsWithConstant looks for the conditions and logical operations that are decided
// when they are compiled, and then begin with a jump.
func beginsWithConstant(e ast.Expr) bool {
	for {
		switch x := e.(type) {
		case ast.ConstExpr:
			return true
		case *ast.LogicalOpExpr:
			e = x.Lhs
		case *ast.UnaryNotOpExpr:
			e = x.Expr
		default:
			return false
		}
	}
}
