package startup

import (
	"runtime/debug"
	"testing"
)

func TestTuneGC(t *testing.T) {
	if got := debug.SetGCPercent(-1); got != -1 {
		t.Errorf("the collector was at %d, not off, before TuneGC", got)
	}
	env := func(name string) func(string) (string, bool) {
		return func(n string) (string, bool) {
			if n == name {
				return "90", true
			}
			return "", false
		}
	}
	for name, want := range map[string]int{"": percent, "GOGC": before, "GOMEMLIMIT": before} {
		TuneGC(env(name))
		if got := debug.SetGCPercent(-1); got != want {
			t.Errorf("with %q set: %d, want %d", name, got, want)
		}
	}
	debug.SetGCPercent(before)
}
