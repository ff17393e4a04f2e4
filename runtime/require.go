package runtime

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// loading is a file that is being run by require. Its Lua may wait, so that another
// task can ask for it meanwhile: that one waits for the end.
type loading struct {
	by   *Task
	done chan struct{}
}

func (h *Host) require(L *lua.LState) int {
	var name string
	Unpack(L, "require", "name", &name)
	for {
		if v := h.loaded.RawGetString(name); v != lua.LNil {
			L.Push(v)
			return 1
		}
		l := h.loading[name]
		if l == nil {
			break
		}
		h.awaitLoading(L, name, l)
	}
	L.Push(h.loadModule(L, name))
	return 1
}

func (h *Host) loadModule(L *lua.LState, name string) lua.LValue {
	if v, ok := h.modules[name]; ok {
		if path := h.findFile(name); path != "" {
			h.Log.Warn("a file has the name of a built-in module, which require returns; say ./ to get the file",
				"file", path, "require", "./"+name)
		}
		h.loaded.RawSetString(name, v)
		return v
	}
	path := h.findFile(name)
	if path == "" {
		Raise(L, h.notFound(name))
	}
	fn := h.mustLoadFile(L, path)

	l := &loading{by: contextOf(L).task, done: make(chan struct{})}
	h.loading[name] = l
	defer func() {
		delete(h.loading, name)
		close(l.done)
	}()
	L.Push(fn)
	L.Push(lua.LString(name))
	L.Call(1, 1)
	v := L.Get(-1)
	L.Pop(1)
	if v == lua.LNil {
		v = lua.LTrue
		if set := h.loaded.RawGetString(name); set != lua.LNil {
			v = set
		}
	}
	h.loaded.RawSetString(name, v)
	return v
}

// awaitLoading waits until another task has loaded the file, or finds that the tasks
// wait for each other.
func (h *Host) awaitLoading(L *lua.LState, name string, l *loading) {
	self := contextOf(L).task
	for by := l.by; by != nil; {
		if by == self {
			Raisef(L, CodeInvalidArgument, "require", "require: the files require each other: %s is still being loaded", name)
		}
		if by.awaits == nil {
			break
		}
		by = by.awaits.by
	}
	self.awaits = l
	err := h.Wait(L, func(ctx context.Context) error {
		select {
		case <-l.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	self.awaits = nil
	if err != nil {
		Raise(L, err)
	}
}

// findFile returns the file that name stands for in the script's folder: a.b is
// a/b.lua or a/b/init.lua, ./a names a.lua even beside a module a. "" for none.
func (h *Host) findFile(name string) string {
	for _, c := range h.candidates(name) {
		if info, err := os.Stat(c); err == nil && !info.IsDir() {
			return c
		}
	}
	return ""
}

func (h *Host) candidates(name string) []string {
	rel, dotted := strings.CutPrefix(name, "./")
	if !dotted {
		rel = strings.ReplaceAll(name, ".", "/")
	}
	base := filepath.Join(h.dir, filepath.FromSlash(rel))
	return []string{base + ".lua", filepath.Join(base, "init.lua")}
}

func (h *Host) notFound(name string) *Error {
	e := Errorf(CodeNotFound, "require", "require: there is no module %q: no built-in one, and neither %s exists",
		name, strings.Join(h.candidates(name), " nor "))
	names := h.ModuleNames()
	if near := Nearest(name, names); near != "" {
		return e.WithHint("did you mean %q?", near)
	}
	return e.WithHint("built-in modules: %s", strings.Join(names, ", "))
}

// ModuleNames lists the built-in modules.
func (h *Host) ModuleNames() []string {
	names := make([]string, 0, len(h.modules))
	for n := range h.modules {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (h *Host) mustLoadFile(L *lua.LState, path string) *lua.LFunction {
	s, err := LoadFile(path)
	if err != nil {
		Raise(L, err)
	}
	return h.state.NewFunctionFromProto(s.proto)
}

// loadFile is loadfile: nil and a message when the file cannot be loaded.
func (h *Host) loadFile(L *lua.LState) int {
	var path string
	Unpack(L, "loadfile", "path", &path)
	s, err := LoadFile(h.scriptPath(path))
	return h.pushLoaded(L, s, err)
}

func (h *Host) doFile(L *lua.LState) int {
	var path string
	Unpack(L, "dofile", "path", &path)
	L.SetTop(0)
	L.Push(h.mustLoadFile(L, h.scriptPath(path)))
	L.Call(0, lua.MultRet)
	return L.GetTop()
}

// scriptPath finds a file where Lua would, in the current folder, else beside the script.
func (h *Host) scriptPath(path string) string {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !filepath.IsAbs(path) {
		if beside := filepath.Join(h.dir, path); beside != path {
			if _, err := os.Stat(beside); err == nil {
				return beside
			}
		}
	}
	return path
}

// load takes a string or a function that returns pieces, a chunk name, a mode that
// must allow text, and an environment.
func (h *Host) load(L *lua.LState) int {
	var source lua.LValue
	var name, mode string
	var env *lua.LTable
	Unpack(L, "load", "chunk", &source, "name?", &name, "mode?", &mode, "env?", &env)
	if mode != "" && !strings.Contains(mode, "t") {
		Raisef(L, CodeNotSupported, "load", "load: only text can be loaded, not mode %q", mode)
	}
	var text string
	switch source := source.(type) {
	case lua.LString:
		text = string(source)
	case *lua.LFunction:
		text = collectPieces(L, source)
	default:
		Raisef(L, CodeInvalidArgument, "load", "load: chunk must be a string or a function, not %s", describe(L, source))
	}
	s, err := Compile(chunkName(name, text), h.dir, []byte(text))
	n := h.pushLoaded(L, s, err)
	if env != nil && err == nil {
		L.SetFEnv(L.Get(-1), env)
	}
	return n
}

func collectPieces(L *lua.LState, next *lua.LFunction) string {
	var b strings.Builder
	for b.Len() <= maxSource {
		L.Push(next)
		L.Call(0, 1)
		piece := L.Get(-1)
		L.Pop(1)
		if piece == lua.LNil || piece == lua.LString("") {
			break
		}
		if !lua.LVCanConvToString(piece) {
			Raisef(L, CodeInvalidArgument, "load", "load: the function must return strings, not %s", describe(L, piece))
		}
		b.WriteString(piece.String())
	}
	return b.String()
}

// chunkName is the name of loaded text in messages: as given (a leading = or @ is
// Lua's mark, not part of it), or the first line in brackets.
func chunkName(name, text string) string {
	if name != "" {
		return strings.TrimLeft(name, "=@")
	}
	first, _, more := strings.Cut(text, "\n")
	if len(first) > 40 {
		first, more = first[:40], true
	}
	if more {
		first += "…"
	}
	return `[string "` + first + `"]`
}

// pushLoaded pushes the function, or nil and the message with the excerpt.
func (h *Host) pushLoaded(L *lua.LState, s *Script, err error) int {
	if err != nil {
		L.Push(lua.LNil)
		L.Push(lua.LString(err.Error()))
		return 2
	}
	L.Push(h.state.NewFunctionFromProto(s.proto))
	return 1
}
