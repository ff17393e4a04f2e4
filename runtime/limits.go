package runtime

import (
	"bytes"
	"fmt"

	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

const (
	// maxOpen bounds open brackets and blocks, and prefix operators in a row, before
	// the source is parsed: the parser's stack grows with them.
	maxOpen = 200
	// maxTreeDepth bounds the syntax tree: the compiler recurses over it, and a Go
	// stack that overflows ends the process. Chains of a..b..c and of elseif count too.
	maxTreeDepth = 1000
)

// checkNesting scans the tokens for brackets, blocks and prefix operators that are
// nested too deep. What does not scan is left to the parser to report.
func checkNesting(name string, src []byte) error {
	scanner := parse.NewScanner(bytes.NewReader(src), name)
	lexer := &parse.Lexer{}
	open, prefix, chain := 0, 0, 0
	for {
		tok, err := scanner.Scan(lexer)
		if err != nil || tok.Type < 0 {
			return nil
		}
		lexer.PrevTokenType = tok.Type
		switch tok.Type {
		case '(', '[', '{', parse.TDo, parse.TIf, parse.TFunction, parse.TRepeat:
			open++
			prefix = 0
		case ')', ']', '}', parse.TEnd, parse.TUntil:
			open = max(open-1, 0)
			prefix = 0
		case '#', '-', parse.TNot:
			prefix++
		case parse.T2Comma, '^': // .. and ^ group to the right: a chain stands on the parser's stack
			chain++
			prefix = 0
		case ',', ';', '=', parse.TLocal, parse.TReturn:
			chain, prefix = 0, 0
		default:
			prefix = 0
		}
		if open > maxOpen || prefix > maxOpen || chain > maxTreeDepth {
			return sourceError(name, src, tok.Pos.Line, tok.Pos.Column,
				fmt.Sprintf("brackets, blocks or operators are nested more than %d deep", maxOpen))
		}
	}
}

// node is a place in the syntax tree that has still to be looked at.
type node struct {
	value any // ast.Stmt, ast.Expr
	depth int
}

// tooDeep walks the tree with a stack of its own and reports the line of the first
// node below maxTreeDepth.
func tooDeep(chunk []ast.Stmt) (line int, deep bool) {
	w := &walker{limit: maxTreeDepth}
	w.stmts(chunk, 1)
	return w.walk()
}

type walker struct {
	limit int       // of depth; 0 is none
	visit func(any) // may change the blocks of the node; may be nil
	todo  []node
}

// walk goes on until everything was visited, or reports the first node that is too deep.
func (w *walker) walk() (line int, deep bool) {
	for len(w.todo) > 0 {
		n := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if w.limit > 0 && n.depth > w.limit {
			return n.value.(ast.PositionHolder).Line(), true
		}
		if w.visit != nil {
			w.visit(n.value)
		}
		if s, ok := n.value.(ast.Stmt); ok {
			w.stmt(s, n.depth+1)
			continue
		}
		w.expr(n.value.(ast.Expr), n.depth+1)
	}
	return 0, false
}

func (w *walker) stmts(list []ast.Stmt, depth int) {
	for _, s := range list {
		w.todo = append(w.todo, node{s, depth})
	}
}

func (w *walker) exprs(depth int, list ...ast.Expr) {
	for _, e := range list {
		if e != nil {
			w.todo = append(w.todo, node{e, depth})
		}
	}
}

func (w *walker) stmt(s ast.Stmt, depth int) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		w.exprs(depth, s.Lhs...)
		w.exprs(depth, s.Rhs...)
	case *ast.LocalAssignStmt:
		w.exprs(depth, s.Exprs...)
	case *ast.FuncCallStmt:
		w.exprs(depth, s.Expr)
	case *ast.DoBlockStmt:
		w.stmts(s.Stmts, depth)
	case *ast.WhileStmt:
		w.exprs(depth, s.Condition)
		w.stmts(s.Stmts, depth)
	case *ast.RepeatStmt:
		w.exprs(depth, s.Condition)
		w.stmts(s.Stmts, depth)
	case *ast.IfStmt:
		w.exprs(depth, s.Condition)
		w.stmts(s.Then, depth)
		w.stmts(s.Else, depth)
	case *ast.NumberForStmt:
		w.exprs(depth, s.Init, s.Limit, s.Step)
		w.stmts(s.Stmts, depth)
	case *ast.GenericForStmt:
		w.exprs(depth, s.Exprs...)
		w.stmts(s.Stmts, depth)
	case *ast.FuncDefStmt:
		w.exprs(depth, s.Name.Func, s.Name.Receiver, s.Func)
	case *ast.ReturnStmt:
		w.exprs(depth, s.Exprs...)
	}
}

func (w *walker) expr(e ast.Expr, depth int) {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		w.exprs(depth, e.Object, e.Key)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			w.exprs(depth, f.Key, f.Value)
		}
	case *ast.FuncCallExpr:
		w.exprs(depth, e.Func, e.Receiver)
		w.exprs(depth, e.Args...)
	case *ast.LogicalOpExpr:
		w.exprs(depth, e.Lhs, e.Rhs)
	case *ast.RelationalOpExpr:
		w.exprs(depth, e.Lhs, e.Rhs)
	case *ast.StringConcatOpExpr:
		w.exprs(depth, e.Lhs, e.Rhs)
	case *ast.ArithmeticOpExpr:
		w.exprs(depth, e.Lhs, e.Rhs)
	case *ast.UnaryMinusOpExpr:
		w.exprs(depth, e.Expr)
	case *ast.UnaryNotOpExpr:
		w.exprs(depth, e.Expr)
	case *ast.UnaryLenOpExpr:
		w.exprs(depth, e.Expr)
	case *ast.FunctionExpr:
		w.stmts(e.Stmts, depth)
	}
}
