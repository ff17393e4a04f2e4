package runtime

import (
	"fmt"
	"math"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// osDate writes a time out by a format of strftime's, in local time, or in UTC after a
// "!"; "*t" makes a table of its parts.
func (h *Host) osDate(L *lua.LState) int {
	const name = "os.date"
	format := "%c"
	var t *float64
	Unpack(L, name, "format?", &format, "time?", &t)
	when := h.Clock.Now()
	if t != nil {
		if !(math.Abs(*t) < 1<<46) { // two million years, and NaN
			Raisef(L, CodeInvalidArgument, name, "%s: time %s is out of range", name, lua.LNumber(*t))
		}
		when = time.Unix(int64(math.Floor(*t)), 0)
	}
	when = when.Local()
	if rest, ok := strings.CutPrefix(format, "!"); ok {
		format, when = rest, when.UTC()
	}
	if strings.HasPrefix(format, "*t") {
		L.Push(dateTable(L, when))
		return 1
	}
	text, bad := strftime(format, when)
	if bad != "" {
		Raisef(L, CodeInvalidArgument, name, "%s: unknown conversion %q in the format", name, bad)
	}
	L.Push(lua.LString(text))
	return 1
}

func dateTable(L *lua.LState, t time.Time) *lua.LTable {
	d := L.CreateTable(0, 9)
	for _, f := range []struct {
		name  string
		value int
	}{
		{"year", t.Year()}, {"month", int(t.Month())}, {"day", t.Day()}, {"hour", t.Hour()}, {"min", t.Minute()},
		{"sec", t.Second()}, {"wday", int(t.Weekday()) + 1}, {"yday", t.YearDay()},
	} {
		d.RawSetString(f.name, lua.LNumber(f.value))
	}
	d.RawSetString("isdst", lua.LBool(t.IsDST()))
	return d
}

// layouts of strftime's conversions that Go can write by a layout, in the C locale.
var dateLayouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'h': "Jan", 'd': "02", 'e': "_2", 'H': "15", 'I': "03",
	'm': "01", 'M': "04", 'p': "PM", 'S': "05", 'j': "002", 'y': "06", 'z': "-0700", 'Z': "MST",
	'c': "Mon Jan _2 15:04:05 2006", 'D': "01/02/06", 'F': "2006-01-02", 'r': "03:04:05 PM", 'R': "15:04",
	'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05",
}

// dateNumbers are those that need counting.
var dateNumbers = map[byte]func(t time.Time) string{
	'Y': func(t time.Time) string { return fmt.Sprint(t.Year()) },
	'C': func(t time.Time) string { return fmt.Sprintf("%02d", t.Year()/100) },
	'G': func(t time.Time) string { y, _ := t.ISOWeek(); return fmt.Sprint(y) },
	'g': func(t time.Time) string { y, _ := t.ISOWeek(); return fmt.Sprintf("%02d", y%100) },
	'V': func(t time.Time) string { _, w := t.ISOWeek(); return fmt.Sprintf("%02d", w) },
	'u': func(t time.Time) string { return fmt.Sprint((int(t.Weekday())+6)%7 + 1) },
	'w': func(t time.Time) string { return fmt.Sprint(int(t.Weekday())) },
	// Weeks that begin on Sunday and on Monday; the days before the first one are week 0.
	'U': func(t time.Time) string { return fmt.Sprintf("%02d", (t.YearDay()+6-int(t.Weekday()))/7) },
	'W': func(t time.Time) string { return fmt.Sprintf("%02d", (t.YearDay()+6-(int(t.Weekday())+6)%7)/7) },
	's': func(t time.Time) string { return fmt.Sprint(t.Unix()) },
	'n': func(time.Time) string { return "\n" },
	't': func(time.Time) string { return "\t" },
	'%': func(time.Time) string { return "%" },
}

// strftime returns the text, or the conversion that it does not know.
func strftime(format string, t time.Time) (text, bad string) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		start := i
		i++
		if i < len(format)-1 && (format[i] == 'E' || format[i] == 'O') {
			i++ // another calendar or digits, which the C locale has none of
		}
		if i == len(format) {
			return "", format[start:]
		}
		if layout, ok := dateLayouts[format[i]]; ok {
			b.WriteString(t.Format(layout))
		} else if number, ok := dateNumbers[format[i]]; ok {
			b.WriteString(number(t))
		} else {
			return "", format[start : i+1]
		}
	}
	return b.String(), ""
}
