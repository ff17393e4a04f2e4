package commands

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"etcdlua/runtime"
	"etcdlua/runtime/reference"
)

// The types files are the one reference, so they must tell of every function there is,
// and of no other.
func TestEveryFunctionHasAPage(t *testing.T) {
	known := knownNames()
	for _, m := range references() {
		var documented []string
		for _, e := range m.Entries {
			documented = append(documented, e.Name)
			if !slices.Contains(known, e.Name) {
				t.Errorf("%s is documented, but does not exist", e.Name)
			}
		}
		for _, n := range known {
			if strings.HasPrefix(n, m.Name+".") && !slices.Contains(documented, n) {
				t.Errorf("%s exists, but is not documented", n)
			}
		}
	}
}

func TestEveryModuleHasTypes(t *testing.T) {
	for _, m := range withoutClient() {
		if m.Types == "" {
			t.Errorf("%s has no types file", m.Name)
		}
	}
}

// Every function is described, with an example that at least names what exists.
func TestPagesAreComplete(t *testing.T) {
	known := knownNames()
	for _, m := range references() {
		if m.Doc == "" {
			t.Errorf("module %s is not described", m.Name)
		}
		entries := slices.Clone(m.Entries)
		for _, c := range m.Classes {
			entries = append(entries, c.Methods...)
		}
		for _, e := range entries {
			checkPage(t, e, known)
		}
	}
}

func checkPage(t *testing.T, e *reference.Entry, known []string) {
	t.Helper()
	if e.Doc == "" {
		t.Errorf("%s is not described", e.Name)
	}
	if e.Args == "" {
		return
	}
	if e.Example == "" {
		t.Errorf("%s has no example", e.Name)
	}
	problems, err := runtime.Check(e.Name, []byte(e.Example), known)
	if err != nil {
		t.Errorf("the example of %s: %v", e.Name, err)
	}
	for _, p := range problems {
		t.Errorf("the example of %s:%d: %s", e.Name, p.Line, p.Message)
	}
	for i, line := range strings.Split(e.Render(), "\n") {
		if n := len([]rune(line)); n > 100 {
			t.Errorf("%s: line %d of its page is %d wide", e.Name, i+1, n)
		}
	}
	var described []string
	for _, p := range e.Params {
		described = append(described, p.Name)
	}
	if got := fmt.Sprintf("(%s)", strings.Join(described, ", ")); got != e.Args {
		t.Errorf("%s%s describes the parameters %s", e.Name, e.Args, got)
	}
}
