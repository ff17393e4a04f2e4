package commands

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"
)

func (p *program) typesCommand() *command {
	return &command{
		name: "types", args: "DIR", short: "Writes the types of the modules, for editors with the Lua language server.",
		long: `
DIR is the folder that the editor opens. The types go to DIR/` + typesFolder + `/, away from
the scripts; DIR/.luarc.json tells the language server about them. A .luarc.json
that is there already is left alone unless --force is given.`,
		examples: []string{"etcdlua types ."},
		flags:    []cli.Flag{&cli.BoolFlag{Name: "force", Usage: "replace a .luarc.json of your own"}},
		exits:    []int{exitDone, exitRaised, exitUsage},
		run:      (*call).types,
	}
}

// typesFolder is a folder of its own: a json.lua beside the scripts would be what
// require "./json" gets, or overwrite a file of the user's.
const typesFolder = "etcdlua-types"

// luarc is the language server's configuration of a folder.
const luarc = `{
  "runtime.version": "Lua 5.1",
  "workspace.library": ["` + typesFolder + `"]
}
`

func (c *call) types() error {
	if len(c.args) != 1 || c.args[0] == "" {
		return usageErrorf("types needs one DIR").withHint("etcdlua types . writes into the current folder")
	}
	dir := c.args[0]
	folder := filepath.Join(dir, typesFolder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("folder of the types: %w", err)
	}
	for _, m := range withoutClient() {
		if m.Types == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, m.Name+".lua"), []byte(m.Types), 0o644); err != nil {
			return fmt.Errorf("types of %s: %w", m.Name, err)
		}
	}
	if err := c.writeLuarc(filepath.Join(dir, ".luarc.json")); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.streams.Out, "types are in %s\n", folder)
	return err
}

// writeLuarc writes the configuration, unless there is another one.
func (c *call) writeLuarc(path string) error {
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && c.flags.Bool("force"):
		return os.WriteFile(path, []byte(luarc), 0o644)
	case err != nil:
		return err
	case sameJSON(old, []byte(luarc)):
		return nil
	}
	_, err = fmt.Fprintf(c.streams.Err, "etcdlua: %s is there already and stays as it is; it should say:\n%s", path, luarc)
	return err
}

func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}
