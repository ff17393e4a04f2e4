package modules

import (
	"context"
	_ "embed" // the types file
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed fs.lua
var fsTypes string

// maxFile bounds what fs.read returns.
const maxFile = 256 << 20

func openFS(h *runtime.Host) lua.LValue {
	m := &fsModule{h: h}
	h.OnClose(func(context.Context) { m.removeTemp() })
	return h.NewModule("fs", runtime.Methods{
		"read": m.read, "write": m.write, "append": m.append, "exists": m.exists, "stat": m.stat, "list": m.list,
		"mkdir": m.mkdir, "remove": m.remove, "rename": m.rename, "temp_dir": m.tempDir,
	})
}

// fsModule is the module fs. The functions below only read arguments and make results;
// the work is done in disk.go, without the turn.
type fsModule struct {
	h    *runtime.Host
	temp []string // folders to remove when the program ends
}

// disk runs what touches the disk; its error is raised with the function and the path.
func (m *fsModule) disk(L *lua.LState, name, path string, f func(ctx context.Context) error) {
	if path == "" {
		runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: the path is empty", name)
	}
	if err := m.h.Wait(L, f); err != nil {
		runtime.Raise(L, runtime.FileError(name, path, err))
	}
}

func (m *fsModule) read(L *lua.LState) int {
	var path string
	runtime.Unpack(L, "fs.read", "path", &path)
	var data []byte
	m.disk(L, "fs.read", path, func(ctx context.Context) (err error) {
		data, err = readFile(ctx, path)
		return err
	})
	L.Push(lua.LString(data))
	return 1
}

// fileMode is permissions as digits: "0644", or the number 644 as chmod takes it.
type fileMode fs.FileMode

// UnpackLua reads it; see [runtime.Unpacker].
func (f *fileMode) UnpackLua(_ *lua.LState, v lua.LValue) error {
	if lua.LVCanConvToString(v) {
		if n, err := strconv.ParseUint(v.String(), 8, 32); err == nil && n <= 0o777 {
			*f = fileMode(n)
			return nil
		}
	}
	return errMode
}

var errMode = errors.New(`must be permissions such as "0644"`)

type writeOptions struct {
	Mode *fileMode `lua:"mode"`
}

func (m *fsModule) write(L *lua.LState) int {
	var path, data string
	var o writeOptions
	runtime.Unpack(L, "fs.write", "path", &path, "data", &data, "opts?", &o)
	m.disk(L, "fs.write", path, func(context.Context) error {
		return writeWhole(path, data, (*fs.FileMode)(o.Mode))
	})
	return 0
}

func (m *fsModule) append(L *lua.LState) int {
	var path, data string
	runtime.Unpack(L, "fs.append", "path", &path, "data", &data)
	m.disk(L, "fs.append", path, func(ctx context.Context) error { return appendTo(ctx, path, data) })
	return 0
}

func (m *fsModule) exists(L *lua.LState) int {
	var path string
	runtime.Unpack(L, "fs.exists", "path", &path)
	var there bool
	m.disk(L, "fs.exists", path, func(context.Context) error {
		_, err := os.Stat(path)
		there = err == nil
		return absent(err)
	})
	L.Push(lua.LBool(there))
	return 1
}

// absent turns "there is no such file" into no error.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

func (m *fsModule) stat(L *lua.LState) int {
	var path string
	runtime.Unpack(L, "fs.stat", "path", &path)
	var info fs.FileInfo
	var link bool
	m.disk(L, "fs.stat", path, func(context.Context) (err error) {
		info, link, err = statPath(path)
		return absent(err)
	})
	if info == nil {
		L.Push(lua.LNil)
		return 1
	}
	t := L.CreateTable(0, 6)
	t.RawSetString("name", lua.LString(filepath.Base(path)))
	t.RawSetString("size", lua.LNumber(info.Size()))
	t.RawSetString("mode", lua.LString(fmt.Sprintf("%04o", info.Mode().Perm())))
	t.RawSetString("modified", seconds(info.ModTime()))
	t.RawSetString("is_dir", lua.LBool(info.IsDir()))
	t.RawSetString("is_link", lua.LBool(link))
	L.Push(t)
	return 1
}

func (m *fsModule) list(L *lua.LState) int {
	var path string
	runtime.Unpack(L, "fs.list", "path", &path)
	var names []string
	m.disk(L, "fs.list", path, func(context.Context) error {
		entries, err := os.ReadDir(path) // sorted by name
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return err
	})
	L.Push(runtime.Strings(L, names))
	return 1
}

func (m *fsModule) mkdir(L *lua.LState) int {
	var path string
	runtime.Unpack(L, "fs.mkdir", "path", &path)
	m.disk(L, "fs.mkdir", path, func(context.Context) error { return os.MkdirAll(path, 0o777) })
	return 0
}

type removeOptions struct {
	Recursive bool `lua:"recursive"`
}

func (m *fsModule) remove(L *lua.LState) int {
	const name = "fs.remove"
	var path string
	var o removeOptions
	runtime.Unpack(L, name, "path", &path, "opts?", &o)
	if full, err := filepath.Abs(path); o.Recursive && (err != nil || full == filepath.Dir(full)) {
		runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: the whole file system is not removed", name)
	}
	var was bool
	m.disk(L, name, path, func(context.Context) (err error) {
		was, err = removePath(path, o.Recursive)
		return err
	})
	L.Push(lua.LBool(was))
	return 1
}

func (m *fsModule) rename(L *lua.LState) int {
	const name = "fs.rename"
	var from, to string
	runtime.Unpack(L, name, "from", &from, "to", &to)
	if to == "" {
		runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: the new path is empty", name)
	}
	if from == "" {
		runtime.Raisef(L, runtime.CodeInvalidArgument, name, "%s: the old path is empty", name)
	}
	m.disk(L, name, from+" to "+to, func(context.Context) error { return os.Rename(from, to) })
	return 0
}

func (m *fsModule) tempDir(L *lua.LState) int {
	runtime.Unpack(L, "fs.temp_dir")
	var path string
	m.disk(L, "fs.temp_dir", os.TempDir(), func(context.Context) (err error) {
		path, err = os.MkdirTemp("", "etcdlua-")
		return err
	})
	m.temp = append(m.temp, path)
	L.Push(lua.LString(path))
	return 1
}

// removeTemp runs after the last task has ended.
func (m *fsModule) removeTemp() {
	for _, path := range m.temp {
		if err := os.RemoveAll(path); err != nil {
			m.h.Log.Error("a temporary folder stays behind", "path", path, "error", err)
		}
	}
}
