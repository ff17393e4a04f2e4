package runtime

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// maxTraceFrames bounds a traceback; the middle of a longer one is left out.
const maxTraceFrames = 24

// Where returns "file:line" of the script line that is being run in L, "" when there is none.
func Where(L *lua.LState) string { return where(L) }

// where returns "file:line" of the innermost Lua frame at or below L, "" when there is none.
func where(L *lua.LState) string {
	for th := L; th != nil; th = th.Parent {
		for level := 0; ; level++ {
			d, ok := th.GetStack(level)
			if !ok {
				break
			}
			if at := position(th, d); at != "" {
				return at
			}
		}
	}
	return ""
}

// position returns "file:line" of a Lua frame, "" for a Go function's.
func position(L *lua.LState, d *lua.Debug) string {
	if _, err := L.GetInfo("Sl", d, lua.LNil); err != nil || d.CurrentLine <= 0 || d.Source == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", d.Source, d.CurrentLine)
}

// stackText renders the frames of L from level up, and those of the threads that
// called it, innermost first, a line each.
func stackText(L *lua.LState, level int) string {
	var lines []string
	for th := L; th != nil; th = th.Parent {
		for ; ; level++ {
			d, ok := th.GetStack(level)
			if !ok {
				break
			}
			if line := frameLine(th, d); line != "" {
				lines = append(lines, line)
			}
		}
		level = 0
	}
	if n := len(lines); n > maxTraceFrames {
		head := append([]string{}, lines[:maxTraceFrames/2]...)
		head = append(head, fmt.Sprintf("\t… %d more", n-maxTraceFrames))
		lines = append(head, lines[n-maxTraceFrames/2:]...)
	}
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	return b.String()
}

// frameLine renders one frame. A Go function is shown by its name only: its caller's
// line follows. One without a name (a metamethod, an iterator) is left out.
func frameLine(L *lua.LState, d *lua.Debug) string {
	at := position(L, d)
	if _, err := L.GetInfo("n", d, lua.LNil); err != nil {
		return ""
	}
	name := d.Name
	if at == "" {
		switch {
		case strings.HasPrefix(name, "("):
			return ""
		case name == "", name == "?", name == "error", name == "assert", name == "corountine": // or a trampoline
			return ""
		}
		return "\t[" + name + "]"
	}
	switch {
	case d.What != "main" && d.LineDefined == 0: // a file that another one loads
		name = "main chunk"
	case name == "main chunk" || name == "corountine": // gopher-lua's spelling
		name = "main chunk"
		if d.LineDefined > 0 {
			name = fmt.Sprintf("function at line %d", d.LineDefined)
		}
	case strings.HasPrefix(name, "<"):
		name = fmt.Sprintf("function at line %d", d.LineDefined)
	case name == "?":
		name = "a function"
	default:
		name = "function '" + name + "'"
	}
	return "\t" + at + ": in " + name
}
