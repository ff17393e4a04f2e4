package runtime

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// maxSource bounds a source file: parsing costs a few hundred bytes for each of its.
const maxSource = 4 << 20

// Script is compiled Lua. It holds no state and can be run by any number of hosts.
type Script struct {
	Name  string // as messages show it
	Dir   string // where its require looks; "" is the current folder
	proto *lua.FunctionProto
}

// LoadFile reads and compiles a script file. A first line that starts with # is
// skipped. The error is an *Error with code io or parse, and names the file.
func LoadFile(path string) (*Script, error) {
	src, err := ReadSource(path)
	if err != nil {
		return nil, err
	}
	return Compile(path, filepath.Dir(path), src)
}

// ReadSource reads a source file, and says in one line why it cannot be one.
func ReadSource(path string) ([]byte, error) {
	fail := func(format string, args ...any) ([]byte, error) {
		return nil, &Error{Code: CodeIO, Key: path, Message: fmt.Sprintf("%s: ", path) + fmt.Sprintf(format, args...)}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fail("there is no such file")
	case err != nil:
		return fail("%v", errors.Unwrap(err))
	case info.IsDir():
		return fail("is a folder, not a script")
	case info.Size() > maxSource:
		return fail("is %d bytes long; a script may have %d", info.Size(), maxSource)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return fail("%v", errors.Unwrap(err))
	}
	return src, nil
}

// Compile compiles Lua source. name is shown in messages, dir is where require
// looks. The error is an *Error with code parse, whose Where is file:line:column and
// whose Hint shows the line.
func Compile(name, dir string, src []byte) (*Script, error) {
	chunk, err := ParseSource(name, src)
	if err != nil {
		return nil, err
	}
	proto, err := lua.Compile(repair(chunk), name)
	if err != nil {
		return nil, compileError(name, src, err)
	}
	return &Script{Name: name, Dir: dir, proto: proto}, nil
}

// ParseSource parses Lua source within the bounds of size and nesting that keep the
// compiler, which recurses over the tree, from ending the process.
func ParseSource(name string, src []byte) ([]ast.Stmt, error) {
	if len(src) > maxSource {
		return nil, &Error{Code: CodeParse, Where: name, Message: fmt.Sprintf("the source is %d bytes long; %d are allowed", len(src), maxSource)}
	}
	if bytes.IndexByte(src, 0) >= 0 {
		return nil, &Error{Code: CodeParse, Where: name, Message: "the file is binary, not Lua source"}
	}
	src = stripHead(src)
	if err := checkNesting(name, src); err != nil {
		return nil, err
	}
	chunk, err := parse.Parse(bytes.NewReader(src), name)
	if err != nil {
		return nil, parseError(name, src, err)
	}
	if at, ok := tooDeep(chunk); ok {
		return nil, sourceError(name, src, at, 1, fmt.Sprintf("an expression or block is nested more than %d deep", maxTreeDepth))
	}
	if at, ok := tooWide(chunk); ok {
		return nil, sourceError(name, src, at, 1, fmt.Sprintf("a table is written out with more than %d list entries: make it in pieces", maxListEntries))
	}
	return chunk, nil
}

// stripHead blanks a byte order mark and a #! line, keeping the line numbers.
func stripHead(src []byte) []byte {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	if len(src) == 0 || src[0] != '#' {
		return src
	}
	end := bytes.IndexByte(src, '\n')
	if end < 0 {
		return nil
	}
	return src[end:]
}

func parseError(name string, src []byte, err error) error {
	var pe *parse.Error
	if !errors.As(err, &pe) {
		return &Error{Code: CodeParse, Where: name, Message: err.Error()}
	}
	line, column := pe.Pos.Line, pe.Pos.Column-len(pe.Token)+1
	message := strings.TrimSpace(pe.Message)
	if line < 1 { // at the end of the file
		line = 1 + bytes.Count(bytes.TrimRight(src, "\n"), []byte("\n"))
		lines := bytes.Split(src, []byte("\n"))
		column = len(lines[line-1]) + 1
		message += " at the end of the file (is an 'end' or a bracket missing?)"
	} else if pe.Token != "" {
		message += fmt.Sprintf(" near '%s'", pe.Token)
	}
	return sourceError(name, src, line, max(column, 1), message)
}

func compileError(name string, src []byte, err error) error {
	var ce *lua.CompileError
	if errors.As(err, &ce) {
		line := ce.Line
		if i := strings.LastIndex(ce.Message, "at line "); i >= 0 { // a goto: Line is the end of its block
			_, _ = fmt.Sscanf(ce.Message[i:], "at line %d", &line)
		}
		return sourceError(name, stripHead(src), line, 1, ce.Message)
	}
	return &Error{Code: CodeParse, Where: name, Message: err.Error()}
}

// sourceError is a parse error with the line that it is about and a caret below the column.
func sourceError(name string, src []byte, line, column int, message string) *Error {
	e := &Error{Code: CodeParse, Where: name, Message: message}
	lines := bytes.Split(src, []byte("\n"))
	if line < 1 || line > len(lines) { // the compiler does not always know
		return e
	}
	e.Where = fmt.Sprintf("%s:%d:%d", name, line, column)
	text := string(bytes.TrimRight(lines[line-1], "\r"))
	column = min(column, len(text)+1)
	const width = 100 // a longer line is cut around the column
	start := max(0, column-1-width/2)
	excerpt := text[start:min(len(text), start+width)]
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return '\t'
		}
		return ' '
	}, text[start:column-1])
	e.Hint = excerpt + "\n" + pad + "^"
	return e
}
