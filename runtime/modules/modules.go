// Package modules holds the small modules that scripts can require beside task: a
// file x.go with the functions and x.lua with their types and reference, side by side.
//
// A function that waits (for the disk, for a process) lets other tasks run, and ends
// with its task's cancel. What reaches out of the process does so in one place of its
// file. Malformed data raises parse, a malformed call invalid_argument, what the
// system refuses io.
package modules

import "etcdlua/runtime"

// All lists the modules, in the order of their names.
func All() []runtime.Module {
	return []runtime.Module{
		{Name: "base64", Types: base64Types, Open: openBase64},
		{Name: "bit", Types: bitTypes, Open: openBit},
		{Name: "env", Types: envTypes, Open: openEnv},
		{Name: "exec", Types: execTypes, Open: openExec},
		{Name: "fs", Types: fsTypes, Open: openFS},
		{Name: "hash", Types: hashTypes, Open: openHash},
		{Name: "hex", Types: hexTypes, Open: openHex},
		{Name: "json", Types: jsonTypes, Open: openJSON},
		{Name: "log", Types: logTypes, Open: openLog},
		{Name: "time", Types: timeTypes, Open: openTime},
		{Name: "utf8", Types: utf8Types, Open: openUTF8},
	}
}
