package etcd

import (
	lua "github.com/yuin/gopher-lua"

	"etcdlua/etcdapi"
)

// eventTable is an event as the contract has it.
func eventTable(L *lua.LState, e *etcdapi.Event) *lua.LTable {
	t := L.CreateTable(0, 8)
	t.RawSetString("type", lua.LString(e.Type.String()))
	t.RawSetString("key", text(e.KV.Key))
	t.RawSetString("mod_revision", lua.LNumber(e.KV.ModRevision))
	t.RawSetString("version", lua.LNumber(e.KV.Version))
	if e.Type == etcdapi.EventPut {
		t.RawSetString("value", text(e.KV.Value))
		t.RawSetString("create_revision", lua.LNumber(e.KV.CreateRevision))
	}
	if e.KV.Lease != 0 {
		t.RawSetString("lease", leaseText(e.KV.Lease))
	}
	if e.Prev != nil {
		t.RawSetString("prev", kvTable(L, e.Prev))
	}
	if e.Initial {
		t.RawSetString("initial", lua.LTrue)
	}
	return t
}

// sameRevision counts the leading events of one revision; existing keys, which have
// many, go together.
func sameRevision(events []etcdapi.Event) int {
	n := 1
	for n < len(events) && events[n].Initial == events[0].Initial &&
		(events[0].Initial || events[n].KV.ModRevision == events[0].KV.ModRevision) {
		n++
	}
	return n
}
