package commands

import (
	"fmt"

	"etcdlua/runtime"
)

func (p *program) checkCommand() *command {
	return &command{
		name: "check", args: "FILE…", short: "Finds mistakes in Lua scripts without running them.",
		long: `
Syntax errors, globals that nothing defines, and functions that a module does not
have, each as file:line:column with the nearest known name. A script defines a
global by assigning to it outside of its functions.`,
		examples: []string{"etcdlua check job.lua", "etcdlua check scripts/*.lua"},
		exits:    []int{exitDone, exitUsage},
		run:      (*call).check,
	}
}

func (c *call) check() error {
	if len(c.args) == 0 {
		return usageErrorf("check needs a FILE").withHint("etcdlua check scripts/*.lua")
	}
	known := knownNames()
	found := 0
	for _, path := range c.args {
		n, err := c.checkFile(path, known)
		if err != nil {
			return err
		}
		found += n
	}
	if found > 0 {
		return &codedError{code: exitUsage, text: fmt.Sprintf("%d problem(s) found", found)}
	}
	return nil
}

// checkFile prints what is wrong with a file, and returns how much that is.
func (c *call) checkFile(path string, known []string) (int, error) {
	src, name, _, err := c.readScript(path)
	if err != nil {
		c.report(err)
		return 1, nil
	}
	problems, err := runtime.Check(name, src, known)
	if err != nil {
		_, err = fmt.Fprint(c.streams.Out, errorText(err))
		return 1, err
	}
	for _, p := range problems {
		if _, err := fmt.Fprintf(c.streams.Out, "%s:%d:%d: %s\n", name, p.Line, p.Column, p.Message); err != nil {
			return 0, err
		}
	}
	return len(problems), nil
}
