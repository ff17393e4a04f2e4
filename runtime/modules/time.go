package modules

import (
	_ "embed" // the types file
	"math"
	"sort"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/runtime"
)

//go:embed time.lua
var timeTypes string

func openTime(h *runtime.Host) lua.LValue {
	m := &timeModule{clock: h.Clock, start: h.Clock.Now()}
	return h.NewModule("time", runtime.Methods{
		"now": m.now, "monotonic": m.monotonic, "format": timeFormat, "parse": timeParse,
	})
}

type timeModule struct {
	clock runtime.Clock
	start time.Time
}

func (m *timeModule) now(L *lua.LState) int {
	runtime.Unpack(L, "time.now")
	L.Push(seconds(m.clock.Now()))
	return 1
}

// seconds is a time as scripts have it: since the epoch, exact to the microsecond.
func seconds(t time.Time) lua.LNumber { return lua.LNumber(float64(t.UnixMicro()) / 1e6) }

func (m *timeModule) monotonic(L *lua.LState) int {
	runtime.Unpack(L, "time.monotonic")
	L.Push(lua.LNumber(m.clock.Since(m.start).Seconds()))
	return 1
}

// The first and the last second that the layouts can write: the years 0 to 9999.
const (
	firstSecond = -62167219200
	lastSecond  = 253402300799
)

func timeFormat(L *lua.LState) int {
	const name = "time.format"
	var t float64
	var text string
	zone := "UTC"
	runtime.Unpack(L, name, "t", &t, "layout", &text, "zone?", &zone)
	if !(t >= firstSecond && t <= lastSecond) { // NaN too
		runtime.Raise(L, runtime.Errorf(runtime.CodeInvalidArgument, name, "%s: t = %s is not within the years 0 to 9999",
			name, lua.LNumber(t)).WithHint("t is in seconds since the epoch"))
	}
	place, err := time.LoadLocation(zone)
	if err != nil {
		runtime.Raise(L, runtime.Errorf(runtime.CodeInvalidArgument, name, "%s: unknown time zone %q", name, zone).
			WithHint(`names are those of the tz database: "Europe/Berlin", "UTC", or "Local" for the machine's`))
	}
	// A float64 holds today's seconds to a quarter of a microsecond: what is below that is noise.
	moment := time.UnixMicro(int64(math.Round(t * 1e6))).In(place)
	L.Push(lua.LString(moment.Format(checkLayout(L, name, text))))
	return 1
}

func timeParse(L *lua.LState) int {
	const name = "time.parse"
	var s, text string
	runtime.Unpack(L, name, "s", &s, "layout", &text)
	t, err := time.Parse(checkLayout(L, name, text), s)
	if err != nil {
		runtime.Raisef(L, runtime.CodeParse, name, "%s: %q is not of the layout %q", name, s, text)
	}
	L.Push(seconds(t))
	return 1
}

var layouts = map[string]string{
	"ansic": time.ANSIC, "unixdate": time.UnixDate, "rubydate": time.RubyDate, "rfc822": time.RFC822,
	"rfc822z": time.RFC822Z, "rfc850": time.RFC850, "rfc1123": time.RFC1123, "rfc1123z": time.RFC1123Z,
	"rfc3339": time.RFC3339, "rfc3339nano": time.RFC3339Nano, "kitchen": time.Kitchen, "stamp": time.Stamp,
	"stampmilli": time.StampMilli, "stampmicro": time.StampMicro, "stampnano": time.StampNano,
	"datetime": time.DateTime, "dateonly": time.DateOnly, "timeonly": time.TimeOnly,
}

// checkLayout returns the Go layout that the text names or is. A text without any part of
// a time in it (%Y-%m-%d, YYYY-MM-DD) would be printed as it is: it is refused.
func checkLayout(L *lua.LState, name, text string) string {
	lower := strings.ToLower(text)
	if layout, ok := layouts[lower]; ok {
		return layout
	}
	known := make([]string, 0, len(layouts))
	for k := range layouts {
		known = append(known, k)
	}
	sort.Strings(known)
	e := runtime.Errorf(runtime.CodeInvalidArgument, name, "%s: layout %q shows no part of a time", name, text).
		WithHint(`a layout writes out Go's reference time, "2006-01-02 15:04:05 MST", or is a name such as "RFC3339"`)
	if strings.HasPrefix(lower, "rfc") { // "RFC3399" would pass: its 3 is the hour
		e.Message = name + ": there is no layout named " + text + " (did you mean " + strings.ToUpper(runtime.Nearest(lower, known)) + "?)"
		runtime.Raise(L, e)
	}
	one := time.Date(2001, 2, 3, 4, 5, 6, 700_000_000, time.UTC)
	other := time.Date(2112, 11, 23, 22, 34, 45, 123_456_789, time.FixedZone("X", 5400))
	if one.Format(text) == other.Format(text) {
		runtime.Raise(L, e)
	}
	return text
}
