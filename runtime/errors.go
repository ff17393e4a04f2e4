package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Code names what went wrong. The list is closed and part of the contract for
// scripts: err.code is one of these.
type Code string

// The codes that this package and its modules raise. The etcd module adds etcd's.
const (
	CodeInvalidArgument Code = "invalid_argument"
	CodeNotFound        Code = "not_found"
	CodeAlreadyExists   Code = "already_exists"
	CodeBusy            Code = "busy"
	CodeClosed          Code = "closed"
	CodeTimeout         Code = "timeout"
	CodeCancelled       Code = "cancelled"
	CodeLimitExceeded   Code = "limit_exceeded"
	CodeNotSupported    Code = "not_supported"
	CodeExitStatus      Code = "exit_status"
	CodeIO              Code = "io"
	CodeParse           Code = "parse"
	CodeScript          Code = "script"
	CodeInternal        Code = "internal"
)

// Error is what host functions raise and what pcall hands to a script.
// Op is the function as a script names it ("etcd.get"), Key what it worked on,
// Message a sentence without file and line, Hint what to do about it.
type Error struct {
	Code      Code
	Message   string
	Op        string
	Key       string
	Hint      string
	Outcome   string // "none", or "unknown" when a write may have been applied
	Retryable bool
	Where     string // file:line of the script; set when it is raised
	Err       error  // what lies below it, for Go
}

// Errorf makes an Error of a code for an operation.
func Errorf(code Code, op, format string, args ...any) *Error {
	return &Error{Code: code, Op: op, Message: fmt.Sprintf(format, args...)}
}

// WithHint adds what to do about it, and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error returns one line: where, code, operation, message.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Where != "" {
		b.WriteString(e.Where + ": ")
	}
	b.WriteString(string(e.Code) + ": ")
	if e.Op != "" && !strings.HasPrefix(e.Message, e.Op) {
		b.WriteString(e.Op + ": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Unwrap returns what lies below.
func (e *Error) Unwrap() error { return e.Err }

// Raised is an error that left Lua: the value that was raised, and the traceback
// taken where it was raised. A raised *Error is reached through errors.As.
type Raised struct {
	Value lua.LValue
	Trace string // lines of "\tfile:line: in function 'name'", innermost first

	text     string // what __tostring of a table returned
	overflow bool   // of the stack: the thread is not to be used again
}

// Error returns the raised value as one line.
func (r *Raised) Error() string {
	if r.text != "" {
		return r.text
	}
	if ud, ok := r.Value.(*lua.LUserData); ok {
		if e, ok := ud.Value.(*Error); ok {
			return e.Error()
		}
	}
	if t, ok := r.Value.(*lua.LTable); ok {
		if m, ok := t.RawGetString("message").(lua.LString); ok {
			return string(m)
		}
		return "a table was raised as an error, without a message field"
	}
	if r.Value == lua.LNil {
		return "nil was raised as an error, without a message"
	}
	return r.Value.String()
}

// Unwrap returns the *Error that was raised, or nil when it was another value.
func (r *Raised) Unwrap() error {
	if ud, ok := r.Value.(*lua.LUserData); ok {
		if e, ok := ud.Value.(*Error); ok {
			return e
		}
	}
	return nil
}

// AsError turns any Go error into an *Error: an *Error below it as it is, the
// context's errors as cancelled and timeout, the rest as code.
func AsError(op string, code Code, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	switch {
	case errors.Is(err, context.Canceled):
		code = CodeCancelled
	case errors.Is(err, context.DeadlineExceeded):
		code = CodeTimeout
	}
	return &Error{Code: code, Op: op, Message: err.Error(), Err: err}
}

// Raise raises err in L and does not return. An *Error becomes an error object
// with the file and line of the script; another error is raised with code internal.
// A *Raised is raised again as the value that it was.
func Raise(L *lua.LState, err error) {
	var r *Raised
	if errors.As(err, &r) {
		L.Error(r.Value, 0)
		return
	}
	e := AsError("", CodeInternal, err)
	if e.Where == "" {
		copied := *e
		copied.Where = where(L)
		e = &copied
	}
	L.Error(HostOf(L).errorValue(e), 0)
}

// Raisef raises an Error made as [Errorf] makes it. It does not return.
func Raisef(L *lua.LState, code Code, op, format string, args ...any) {
	Raise(L, Errorf(code, op, format, args...))
}

func (h *Host) errorValue(e *Error) lua.LValue { return h.errorType.New(e) }

var errorFields = map[string]func(*Error) lua.LValue{
	"code":      func(e *Error) lua.LValue { return lua.LString(e.Code) },
	"message":   func(e *Error) lua.LValue { return lua.LString(e.Message) },
	"op":        func(e *Error) lua.LValue { return optString(e.Op) },
	"key":       func(e *Error) lua.LValue { return optString(e.Key) },
	"hint":      func(e *Error) lua.LValue { return optString(e.Hint) },
	"where":     func(e *Error) lua.LValue { return optString(e.Where) },
	"retryable": func(e *Error) lua.LValue { return lua.LBool(e.Retryable) },
	"outcome": func(e *Error) lua.LValue {
		if e.Outcome == "" {
			return lua.LString("none")
		}
		return lua.LString(e.Outcome)
	},
}

func optString(s string) lua.LValue {
	if s == "" {
		return lua.LNil
	}
	return lua.LString(s)
}

func (h *Host) newErrorType() *Type[*Error] {
	t := NewType[*Error](h, "error", nil)
	t.Field = func(_ *lua.LState, e *Error, name string) lua.LValue {
		if f, ok := errorFields[name]; ok {
			return f(e)
		}
		return lua.LNil
	}
	t.String = func(e *Error) string { return e.Error() }
	t.Keys = []string{"code", "message", "op", "key", "hint", "where", "retryable", "outcome"}
	// Error strings are joined with .. all over the Lua that exists.
	t.Meta("__concat", func(L *lua.LState) int {
		L.Push(L.ToStringMeta(L.Get(1)))
		L.Push(L.ToStringMeta(L.Get(2)))
		L.Push(lua.LString(L.Get(-2).String() + L.Get(-1).String()))
		return 1
	})
	return t
}
