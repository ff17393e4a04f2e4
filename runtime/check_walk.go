package runtime

import (
	"bytes"

	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// names are the local variables of a block.
type names struct {
	outer *names
	here  map[string]bool
}

func (n *names) declare(list ...string) {
	if n.here == nil {
		n.here = map[string]bool{}
	}
	for _, name := range list {
		n.here[name] = true
	}
}

func (n *names) has(name string) bool {
	for ; n != nil; n = n.outer {
		if n.here[name] {
			return true
		}
	}
	return false
}

// block walks statements in a block of their own.
func (c *checker) block(outer *names, list []ast.Stmt, locals ...string) *names {
	n := &names{outer: outer}
	n.declare(locals...)
	for _, s := range list {
		c.stmt(n, s)
	}
	return n
}

func (c *checker) stmt(n *names, s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		c.exprs(n, s.Lhs, c.target)
		c.exprs(n, s.Rhs, c.expr)
	case *ast.LocalAssignStmt:
		c.localAssign(n, s)
	case *ast.FuncCallStmt:
		c.expr(n, s.Expr)
	case *ast.DoBlockStmt:
		c.block(n, s.Stmts)
	case *ast.WhileStmt:
		c.expr(n, s.Condition)
		c.block(n, s.Stmts)
	case *ast.RepeatStmt:
		inner := c.block(n, s.Stmts)
		c.expr(inner, s.Condition) // until sees the body's locals
	case *ast.IfStmt:
		c.expr(n, s.Condition)
		c.block(n, s.Then)
		c.block(n, s.Else)
	case *ast.NumberForStmt:
		c.exprs(n, []ast.Expr{s.Init, s.Limit, s.Step}, c.expr)
		c.block(n, s.Stmts, s.Name)
	case *ast.GenericForStmt:
		c.exprs(n, s.Exprs, c.expr)
		c.block(n, s.Stmts, s.Names...)
	case *ast.FuncDefStmt:
		c.functionDefinition(n, s)
	case *ast.ReturnStmt:
		c.exprs(n, s.Exprs, c.expr)
	}
}

// localAssign declares after the values: in local x = x the second x is another one.
// A local function is one expression of its own name, and sees itself.
func (c *checker) localAssign(n *names, s *ast.LocalAssignStmt) {
	if len(s.Names) == 1 && len(s.Exprs) == 1 {
		if _, ok := s.Exprs[0].(*ast.FunctionExpr); ok && c.columns.isLocalFunction(s.Line(), s.Names[0]) {
			n.declare(s.Names...)
		}
	}
	c.exprs(n, s.Exprs, c.expr)
	n.declare(s.Names...)
}

// functionDefinition is function a.b:c() … end: an assignment.
func (c *checker) functionDefinition(n *names, s *ast.FuncDefStmt) {
	if s.Name.Func != nil {
		c.target(n, s.Name.Func)
		c.expr(n, s.Func)
		return
	}
	if path, first, ok := globalPath(n, s.Name.Receiver); ok {
		if c.functions == 0 {
			c.known.add(joinPath(append(path, s.Name.Method)))
		}
		c.use(path, first, false)
	}
	c.function(n, s.Func, "self")
}

// target is what is assigned to.
func (c *checker) target(n *names, e ast.Expr) {
	path, first, ok := globalPath(n, e)
	if !ok {
		c.expr(n, e)
		return
	}
	if path[0] == "_G" && len(path) == 2 {
		path = path[1:]
	}
	if len(path) > 1 {
		c.use(path[:len(path)-1], first, false)
	}
	switch {
	case c.functions == 0 || len(path) > 1:
		c.known.add(joinPath(path))
	default:
		c.use(path, first, true)
	}
}

func (c *checker) exprs(n *names, list []ast.Expr, visit func(*names, ast.Expr)) {
	for _, e := range list {
		if e != nil {
			visit(n, e)
		}
	}
}

func (c *checker) expr(n *names, e ast.Expr) {
	if path, first, ok := globalPath(n, e); ok {
		c.use(path, first, false)
		return
	}
	switch e := e.(type) {
	case *ast.IdentExpr: // a local
		c.columns.next(e.Line(), e.Value)
	case *ast.AttrGetExpr:
		c.expr(n, e.Object)
		c.expr(n, e.Key)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			c.exprs(n, []ast.Expr{f.Key, f.Value}, c.expr)
		}
	case *ast.FuncCallExpr:
		c.exprs(n, []ast.Expr{e.Func, e.Receiver}, c.expr)
		c.exprs(n, e.Args, c.expr)
	case *ast.LogicalOpExpr:
		c.exprs(n, []ast.Expr{e.Lhs, e.Rhs}, c.expr)
	case *ast.RelationalOpExpr:
		c.exprs(n, []ast.Expr{e.Lhs, e.Rhs}, c.expr)
	case *ast.StringConcatOpExpr:
		c.exprs(n, []ast.Expr{e.Lhs, e.Rhs}, c.expr)
	case *ast.ArithmeticOpExpr:
		c.exprs(n, []ast.Expr{e.Lhs, e.Rhs}, c.expr)
	case *ast.UnaryMinusOpExpr:
		c.expr(n, e.Expr)
	case *ast.UnaryNotOpExpr:
		c.expr(n, e.Expr)
	case *ast.UnaryLenOpExpr:
		c.expr(n, e.Expr)
	case *ast.FunctionExpr:
		c.function(n, e)
	}
}

func (c *checker) function(n *names, f *ast.FunctionExpr, more ...string) {
	c.functions++
	c.block(n, f.Stmts, append(append(more, "arg"), f.ParList.Names...)...)
	c.functions--
}

// use notes a use of a global for when all definitions are known.
func (c *checker) use(path []string, at *ast.IdentExpr, assigned bool) {
	u := use{path: path, line: at.Line(), assigned: assigned}
	u.column = c.columns.next(u.line, path[0])
	c.uses = append(c.uses, u)
}

// globalPath takes a.b.c apart when a is not a local: the names, and a's place. A
// field that is not constant ends the path, and what follows it is unknown.
func globalPath(n *names, e ast.Expr) (path []string, first *ast.IdentExpr, ok bool) {
	switch e := e.(type) {
	case *ast.IdentExpr:
		if n.has(e.Value) {
			return nil, nil, false
		}
		return []string{e.Value}, e, true
	case *ast.AttrGetExpr:
		key, isString := e.Key.(*ast.StringExpr)
		if !isString {
			return nil, nil, false
		}
		path, first, ok := globalPath(n, e.Object)
		return append(path, key.Value), first, ok
	}
	return nil, nil, false
}

func joinPath(path []string) string {
	var b bytes.Buffer
	for i, p := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p)
	}
	return b.String()
}

// columns finds the columns of names, which the syntax tree does not have: the
// tokens of that name in the line that can be uses of a variable, in order.
type columns struct {
	at        map[int][]identifier // by line
	functions map[identifier]bool  // local function names, by line in place of the column
}

type identifier struct {
	name   string
	column int
}

func newColumns(src []byte) *columns {
	c := &columns{at: map[int][]identifier{}, functions: map[identifier]bool{}}
	scanner := parse.NewScanner(bytes.NewReader(stripHead(src)), "")
	lexer := &parse.Lexer{}
	var last, beforeLast int
	for {
		tok, err := scanner.Scan(lexer)
		if err != nil || tok.Type < 0 {
			return c
		}
		lexer.PrevTokenType = tok.Type
		if tok.Type == parse.TIdent {
			switch {
			case last == parse.TFunction && beforeLast == parse.TLocal:
				c.functions[identifier{tok.Str, tok.Pos.Line}] = true
			case last != '.' && last != ':' && last != parse.TLocal && last != parse.TGoto && last != parse.TFor:
				c.at[tok.Pos.Line] = append(c.at[tok.Pos.Line], identifier{tok.Str, tok.Pos.Column})
			}
		}
		beforeLast, last = last, tok.Type
	}
}

// next returns the column of the next use of the name in the line, 1 when there is none.
func (c *columns) next(line int, name string) int {
	list := c.at[line]
	for i, id := range list {
		if id.name == name {
			c.at[line] = append(append([]identifier{}, list[:i]...), list[i+1:]...)
			return id.column
		}
	}
	return 1
}

func (c *columns) isLocalFunction(line int, name string) bool {
	return c.functions[identifier{name, line}]
}
