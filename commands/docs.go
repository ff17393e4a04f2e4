package commands

import (
	"io"
	"slices"
	"strings"

	"etcdlua/runtime"
	"etcdlua/runtime/reference"
)

func (p *program) docsCommand() *command {
	return &command{
		name: "docs", args: "[NAME]", short: "Prints the reference of what scripts can call.",
		long: `
Without NAME the modules. NAME is a module, a function, an object or a method.`,
		examples: []string{"etcdlua docs", "etcdlua docs etcd", "etcdlua docs etcd.get", "etcdlua docs query:delete"},
		exits:    []int{exitDone, exitUsage},
		complete: func() []string { return reference.Names(references()) },
		run:      (*call).docs,
	}
}

// luasOwn are the libraries that Lua's manual describes.
var luasOwn = []string{"string", "table", "math", "os", "io", "coroutine", "debug"}

func (c *call) docs() error {
	modules := references()
	if len(c.args) == 0 {
		_, err := io.WriteString(c.streams.Out, "Modules. etcdlua docs NAME shows one, or a function of it.\n\n"+
			reference.Index(modules)+"\nAnd Lua 5.1's own: "+strings.Join(luasOwn, ", ")+".\n")
		return err
	}
	if len(c.args) > 1 {
		return usageErrorf("docs takes one NAME, not %d", len(c.args)).withHint("etcdlua docs %s", c.args[0])
	}
	pages := reference.Find(modules, c.args[0])
	if pages == nil {
		e := usageErrorf("there is no page %q", c.args[0])
		library, _, _ := strings.Cut(c.args[0], ".")
		if slices.Contains(luasOwn, library) {
			return e.withHint("it is Lua 5.1's own: www.lua.org/manual/5.1 has it")
		}
		if near := runtime.Nearest(c.args[0], reference.Names(modules)); near != "" {
			return e.withHint("did you mean: etcdlua docs %s", near)
		}
		return e.withHint("etcdlua docs lists the modules")
	}
	var texts []string
	for _, page := range pages {
		texts = append(texts, page.Render())
	}
	_, err := io.WriteString(c.streams.Out, strings.Join(texts, "\n"))
	return err
}
