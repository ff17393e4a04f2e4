package modules

import (
	"context"
	_ "embed" // the types file
	"log/slog"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed log.lua
var logTypes string

func openLog(h *runtime.Host) lua.LValue {
	m := &logModule{h: h}
	return h.NewModule("log", runtime.Methods{
		"debug": m.at("log.debug", slog.LevelDebug),
		"info":  m.at("log.info", slog.LevelInfo),
		"warn":  m.at("log.warn", slog.LevelWarn),
		"error": m.at("log.error", slog.LevelError),
	})
}

type logModule struct{ h *runtime.Host }

// at makes the function of a level. A line carries where in the script it was written,
// last, so that the message and the script's own fields come first.
func (m *logModule) at(name string, level slog.Level) lua.LGFunction {
	return func(L *lua.LState) int {
		var message lua.LValue
		var table *lua.LTable
		runtime.Unpack(L, name, "message", &message, "fields?", &table)
		ctx := context.Background()
		if !m.h.Log.Enabled(ctx, level) {
			return 0
		}
		var fields []any
		if table != nil {
			fields = runtime.LogFields(L, table)
		}
		if at := runtime.Where(L); at != "" {
			fields = append(fields, "at", at)
		}
		m.h.Log.Log(ctx, level, L.ToStringMeta(message).String(), fields...)
		return 0
	}
}
