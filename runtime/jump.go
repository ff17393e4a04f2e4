package runtime

import "github.com/yuin/gopher-lua/ast"

// A closure keeps a local that it uses after the local's block was left: the VM closes the
// variable then, at the end of the block or before a jump out of it. gopher-lua gets it
// wrong for jumps.
//
// A break closes what the loop's own block declares, not what blocks in it do: in
// "while true do if x then local v = 1 f = function() return v end break end end"
// the closure goes on to read a register that is used for other locals.
//
// A goto closes every captured local of the whole function, unless the blocks that it
// leaves have captured ones themselves: after it, closures and the function that they
// were made in see different variables.
//
// Gotos work when their own block has a captured local. So each gets a block with one, and
// breaks out of inner blocks become such gotos.

const (
	afterLoop = "(after the loop)" // a label, which no script can name
	anchor    = "(anchor)"         // a captured local
)

// repairGoto is
//
//	do
//	  local anchor
//	  goto label
//	  local closure = function() return anchor end -- never made, but compiled
//	end
func repairGoto(s *ast.GotoStmt) ast.Stmt {
	use := at(&ast.IdentExpr{Value: anchor}, s)
	return at(&ast.DoBlockStmt{Stmts: []ast.Stmt{
		at(&ast.LocalAssignStmt{Names: []string{anchor}}, s),
		s,
		at(&ast.LocalAssignStmt{Names: []string{"(closure)"}, Exprs: []ast.Expr{returning(use, false)}}, s),
	}}, s)
}

// isAnchored reports whether list[i] is the goto in a block that repairGoto made.
func isAnchored(list []ast.Stmt, i int) bool {
	if i != 1 {
		return false
	}
	local, ok := list[0].(*ast.LocalAssignStmt)
	return ok && local.Names[0] == anchor
}

// repairLoop turns the breaks out of inner blocks into gotos to a label after the loop.
func repairLoop(loop ast.Stmt, body []ast.Stmt) ast.Stmt {
	if !retarget(body, false) {
		return loop
	}
	label := at(&ast.LabelStmt{Name: afterLoop}, loop)
	label.SetLine(loop.LastLine())
	return at(&ast.DoBlockStmt{Stmts: []ast.Stmt{loop, label}}, loop)
}

// retarget replaces the breaks of one loop that stand in blocks of its body.
func retarget(list []ast.Stmt, inner bool) (found bool) {
	for i, s := range list {
		switch s := s.(type) {
		case *ast.BreakStmt:
			if inner {
				list[i] = at(&ast.GotoStmt{Label: afterLoop}, s)
				found = true
			}
		case *ast.DoBlockStmt:
			found = retarget(s.Stmts, true) || found
		case *ast.IfStmt:
			found = retarget(s.Then, true) || found
			found = retarget(s.Else, true) || found
		}
	}
	return found
}
