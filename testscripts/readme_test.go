package testscripts

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"etcdlua/runtime"
)

var luaBlock = regexp.MustCompile("(?ms)^```lua\n(.*?)^```$")

// afterBlock gives the watches of a block something to do, and ends those that have no end.
const afterBlock = `
etcd.set("/config/mode", "dark")
task.after("100ms", os.exit, 0)
`

// TestReadme runs the Lua of the README: each block is a script of its own, in an empty
// folder and on an empty etcd, and neither it nor a handler in it may fail.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := luaBlock.FindAllStringSubmatch(string(text), -1)
	if marked := strings.Count(string(text), "```lua"); marked == 0 || len(blocks) != marked {
		t.Fatalf("found %d blocks of %d", len(blocks), marked)
	}
	for i, b := range blocks {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			c := client(t)
			t.Chdir(t.TempDir())
			out, errs, log, err := outcome(t, all(c), compile(t, fmt.Sprintf("README.md, block %d", i+1), b[1]+afterBlock))
			code, exited := runtime.ExitCode(err)
			if !exited || code != 0 || strings.Contains(log, "a watch's handler failed") {
				t.Errorf("%v\n%s\nstdout:\n%s\nstderr:\n%s\nlog:\n%s", err, runtime.Traceback(err), out, errs, log)
			}
		})
	}
}
