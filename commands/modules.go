package commands

import (
	"etcdlua/etcdapi"
	"etcdlua/runtime"
	"etcdlua/runtime/modules"
	"etcdlua/runtime/modules/etcd"
	"etcdlua/runtime/reference"
)

// modulesFor are what a script can require, beside task.
func modulesFor(client *etcdapi.Client) []runtime.Module {
	return append(modules.All(), etcd.Module(client))
}

// withoutClient are the modules for looking at: their types and names, not for running.
func withoutClient() []runtime.Module {
	return append([]runtime.Module{runtime.TaskModule}, modulesFor(nil)...)
}

// references are the pages of all modules.
func references() []*reference.Module {
	var list []*reference.Module
	for _, m := range withoutClient() {
		if m.Types != "" {
			list = append(list, reference.Parse(m.Name, m.Types))
		}
	}
	return list
}

// knownNames lists the globals of a script, and the functions of the modules.
func knownNames() []string {
	host := runtime.New(runtime.Options{Modules: modulesFor(nil)})
	defer host.Close()
	return host.Names()
}
